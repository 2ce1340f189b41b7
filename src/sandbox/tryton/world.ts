/** What all calls of the sandbox work with: models and fields by name, and a record as a call reads it. */
import type { Clock } from "../../model/ports.ts";
import type { TrytonSandboxOptions } from "./options.ts";
import { keyError } from "./reply.ts";
import { type Field, type ModelSchema, schema } from "./schema.ts";
import type { Row, Store } from "./store.ts";

export interface World {
  readonly options: TrytonSandboxOptions;
  readonly clock: Pick<Clock, "now">;
  readonly store: Store;
  /** Activated ones. */
  readonly modules: Set<string>;
}

export function modelOf({ modules }: World, name: string): ModelSchema {
  const found = new Map(Object.entries(schema)).get(name);
  if (found === undefined || (found.module !== "ir" && !modules.has(found.module))) throw keyError(name);
  return found;
}

const common: Readonly<Record<string, Field>> = {
  id: { label: "ID", type: "integer" },
  rec_name: { label: "Record Name", type: "char", readonly: true },
  create_date: { label: "Created at", type: "timestamp", readonly: true },
  write_date: { label: "Edited at", type: "timestamp", readonly: true },
  _timestamp: { label: "Timestamp", type: "char", readonly: true },
};

export const fieldsOf = (model: ModelSchema): ReadonlyMap<string, Field> =>
  new Map(Object.entries({ ...common, ...model.fields }));

export function fieldOf(world: World, model: string, name: string): Field {
  const field = fieldsOf(modelOf(world, model)).get(name);
  if (field === undefined) throw keyError(name);
  return field;
}

/** Rows of a model; relations are seen from both ends, under numbers of their own. */
export function rowsOf({ store }: World, model: string): Row[] {
  if (model !== "party.relation.all") return store.all(model);
  return store.all("party.relation").flatMap((row) => {
    const there = { ...row, id: row.id * 2 };
    const reverse = store.get("party.relation.type", row.values.type)?.values.reverse;
    if (typeof reverse !== "number") return [there];
    const { from_, to } = row.values;
    return [there, { ...row, id: row.id * 2 + 1, values: { from_: to, to: from_, type: reverse } }];
  });
}

export const rowOf = (world: World, model: string, id: unknown): Row | undefined =>
  model === "party.relation.all" ? rowsOf(world, model).find((row) => row.id === id) : world.store.get(model, id);

/** The value of a plain field, computed ones too. */
export function fieldValue(world: World, model: string, row: Row, name: string): unknown {
  const field = fieldOf(world, model, name);
  switch (name) {
    case "id":
      return row.id;
    case "create_date":
    case "write_date":
      return datetime(row.createdAt);
    case "_timestamp":
      return row.stamp;
    case "rec_name":
      return recordName(world, model, row);
  }
  if (model === "party.party" && ["email", "phone", "mobile", "website"].includes(name))
    return (
      partsOf(world, row, "party.contact_mechanism", "party").find(({ values }) => values.type === name)?.values
        .value ?? ""
    );
  if (field.type === "one2many") return partsOf(world, row, field.model ?? "", field.by ?? "").map(({ id }) => id);
  return row.values[name] ?? (field.type === "boolean" ? false : null);
}

export const partsOf = (world: World, { id }: Row, model: string, by: string): Row[] =>
  rowsOf(world, model).filter(({ values }) => values[by] === id && values.active !== false);

function recordName(world: World, model: string, row: Row): string {
  const { name, code, number, value, party } = row.values;
  if (model === "company.company" || model === "company.employee") {
    const its = world.store.get("party.party", party);
    return its === undefined ? "" : recordName(world, "party.party", its);
  }
  if (model === "party.party") return String(name ?? `[${code}]`);
  return String(number ?? name ?? value ?? row.id);
}

function datetime(at: number): Readonly<Record<string, unknown>> {
  const date = new Date(at);
  return {
    __class__: "datetime",
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    microsecond: date.getUTCMilliseconds() * 1_000,
  };
}

/** As `read` answers it: `party.code` comes as `{"party.": {"id": .., "code": ..}}`. */
export function shown(world: World, model: string, row: Row, fields: readonly string[]): Record<string, unknown> {
  const found = new Map<string, unknown>([["id", row.id]]);
  const below = new Map<string, string[]>();
  for (const name of fields) {
    const [first = "", ...rest] = name.split(".");
    if (rest.length === 0) found.set(name, fieldValue(world, model, row, name));
    else below.set(first, [...(below.get(first) ?? []), rest.join(".")]);
  }
  for (const [name, inner] of below) {
    const field = fieldOf(world, model, name);
    const target = rowOf(world, field.model ?? "", row.values[name]);
    found.set(`${name}.`, target === undefined ? null : shown(world, field.model ?? "", target, inner));
  }
  return Object.fromEntries(found);
}
