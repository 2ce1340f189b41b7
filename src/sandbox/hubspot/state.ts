/** What a test may look at: every record with its properties and associations, and how often each key is there. */

import type { Table } from "../sandbox.ts";
import { type ObjectName, objectNames } from "./schema.ts";
import type { Store } from "./store.ts";

export interface RecordDump {
  readonly id: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly archived: boolean;
  /** Ids of associated records, by object. */
  readonly associations: Readonly<Record<string, readonly string[]>>;
}

export interface SandboxState {
  readonly portalId: string;
  /** Calls answered or dropped so far. */
  readonly calls: number;
  /** Answers held back now: something was committed whose caller does not know it yet. */
  readonly held: number;
  /** Live records by object. */
  readonly counts: Readonly<Record<ObjectName, number>>;
  /** How many live records have each mailwright_key, by object: anything but 1 is a fault of the connector. */
  readonly keys: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly contacts: readonly RecordDump[];
  readonly companies: readonly RecordDump[];
  readonly deals: readonly RecordDump[];
  readonly emails: readonly RecordDump[];
  readonly notes: readonly RecordDump[];
}

export function stateOf(store: Store, portalId: string, calls: number, held: number): SandboxState {
  const dumps = new Map<ObjectName, RecordDump[]>();
  const keys: Record<string, Record<string, number>> = {};
  for (const object of objectNames) {
    const found: RecordDump[] = [];
    const tally: Record<string, number> = Object.create(null);
    for (const record of store.all(object)) {
      const associations = Object.fromEntries([...record.links].map(([to, ids]) => [to, [...ids.keys()]]));
      found.push({ id: record.id, properties: { ...record.properties }, archived: record.archived, associations });
      const key = record.properties.mailwright_key;
      if (key !== undefined && !record.archived) tally[key] = (tally[key] ?? 0) + 1;
    }
    dumps.set(object, found);
    keys[object] = tally;
  }
  const of = (object: ObjectName): RecordDump[] => dumps.get(object) ?? [];
  const counts = Object.fromEntries(
    objectNames.map((object) => [object, of(object).filter(({ archived }) => !archived).length]),
  );
  return {
    portalId,
    calls,
    held,
    counts: counts as Record<ObjectName, number>,
    keys,
    contacts: of("contacts"),
    companies: of("companies"),
    deals: of("deals"),
    emails: of("emails"),
    notes: of("notes"),
  };
}

/** Live records, for people. */
export const tablesOf = (state: SandboxState): Table[] =>
  (["contacts", "companies", "deals", "emails", "notes"] as const).map((name) => ({
    name,
    rows: state[name]
      .filter(({ archived }) => !archived)
      .map(({ id, properties, associations }) => ({
        id,
        ...properties,
        associations: Object.entries(associations)
          .filter(([, ids]) => ids.length > 0)
          .map(([to, ids]) => `${to} ${ids.join(", ")}`)
          .join("; "),
      })),
  }));
