/** Single records: made under a key, found again by it, read, deleted; with Salesforce's answers turned into refs. */
import { createHash } from "node:crypto";
import type { Ref } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { StepKind } from "../../model/step.ts";
import type { WireResponse } from "../../model/wire.ts";
import { permanent } from "../shared/calls.ts";
import { type Api, isId, madeSchema, metricName, type ObjectName, paths, type Row, type SubRequest } from "./api.ts";
import { ownField, ownFields } from "./bodies.ts";
import { deciding, isCode, isHidden, isKeyTaken, partsOf, reasonOf } from "./classify.ts";
import type { Org } from "./org.ts";
import { quoted, select } from "./soql.ts";

/** Ids begin with three characters that say of which object they are. */
const prefixes: ReadonlyMap<string, ObjectName> = new Map([
  ["003", "Contact"],
  ["00Q", "Lead"],
  ["001", "Account"],
  ["006", "Opportunity"],
  ["02s", "EmailMessage"],
]);
const kinds: Partial<Record<StepKind, readonly ObjectName[]>> = {
  person: ["Contact", "Lead"],
  company: ["Account"],
  deal: ["Opportunity"],
  activity: ["EmailMessage"],
  // Its lines stand in a field of the mail.
  file: ["EmailMessage"],
};

/** Undefined where no record of this kind can have this id. */
export function objectOf(kind: StepKind, id: string): ObjectName | undefined {
  const object = isId(id) ? prefixes.get(id.slice(0, 3)) : undefined;
  return object !== undefined && kinds[kind]?.includes(object) === true ? object : undefined;
}

/** Throws Refused (permanent) for what is no record of ours. */
export function recordObjectOf(kind: StepKind, id: string): ObjectName {
  const object = objectOf(kind, id);
  if (object === undefined) throw permanent(`Salesforce has no ${kind} with the id ${id.slice(0, 20)}`);
  return object;
}

/** Both lengths of an id are one record's. */
export const isSame = (one: string, other: string): boolean => one.slice(0, 15) === other.slice(0, 15);

/** Where a key stands: on a record that is there, or free, under the name that the next record is to have. */
export interface Keyed {
  readonly live: Row | undefined;
  /** The key for a new record. */
  readonly key: string;
  /** What had the key before and is in the recycle bin. */
  readonly deleted: Row | undefined;
}

export interface Made {
  readonly id: string;
  readonly adopted: boolean;
  readonly note?: string;
  /** What was to be made beside it is not there: it went by itself. */
  readonly alone?: boolean;
  /** From a look: it carries the key of this very step. */
  readonly ours?: boolean;
}

export interface Making {
  readonly object: ObjectName;
  readonly key: string;
  /** The fields under this key, fitted to the org. */
  fields(key: string): Promise<Record<string, unknown>>;
  /** What is made with it in one transaction, unless the answer says `alone`; `@{record.id}` is its id. */
  readonly beside?: readonly SubRequest[];
  /** What a person deleted is not made again. */
  readonly once?: boolean;
  /** Answers that the caller reads himself. */
  readonly expected?: (answer: WireResponse) => boolean;
}

export interface Records {
  refOf(object: ObjectName, made: Made): Ref;
  /** `more`: fields of the record that is there. */
  byKey(object: ObjectName, key: string, more?: readonly string[]): Promise<Keyed>;
  /** Made, or found under its key. An answer that was `expected` is handed back. */
  make(making: Making): Promise<Made | WireResponse>;
  /** With what is in the recycle bin. */
  get(object: ObjectName, id: string, fields: readonly string[]): Promise<Row | undefined>;
  /** False where it is gone. `seen` is the record as it was read: what changed since is not overwritten. */
  change(object: ObjectName, seen: Row, fields: Readonly<Record<string, unknown>>): Promise<boolean>;
  remove(object: ObjectName, id: string): Promise<void>;
}

const mostGenerations = 10;
/** A key that a deleted record still holds is not free: the next record's follows from it, and can be worked out again. */
const nextKey = (key: string, deletedId: string): string =>
  createHash("sha256")
    .update(`${key} after ${deletedId.slice(0, 15)}`)
    .digest("hex");

/** In a composite Salesforce looks for `@{part.field}` in every text, a sender's too, and refuses all where no part has that name. */
const refersToParts = (fields: object): boolean => JSON.stringify(fields).includes("@{");

export const isDeleted = (row: Row): boolean => row.IsDeleted === true;

