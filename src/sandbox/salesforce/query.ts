/** Answers SOQL from the store: fields that are not there are refused, related ones are followed, long results come in parts. */
import { type ObjectName, objectNamed } from "./ids.ts";
import { bad, noSuchColumn, notFound, ok, type Reply } from "./reply.ts";
import type { Schema } from "./schema.ts";
import { type Condition, compared, holds, parseSoql, type Query, type Value } from "./soql.ts";
import { type SalesforceRecord, type Store, shown } from "./store.ts";

export interface Queries {
  /** Which object a query is about; undefined where it cannot be read. */
  objectOf(soql: string): string | undefined;
  run(soql: string, deletedToo: boolean): Reply;
  more(cursor: string): Reply;
}

/** `Opportunity.IsClosed`: the field of our own that leads there. */
const relations: Readonly<Record<string, { readonly field: string; readonly object: ObjectName }>> = {
  account: { field: "AccountId", object: "Account" },
  contact: { field: "ContactId", object: "Contact" },
  opportunity: { field: "OpportunityId", object: "Opportunity" },
  emailmessage: { field: "EmailMessageId", object: "EmailMessage" },
};

export function openQueries(store: Store, schema: Schema, version: string, batch: number): Queries {
  const cursors = new Map<string, { object: ObjectName; query: Query; rows: readonly SalesforceRecord[] }>();

  function checkField(object: ObjectName, path: string): void {
    const [first = "", second] = path.split(".");
    if (second === undefined) {
      if (schema.field(object, first) === undefined) throw noSuchColumn(first, object);
      return;
    }
    const to = relations[first.toLowerCase()];
    if (to === undefined || schema.field(object, to.field) === undefined) {
      throw bad("INVALID_FIELD", `Didn't understand relationship '${first}' in field path`);
    }
    checkField(to.object, second);
  }

  function valueAt(record: SalesforceRecord, path: string): Value {
    const [first = "", second] = path.split(".");
    if (second === undefined) return shown(record, schema.field(record.object, first)?.name ?? first);
    const to = relations[first.toLowerCase()];
    const id = to === undefined ? null : record.values[to.field];
    const other = to === undefined || typeof id !== "string" ? undefined : store.get(to.object, id);
    return other === undefined ? null : valueAt(other, second);
  }

  function rowOf(record: SalesforceRecord, fields: readonly string[]): object {
    const row: Record<string, unknown> = {
      attributes: { type: record.object, url: `/services/data/${version}/sobjects/${record.object}/${record.id}` },
    };
    for (const path of fields) {
      const [first = "", second] = path.split(".");
      if (second === undefined) row[schema.field(record.object, first)?.name ?? first] = valueAt(record, path);
      else row[first] = { ...(row[first] as object | undefined), [second]: valueAt(record, path) };
    }
    return row;
  }

  function answer(object: ObjectName, query: Query, rows: readonly SalesforceRecord[], total: number): Reply {
    const [now, later] = [rows.slice(0, batch), rows.slice(batch)];
    const cursor = `01g${String(cursors.size + 1).padStart(12, "0")}-${batch}`;
    if (later.length > 0) cursors.set(cursor, { object, query, rows: later });
    const next = later.length === 0 ? {} : { nextRecordsUrl: `/services/data/${version}/query/${cursor}` };
    const records = now.map((record) => rowOf(record, query.fields));
    return ok(200, { totalSize: total, done: later.length === 0, ...next, records });
  }

  return {
    objectOf: (soql) => objectNamed(/\bFROM\s+(\w+)/i.exec(soql)?.[1] ?? ""),
    run(soql, deletedToo) {
      const query = parseSoql(soql);
      const object = objectNamed(query.object);
      if (object === undefined || schema.fields(object) === undefined)
        throw bad("INVALID_TYPE", `sObject type '${query.object}' is not supported.`);
      for (const path of [...query.fields, ...query.order.map(({ field }) => field), ...fieldsIn(query.where)])
        checkField(object, path);
      refuseLongText(object, query.where, schema);
      const { where } = query;
      const rows = store
        .all(object)
        .filter((record) => deletedToo || !record.deleted)
        .filter((record) => where === undefined || holds(where, (path) => valueAt(record, path)));
      for (const { field, descending } of query.order.toReversed()) {
        rows.sort((a, b) => ordered(valueAt(a, field), valueAt(b, field)) * (descending ? -1 : 1));
      }
      const taken = query.limit === undefined ? rows : rows.slice(0, query.limit);
      return answer(object, query, taken, taken.length);
    },
    more(cursor) {
      const held = cursors.get(cursor);
      if (held === undefined) throw notFound("invalid query locator");
      return answer(held.object, held.query, held.rows, held.rows.length);
    },
  };
}

/** Nulls come first. */
const ordered = (one: Value, other: Value): number =>
  one === null || other === null ? Number(one !== null) - Number(other !== null) : (compared(one, other) ?? 0);

function fieldsIn(condition: Condition | undefined): string[] {
  switch (condition?.kind) {
    case undefined:
      return [];
    case "and":
    case "or":
      return condition.parts.flatMap(fieldsIn);
    case "not":
      return fieldsIn(condition.part);
    case "compare":
    case "in":
    case "like":
      return [condition.field];
    default:
      return condition satisfies never;
  }
}

/** Long text cannot be filtered by. */
function refuseLongText(object: ObjectName, where: Condition | undefined, schema: Schema): void {
  for (const path of fieldsIn(where)) {
    if (schema.field(object, path)?.type !== "textarea") continue;
    throw bad("INVALID_FIELD", `field '${path}' can not be filtered in a query call`);
  }
}
