/** What the account holds: the primary store, and beside it the search index that shows each change only after a while. */
import type { Clock, Random } from "../../model/ports.ts";
import { type Indexed, indexed } from "../lag.ts";
import { respelled, sanitised } from "./html.ts";
import type { PipedriveSandboxOptions } from "./options.ts";
import { type Fields, type ObjectName, objectNames } from "./schema.ts";

interface Version {
  readonly own: Fields;
  readonly custom: Fields;
  readonly deleted: boolean;
}

export interface SandboxRecord extends Version {
  readonly object: ObjectName;
  readonly id: number;
  readonly addedAt: number;
  readonly updatedAt: number;
}

export interface Lead {
  readonly id: string;
  readonly own: Fields;
  readonly addedAt: number;
}

/** A mail that Pipedrive's own mailbox sync filed. No call of the API makes one. */
export interface MailMessage {
  readonly id: number;
  readonly personId: number;
  readonly subject: string;
  readonly at: number;
}

export interface Store {
  create(object: ObjectName, own: Fields, custom: Fields): SandboxRecord;
  update(record: SandboxRecord, own: Fields, custom: Fields): SandboxRecord;
  remove(record: SandboxRecord): SandboxRecord;
  /** Deleted ones too. */
  get(object: ObjectName, id: number): SandboxRecord | undefined;
  all(object: ObjectName): Iterable<SandboxRecord>;
  /** As the index knows it now; undefined where it has not seen it yet. */
  searchable(record: SandboxRecord): Version | undefined;
  /** A note as it is kept. */
  cleaned(note: string): string;
  /** `persons 101`: what the token's user is not shown. */
  readonly hidden: Set<string>;
  readonly leads: Lead[];
  readonly mails: MailMessage[];
}

export interface StorePorts {
  readonly clock: Pick<Clock, "now">;
  readonly random: Pick<Random, "unit">;
  readonly options: PipedriveSandboxOptions;
}

export function openStore({ clock, random, options }: StorePorts): Store {
  const tables = new Map<ObjectName, Map<number, SandboxRecord>>(objectNames.map((object) => [object, new Map()]));
  const index = new Map<string, Indexed<Version>>();
  const lastIds: Record<ObjectName, number> = { persons: 100, organizations: 500, deals: 2_000, activities: 9_000 };
  const table = (object: ObjectName): Map<number, SandboxRecord> => tables.get(object) ?? new Map();

  function keep(record: SandboxRecord): SandboxRecord {
    table(record.object).set(record.id, record);
    const name = `${record.object} ${record.id}`;
    const entry = index.get(name) ?? indexed<Version>({ clock, random, lagMs: options.searchLagMs });
    index.set(name, entry);
    entry.set(record);
    return record;
  }

  return {
    hidden: new Set(),
    leads: [],
    mails: [],
    cleaned: (note) => (options.respellsNotes ? respelled(sanitised(note)) : sanitised(note)),
    create(object, own, custom) {
      const now = clock.now();
      const id = ++lastIds[object];
      return keep({ object, id, own, custom, deleted: false, addedAt: now, updatedAt: now });
    },
    update: (record, own, custom) =>
      keep({
        ...record,
        own: { ...record.own, ...own },
        custom: { ...record.custom, ...custom },
        updatedAt: clock.now(),
      }),
    remove: (record) => keep({ ...record, deleted: true, updatedAt: clock.now() }),
    get: (object, id) => table(object).get(id),
    all: (object) => table(object).values(),
    searchable: (record) => index.get(`${record.object} ${record.id}`)?.shown(),
  };
}