export function openRecords(api: Api, org: Org, baseUrl: string): Records {
  async function byKey(object: ObjectName, first: string, more: readonly string[] = []): Promise<Keyed> {
    let key = first;
    let before: Row | undefined;
    for (let generation = 0; generation < mostGenerations; generation++) {
      const fields = ["Id", "IsDeleted", ...more, ...(object === "Contact" ? ["MasterRecordId"] : [])];
      const where = `${ownFields.key} = ${quoted(key)}`;
      const soql = select({ fields, from: object, where, order: "CreatedDate ASC", limit: 20 });
      const rows = await api.query(object, { soql, deleted: true });
      const live = rows.find((row) => !isDeleted(row));
      const deleted = rows.find(isDeleted);
      if (live !== undefined || deleted === undefined) return { live, key, deleted: before };
      before = deleted;
      const master = deleted.MasterRecordId;
      if (typeof master === "string" && isId(master)) {
        const survivor = await get(object, master, ["Id"]);
        if (survivor !== undefined && !isDeleted(survivor)) return { live: survivor, key, deleted };
      }
      key = nextKey(key, deleted.Id);
    }
    throw permanent(`records with the key ${first.slice(0, 12)} were deleted ${mostGenerations} times`);
  }

  async function get(object: ObjectName, id: string, fields: readonly string[]): Promise<Row | undefined> {
    const where = `Id = ${quoted(id)}`;
    const soql = select({ fields: ["Id", "IsDeleted", ...fields], from: object, where, limit: 1 });
    const [row] = await api.query(object, { soql, deleted: true });
    return row;
  }

  /** One call, with what belongs to the record where that can be. */
  async function post(making: Making, fields: object, beside: readonly SubRequest[]): Promise<WireResponse> {
    const { object, expected } = making;
    const isExpected = (answer: WireResponse): boolean =>
      namesOwnField(answer) || isHidden(answer) || expected?.(answer) === true;
    const request = { method: "POST", path: paths.records(object), object: metricName(object), body: fields } as const;
    if (beside.length === 0) return await api.call(request, true, isExpected);
    const record: SubRequest = { method: "POST", url: paths.records(object), referenceId: "record", body: fields };
    return await api.composite(object, [record, ...beside], isExpected);
  }

  async function make(making: Making): Promise<Made | WireResponse> {
    const { object, once = false, expected } = making;
    const { beside = [] } = making;
    let { key } = making;
    for (let generation = 0; generation < mostGenerations; generation++) {
      const fields = await making.fields(key);
      const alone = beside.length > 0 && refersToParts(fields);
      const answer = await post(making, fields, alone ? [] : beside);
      if (namesOwnField(answer) || isHidden(answer)) {
        org.forget();
        const reason = `${reasonOf(answer)}; asking again which ${isHidden(answer) ? "objects" : "fields"} the org has`;
        throw new Refused({ kind: "retryable", reason });
      }
      if (!isKeyTaken(answer)) {
        if (expected?.(answer) === true) return answer;
        const json = partsOf(answer)?.find(({ referenceId }) => referenceId === "record")?.json ?? answer.json;
        const { id } = api.shaped(madeSchema, { ...answer, json }, true);
        return { id, adopted: false, ...(alone ? { alone } : {}) };
      }
      const found = await byKey(object, key);
      if (found.live !== undefined) return { id: found.live.Id, adopted: true };
      if (once && found.deleted !== undefined) {
        return { id: found.deleted.Id, adopted: true, note: "it was deleted at Salesforce and is not made again" };
      }
      if (found.key === key) {
        const reason = `${reasonOf(answer)}; but no record with this key can be read`;
        throw new Refused({ kind: "ambiguous", reason });
      }
      key = found.key;
    }
    throw permanent(`records with the key ${making.key.slice(0, 12)} were deleted ${mostGenerations} times`);
  }

  return {
    refOf: (object, { id, adopted, note, ours }) => ({
      id,
      url: `${baseUrl.replace(/\/+$/, "")}/lightning/r/${object}/${id}/view`,
      adopted,
      ...(note === undefined ? {} : { note }),
      ...(ours === undefined ? {} : { ours }),
    }),
    byKey,
    make,
    get,
    async change(object, seen, body) {
      const at =
        typeof seen.LastModifiedDate === "string"
          ? Date.parse(seen.LastModifiedDate.replace("+0000", "Z"))
          : Number.NaN;
      const headers: Record<string, string> = Number.isNaN(at)
        ? {}
        : { "if-unmodified-since": new Date(at).toUTCString() };
      const request = {
        method: "PATCH",
        path: paths.record(object, seen.Id),
        object: metricName(object),
        headers,
        body,
      } as const;
      const answer = await api.call(request, true, isGone);
      if (isKeyTaken(answer)) {
        const reason = `${reasonOf(answer)}; our key is on another record already`;
        throw new Refused({ kind: "ambiguous", reason });
      }
      return !isGone(answer);
    },
    async remove(object, id) {
      // What is gone is what was asked for.
      await api.call({ method: "DELETE", path: paths.record(object, id), object: metricName(object) }, true, isGone);
    },
  };
}

export const isGone = (answer: WireResponse): boolean => answer.status === 404 || isCode(answer, "ENTITY_IS_DELETED");

/** A field of ours is no longer there; but for the key, a record can do without it. */
function namesOwnField(whole: WireResponse): boolean {
  const answer = deciding(whole);
  if (answer.status !== 400 || !(isCode(answer, "INVALID_FIELD") || isCode(answer, "INVALID_FIELD_FOR_INSERT_UPDATE")))
    return false;
  return ownField.test(reasonOf(answer));
}
