/** What a test may look at: every record with its fields, and how often each of our keys is there. */
import type { Table } from "../sandbox.ts";
import type { ObjectName } from "./ids.ts";
import type { SalesforceRecord, Store, Values } from "./store.ts";

export interface RecordDump {
  readonly id: string;
  readonly values: Values;
  readonly deleted: boolean;
}

export const dumped = [
  "Contact",
  "Lead",
  "Account",
  "Opportunity",
  "EmailMessage",
  "EmailMessageRelation",
  "OpportunityContactRole",
  "Task",
] as const satisfies readonly ObjectName[];
export type DumpedObject = (typeof dumped)[number];

export interface SalesforceState {
  readonly organizationId: string;
  /** Calls answered or dropped so far. */
  readonly calls: number;
  /** Answers held back now: something was committed whose caller does not know it yet. */
  readonly held: number;
  /** Live records by object. */
  readonly counts: Readonly<Record<DumpedObject, number>>;
  /** How many live records have each key of ours, by object: anything but 1 is a fault of the connector. */
  readonly keys: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly records: Readonly<Record<DumpedObject, readonly RecordDump[]>>;
}

export function stateOf(store: Store, organizationId: string, calls: number, held: number): SalesforceState {
  const keys: Record<string, Record<string, number>> = {};
  const records = {} as Record<DumpedObject, RecordDump[]>;
  const counts = {} as Record<DumpedObject, number>;
  for (const object of dumped) {
    const all = store.all(object);
    records[object] = all.map(({ id, values, deleted }) => ({ id, values: { ...values }, deleted }));
    counts[object] = all.filter(({ deleted }) => !deleted).length;
    keys[object] = tallied(all);
  }
  return { organizationId, calls, held, counts, keys, records };
}

function tallied(records: readonly SalesforceRecord[]): Record<string, number> {
  const tally: Record<string, number> = Object.create(null);
  for (const { values, deleted } of records) {
    const key = values.Mailwright_Key__c;
    if (typeof key === "string" && !deleted) tally[key] = (tally[key] ?? 0) + 1;
  }
  return tally;
}

/** For people: a row for each live record, with what is worth a look. */
export function tablesOf({ records }: SalesforceState): readonly Table[] {
  return dumped.map((name) => ({
    name,
    rows: records[name]
      .filter(({ deleted }) => !deleted)
      .map(({ id, values }) => ({
        Id: id,
        ...Object.fromEntries(
          Object.entries(values).flatMap(([field, value]) =>
            value === null || field === "Headers" ? [] : [[field, String(value)]],
          ),
        ),
      })),
  }));
}
