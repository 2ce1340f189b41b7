/** The records of the sandbox organization: a store that knows everything at once, and an index that search looks at, which lags. */
import type { Clock, Random } from "../../model/ports.ts";
import { type Indexed, indexed } from "../lag.ts";
import type { CloseSandboxOptions } from "./options.ts";
import { notFound } from "./reply.ts";

export const objects = ["lead", "contact", "opportunity", "email"] as const;
export type ObjectName = (typeof objects)[number];
const prefixes = { lead: "lead_", contact: "cont_", opportunity: "oppo_", email: "acti_" } as const;

export type Fields = Record<string, unknown>;
export interface SandboxRecord {
  readonly id: string;
  readonly object: ObjectName;
  readonly createdAt: number;
  fields: Fields;
}

export interface Store {
  /** Live ones, the newest first. */
  all(object: ObjectName): SandboxRecord[];
  get(object: ObjectName, id: string): SandboxRecord | undefined;
  live(object: ObjectName, id: string): SandboxRecord;
  create(object: ObjectName, fields: Fields): SandboxRecord;
  update(record: SandboxRecord, fields: Fields): void;
  /** A lead takes everything that stands on it with it. */
  remove(record: SandboxRecord): void;
  /** What stands on the loser stands on the survivor from now on. */
  merge(survivor: SandboxRecord, loser: SandboxRecord): void;
  /** As search shows them. */
  searchable(object: ObjectName): SandboxRecord[];
}

export interface StorePorts {
  readonly clock: Pick<Clock, "now">;
  readonly random: Pick<Random, "unit">;
  readonly options: CloseSandboxOptions;
}

export function openStore({ clock, random, options }: StorePorts): Store {
  const tables = new Map<ObjectName, Map<string, SandboxRecord>>(objects.map((name) => [name, new Map()]));
  const index = new Map<string, Indexed<SandboxRecord | null>>();
  const merged = new Map<string, string>();
  let made = 0;

  const table = (object: ObjectName) => tables.get(object) ?? new Map<string, SandboxRecord>();
  function show(record: SandboxRecord, gone = false): void {
    const entry = index.get(record.id) ?? indexed({ clock, random, lagMs: options.searchLagMs });
    index.set(record.id, entry);
    entry.set(gone ? null : { ...record, fields: structuredClone(record.fields) });
  }

  const store: Store = {
    all: (object) => [...table(object).values()].reverse(),
    get(object, id) {
      const survivor = options.mergedLead === "survivor" ? merged.get(id) : undefined;
      return table(object).get(survivor ?? id);
    },
    live(object, id) {
      const found = store.get(object, id);
      if (found === undefined) throw notFound();
      return found;
    },
    create(object, fields) {
      const id = `${prefixes[object]}${String(++made).padStart(10, "0")}Sandbox`;
      const record: SandboxRecord = { id, object, createdAt: clock.now(), fields };
      table(object).set(id, record);
      show(record);
      return record;
    },
    update(record, fields) {
      record.fields = { ...record.fields, ...fields };
      show(record);
    },
    remove(record) {
      table(record.object).delete(record.id);
      show(record, true);
      if (record.object !== "lead") return;
      for (const object of objects)
        for (const other of store.all(object)) if (other.fields.lead_id === record.id) store.remove(other);
    },
    merge(survivor, loser) {
      for (const object of objects)
        for (const other of store.all(object))
          if (other.fields.lead_id === loser.id) store.update(other, { lead_id: survivor.id });
      merged.set(loser.id, survivor.id);
      store.remove(loser);
    },
    searchable: (object) =>
      [...index.values()].flatMap((entry) => {
        const record = entry.shown();
        return record != null && record.object === object ? [record] : [];
      }),
  };
  return store;
}
