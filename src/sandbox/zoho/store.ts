/** The records of the sandbox organisation: a primary store that knows everything at once, and what the index may show of it, later. */
import type { Clock, Random } from "../../model/ports.ts";
import { type Indexed, indexed } from "../lag.ts";
import type { ZohoSandboxOptions } from "./options.ts";
import { RowRefusal, rowError } from "./reply.ts";
import { type ModuleName, moduleNames, type Schema } from "./schema.ts";
import { checkValues } from "./values.ts";

/** A lookup is `{ id }`, all else is text. */
export type Value = string | null | { readonly id: string };
export type Values = Readonly<Record<string, Value>>;

export interface ZohoRecord {
  readonly id: string;
  readonly module: ModuleName;
  values: Values;
  readonly createdAt: number;
  modifiedAt: number;
  /** In the recycle bin since. */
  deletedAt: number | undefined;
  /** A lead that became a contact. */
  converted: boolean;
  /** As the index has it, which lags. */
  readonly index: Indexed<Values>;
  /** Contacts with a role in this deal, besides the one that it names. */
  readonly roles: Set<string>;
}

export interface Store {
  all(module: ModuleName): IterableIterator<ZohoRecord>;
  get(module: ModuleName, id: string): ZohoRecord | undefined;
  live(module: ModuleName, id: string): ZohoRecord | undefined;
  /** Validates, then commits. `at`: the row, for the words of a refusal. */
  create(module: ModuleName, given: Readonly<Record<string, unknown>>, at: number): ZohoRecord;
  update(record: ZohoRecord, given: Readonly<Record<string, unknown>>, at: number): void;
  /** By a unique field, or by those of the system that upsert knows. */
  holder(module: ModuleName, field: string, value: string): ZohoRecord | undefined;
  remove(record: ZohoRecord): void;
  /** What the index shows: perhaps an older state, perhaps nothing yet. */
  searchable(record: ZohoRecord): Values | undefined;
  /** Ids of what the user of the grant is not shown. */
  readonly hidden: Set<string>;
  /** A workflow ran, because a call did not suppress it. */
  readonly workflows: string[];
}

export interface StorePorts {
  readonly clock: Pick<Clock, "now">;
  readonly random: Pick<Random, "unit">;
  readonly options: ZohoSandboxOptions;
  readonly schema: Schema;
}

/** 19 digits: beyond what a double can count. */
const firstId = 3_652_397_000_000_649_000n;

export function openStore({ clock, random, options, schema }: StorePorts): Store {
  const tables = new Map<ModuleName, Map<string, ZohoRecord>>(moduleNames.map((name) => [name, new Map()]));
  const table = (module: ModuleName) => tables.get(module) ?? new Map<string, ZohoRecord>();
  /** `Contacts.Mailwright_Key:0f...` -> record id. */
  const unique = new Map<string, string>();
  let lastId = firstId;

  const keysOf = (module: ModuleName, values: Values): [name: string, key: string][] =>
    Object.entries(values).flatMap(([name, value]): [string, string][] =>
      typeof value === "string" && value !== "" && schema.field(module, name)?.unique === true
        ? [[name, `${module}.${name}:${value.toLowerCase()}`]]
        : [],
    );

  function refuseTaken(module: ModuleName, values: Values, own: string | undefined, at: number): void {
    for (const [name, key] of keysOf(module, values)) {
      const id = unique.get(key);
      if (id === undefined || id === own) continue;
      const owner = { name: "Sam Admin", id: "3652397000000281001" };
      const names = options.duplicateNamesId
        ? { id, duplicate_record: { id, Owner: owner, module: { api_name: module } }, more_records: false }
        : {};
      const details = { api_name: name, json_path: `$.data[${at}].${name}`, ...names };
      throw new RowRefusal(rowError("DUPLICATE_DATA", "duplicate data", details));
    }
  }

  const store: Store = {
    hidden: new Set(),
    workflows: [],
    all: (module) => table(module).values(),
    get: (module, id) => table(module).get(id),
    live(module, id) {
      const found = table(module).get(id);
      return found?.deletedAt === undefined ? found : undefined;
    },
    create(module, given, at) {
      const values = checkValues({ module, given, at, whole: true, schema, options, store });
      refuseTaken(module, values, undefined, at);
      lastId += 1n + BigInt(Math.floor(random.unit() * 9));
      const now = clock.now();
      const record: ZohoRecord = {
        id: String(lastId),
        module,
        values,
        createdAt: now,
        modifiedAt: now,
        deletedAt: undefined,
        converted: false,
        index: indexed({ clock, random, lagMs: options.searchLagMs }),
        roles: new Set(),
      };
      record.index.set(values);
      table(module).set(record.id, record);
      for (const [, key] of keysOf(module, values)) unique.set(key, record.id);
      return record;
    },
    update(record, given, at) {
      const { module } = record;
      const values = checkValues({ module, given, at, whole: false, schema, options, store });
      refuseTaken(module, values, record.id, at);
      for (const [, key] of keysOf(module, record.values)) unique.delete(key);
      record.values = { ...record.values, ...values };
      for (const [, key] of keysOf(module, record.values)) unique.set(key, record.id);
      record.index.set(record.values);
      record.modifiedAt = clock.now();
    },
    holder(module, field, value) {
      const known = unique.get(`${module}.${field}:${value.toLowerCase()}`);
      if (known !== undefined) return store.live(module, known);
      for (const record of table(module).values()) {
        const held = record.values[field];
        if (record.deletedAt === undefined && typeof held === "string" && held.toLowerCase() === value.toLowerCase())
          return record;
      }
      return undefined;
    },
    remove(record) {
      record.deletedAt ??= clock.now();
      for (const [, key] of keysOf(record.module, record.values)) unique.delete(key);
    },
    searchable: (record) => record.index.shown(),
  };
  return store;
}
