/** What a record looks like now, in words to compare: its own fields, those that people write by hand, those a mapping wrote, and what stands on it. */
import type { Session, Snapshot } from "../../model/destination.ts";
import type { StepKind } from "../../model/step.ts";
import type { Account } from "./account.ts";
import type { Api, ObjectName, PipedriveRecord, Query } from "./api.ts";
import { allOf } from "./lists.ts";
import { objectOf, type Records } from "./records.ts";
import { isField } from "./wishes.ts";

type Words = Record<string, string | null>;

const wordOf = (value: unknown): string | null =>
  value === null || value === undefined ? null : typeof value === "string" ? value : JSON.stringify(value);

/** Beside what find and put look at: what people write by hand. */
function fieldsOf(object: ObjectName, record: PipedriveRecord): Words {
  const owner = { owner_id: wordOf(record.owner_id) };
  switch (object) {
    case "persons": {
      const emails = (record.emails ?? []).flatMap(({ value }) => (value == null || value === "" ? [] : [value]));
      return { name: wordOf(record.name), email: emails[0] ?? null, emails: emails.join(", "), ...owner };
    }
    case "organizations":
      return { name: wordOf(record.name), website: wordOf(record.website), ...owner };
    case "deals":
      return {
        title: wordOf(record.title),
        pipeline_id: wordOf(record.pipeline_id),
        stage_id: wordOf(record.stage_id),
        status: wordOf(record.status),
        value: wordOf(record.value),
        currency: wordOf(record.currency),
        ...owner,
      };
    case "activities":
      return {
        subject: wordOf(record.subject),
        type: wordOf(record.type),
        done: wordOf(record.done),
        due_date: wordOf(record.due_date),
        due_time: wordOf(record.due_time),
        note: wordOf(record.note),
        ...owner,
      };
    default:
      return object satisfies never;
  }
}

const kinds: Readonly<Record<ObjectName, StepKind>> = {
  persons: "person",
  organizations: "company",
  deals: "deal",
  activities: "activity",
};

/** Whose lists show what stands on a record. */
const standsOn: Readonly<Record<ObjectName, readonly (readonly [ObjectName, string])[]>> = {
  persons: [
    ["deals", "person_id"],
    ["activities", "person_id"],
  ],
  organizations: [
    ["persons", "org_id"],
    ["deals", "org_id"],
    ["activities", "org_id"],
  ],
  deals: [["activities", "deal_id"]],
  activities: [],
};

function ownLinks(object: ObjectName, record: PipedriveRecord): string[] {
  const persons =
    object === "activities" ? (record.participants ?? []).map(({ person_id }) => person_id) : [record.person_id];
  const named: readonly (readonly [StepKind, number | null | undefined])[] = [
    ...persons.map((id) => ["person", id] as const),
    ["company", record.org_id],
    ["deal", record.deal_id],
  ];
  return named.flatMap(([kind, id]) => (id == null ? [] : [`${kind}:${id}`]));
}

export function openSnapshots(api: Api, account: Account, records: Records): Session["read"] {
  async function custom(object: ObjectName, record: PipedriveRecord, names: readonly string[]): Promise<Words> {
    if (names.length === 0 || object === "activities") return {};
    const all = await account.fields(object);
    const found = names.map((name) => {
      const code = all.find((field) => isField(field, name))?.code;
      return [name, code === undefined ? null : wordOf(record.custom_fields?.[code])] as const;
    });
    return Object.fromEntries(found);
  }

  async function links(object: ObjectName, record: PipedriveRecord): Promise<string[]> {
    const found = ownLinks(object, record);
    for (const [list, name] of standsOn[object]) {
      const query: Query = { [name]: String(record.id) };
      for (const { id } of await allOf(api, list, query)) found.push(`${kinds[list]}:${id}`);
    }
    return [...new Set(found)];
  }

  return async (kind, id, whole): Promise<Snapshot | undefined> => {
    const object = objectOf(kind);
    if (object === undefined || !/^\d{1,15}$/.test(id)) return undefined;
    const record = await records.get(object, id);
    if (record === undefined) return undefined;
    const archived = record.is_deleted === true;
    const fields = fieldsOf(object, record);
    if (whole === undefined || archived) return { id: String(record.id), archived, fields };
    const more = await custom(object, record, whole.fields);
    return { id: String(record.id), archived, fields: { ...fields, ...more }, links: await links(object, record) };
  };
}
