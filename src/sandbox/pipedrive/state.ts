/** What a test or a person may look at: every record with its custom fields by name, and how often each key of ours is there. */
import type { Table } from "../sandbox.ts";
import type { Fields, ObjectName } from "./schema.ts";
import type { Lead, MailMessage } from "./store.ts";
import { firstPersonOf, participantsOf, type World } from "./world.ts";

export interface RecordDump {
  readonly id: string;
  readonly deleted: boolean;
  readonly own: Fields;
  /** By the name that people see. */
  readonly custom: Readonly<Record<string, unknown>>;
  /** Ids of the records that it is on, by object. */
  readonly links: Readonly<Record<"persons" | "organizations" | "deals", readonly string[]>>;
}

export interface SandboxState {
  readonly company: string;
  /** Calls answered or dropped so far. */
  readonly calls: number;
  /** Pipedrive's tokens used today. */
  readonly tokens: number;
  /** Answers held back now: something was committed whose caller does not know it yet. */
  readonly held: number;
  readonly counts: Readonly<Record<ObjectName | "leads" | "mails", number>>;
  /** How many live records have each key of ours, by object: anything but 1 is a fault of the connector. */
  readonly keys: Readonly<Record<ObjectName, Readonly<Record<string, number>>>>;
  readonly persons: readonly RecordDump[];
  readonly organizations: readonly RecordDump[];
  readonly deals: readonly RecordDump[];
  readonly activities: readonly RecordDump[];
  readonly leads: readonly Lead[];
  readonly mails: readonly MailMessage[];
}

const ids = (...given: unknown[]): string[] => given.filter((id) => typeof id === "number").map(String);

export function stateOf(world: World, calls: number, tokens: number, held: number): SandboxState {
  const { store, schema, options } = world;
  const dumps = (object: ObjectName): RecordDump[] => {
    const names = schema.fields.get(object) ?? new Map<string, { name: string }>();
    return [...store.all(object)].map((record) => ({
      id: String(record.id),
      deleted: record.deleted,
      own: object === "activities" ? { ...record.own, person_id: firstPersonOf(record) } : record.own,
      custom: Object.fromEntries(
        Object.entries(record.custom).flatMap(([code, value]) => {
          const name = names.get(code)?.name;
          return name === undefined ? [] : [[name, value]];
        }),
      ),
      links: {
        persons:
          object === "activities"
            ? participantsOf(record).map(({ person_id }) => String(person_id))
            : ids(record.own.person_id),
        organizations: ids(record.own.org_id),
        deals: ids(record.own.deal_id),
      },
    }));
  };
  const [persons, organizations, deals, activities] = [
    dumps("persons"),
    dumps("organizations"),
    dumps("deals"),
    dumps("activities"),
  ];
  const live = (all: readonly RecordDump[]): number => all.filter(({ deleted }) => !deleted).length;
  return {
    company: String(options.companyId),
    calls,
    tokens,
    held,
    counts: {
      persons: live(persons),
      organizations: live(organizations),
      deals: live(deals),
      activities: live(activities),
      leads: store.leads.length,
      mails: store.mails.length,
    },
    keys: {
      persons: tally(persons, ({ custom }) => custom["Mailwright key"]),
      organizations: tally(organizations, ({ custom }) => custom["Mailwright key"]),
      deals: tally(deals, ({ custom }) => custom["Mailwright key"]),
      activities: tally(activities, ({ own }) => /\[mw:([0-9a-f]{16})\]\s*$/.exec(String(own.public_description))?.[1]),
    },
    persons,
    organizations,
    deals,
    activities,
    leads: [...store.leads],
    mails: [...store.mails],
  };
}

function tally(all: readonly RecordDump[], keyOf: (record: RecordDump) => unknown): Record<string, number> {
  const found: Record<string, number> = Object.create(null);
  for (const record of all) {
    const key = record.deleted ? undefined : keyOf(record);
    if (typeof key === "string") found[key] = (found[key] ?? 0) + 1;
  }
  return found;
}

const cellOf = (value: unknown): string =>
  value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);

/** What it holds, for people. */
export function tablesOf(world: World): Table[] {
  const state = stateOf(world, 0, 0, 0);
  const of = (name: "persons" | "organizations" | "deals" | "activities"): Table => ({
    name,
    rows: state[name]
      .filter(({ deleted }) => !deleted)
      .map(({ id, own, custom }) => ({
        id,
        ...Object.fromEntries(
          Object.entries({ ...own, ...custom }).map(([field, value]) => [field, cellOf(value)] as const),
        ),
      })),
  });
  return [
    of("persons"),
    of("organizations"),
    of("deals"),
    of("activities"),
    {
      name: "leads",
      rows: state.leads.map(({ id, own }) => ({ id, title: cellOf(own.title), person: cellOf(own.person_id) })),
    },
  ];
}
