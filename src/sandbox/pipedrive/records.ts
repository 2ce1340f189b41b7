/** Reading and writing records by version 2: one by one, and in lists that show a write at once. */
import type { Reply } from "../sandbox.ts";
import { invalid, notFound, ok } from "./reply.ts";
import { type Fields, isFields, type ObjectName } from "./schema.ts";
import type { SandboxRecord } from "./store.ts";
import { checkCapping, checkNamed, checkSeen, firstPersonOf, participantsOf, type World } from "./world.ts";

const stamp = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;
const second = (at: number): number => Math.floor(at / 1000) * 1000;

/** As an answer shows it. `only`: the custom fields asked for; all of them where none is named. */
export function shown(world: World, record: SandboxRecord, only?: readonly string[]): object {
  const { object, id, own, custom, addedAt, updatedAt, deleted } = record;
  const times = { add_time: stamp(addedAt), update_time: stamp(updatedAt), is_deleted: deleted };
  const codes = only ?? [...(world.schema.fields.get(object)?.keys() ?? [])];
  const custom_fields = Object.fromEntries(codes.map((code) => [code, custom[code] ?? null]));
  switch (object) {
    case "persons":
      return { id, org_id: null, phones: [], emails: [], label_ids: [], ...own, ...times, custom_fields };
    case "organizations":
      return { id, address: null, website: null, label_ids: [], ...own, ...times, custom_fields };
    case "deals":
      return { id, person_id: null, org_id: null, value: 0, currency: "EUR", ...own, ...times, custom_fields };
    case "activities": {
      const participants = participantsOf(record);
      const links = { deal_id: null, org_id: null, lead_id: null, public_description: null, note: null };
      return { id, ...links, ...own, participants, person_id: firstPersonOf(record), ...times };
    }
    default:
      return object satisfies never;
  }
}

/** What Pipedrive itself puts on a new record. */
function withDefaults(world: World, object: ObjectName, own: Fields, user: number): Fields {
  const owner = { owner_id: user };
  if (object === "deals") {
    const stage =
      world.stages.find(({ id }) => id === own.stage_id) ??
      world.stages.find(({ pipelineId }) => pipelineId === (own.pipeline_id ?? 1));
    return { ...owner, status: "open", ...own, stage_id: stage?.id, pipeline_id: stage?.pipelineId };
  }
  if (object === "activities")
    return { ...owner, subject: "Call", type: world.options.activityTypes[0], done: false, ...asKept(own) };
  return { ...owner, ...primaries(own) };
}

/** Of several addresses the first is the primary one where none says so. */
function primaries(own: Fields): Fields {
  const emails = Array.isArray(own.emails) ? own.emails.filter(isFields) : [];
  if (emails.length === 0 || emails.some(({ primary }) => primary === true)) return own;
  return { ...own, emails: emails.map((email, at) => ({ label: "work", ...email, primary: at === 0 })) };
}

const asKept = (own: Fields): Fields =>
  typeof own.due_time === "string" && own.due_time.length === 5 ? { ...own, due_time: `${own.due_time}:00` } : own;

export function createOne(world: World, object: ObjectName, body: unknown, user: number): Reply {
  const { own, custom } = world.schema.checked(object, body, true);
  checkNamed(world, object, own);
  if (object === "deals") checkCapping(world);
  return ok(shown(world, world.store.create(object, withDefaults(world, object, cleaned(world, own), user), custom)));
}

/** Arrays are replaced whole. */
export function updateOne(world: World, object: ObjectName, id: string, body: unknown): Reply {
  const { own, custom } = world.schema.checked(object, body, false);
  const record = liveOne(world, object, id);
  checkNamed(world, object, own);
  return ok(shown(world, world.store.update(record, asKept(cleaned(world, own)), custom)));
}

const cleaned = (world: World, own: Fields): Fields =>
  typeof own.note === "string" ? { ...own, note: world.store.cleaned(own.note) } : own;

export function liveOne({ store }: World, object: ObjectName, id: string): SandboxRecord {
  checkSeen({ store }, object, Number(id));
  const record = store.get(object, Number(id));
  if (record === undefined || record.deleted) throw notFound(`${singular(object)} not found`);
  return record;
}

const singular = (object: ObjectName): string =>
  object === "activities" ? "Activity" : `${object[0]?.toUpperCase()}${object.slice(1, -1)}`;

export function getOne(world: World, object: ObjectName, id: string, query: URLSearchParams): Reply {
  checkSeen(world, object, Number(id));
  const record = world.store.get(object, Number(id));
  if (record === undefined || (record.deleted && !world.options.readsDeleted))
    throw notFound(`${singular(object)} not found`);
  return ok(shown(world, record, customAsked(query)));
}

export function removeOne(world: World, object: ObjectName, id: string): Reply {
  world.store.remove(liveOne(world, object, id));
  return ok({ id: Number(id) });
}

function customAsked(query: URLSearchParams): string[] | undefined {
  const given = query.get("custom_fields");
  if (given === null) return undefined;
  const codes = given.split(",");
  if (codes.length > 15) throw invalid("Validation failed: custom_fields: at most 15");
  return codes;
}

const sortable: Readonly<Record<ObjectName, readonly string[]>> = {
  persons: ["id", "update_time", "add_time"],
  organizations: ["id", "update_time", "add_time"],
  deals: ["id", "update_time", "add_time"],
  activities: ["id", "update_time", "add_time", "due_date"],
};
const filters: Readonly<Record<ObjectName, readonly string[]>> = {
  persons: ["ids", "owner_id", "org_id", "deal_id"],
  organizations: ["ids", "owner_id"],
  deals: ["ids", "owner_id", "person_id", "org_id", "pipeline_id", "stage_id", "status"],
  activities: ["ids", "owner_id", "deal_id", "lead_id", "person_id", "org_id", "done"],
};
const paging = ["updated_since", "updated_until", "sort_by", "sort_direction", "limit", "cursor", "custom_fields"];

/** Of the primary store: a write is in it at once. */
export function listSome(world: World, object: ObjectName, query: URLSearchParams): Reply {
  for (const name of query.keys())
    if (![...filters[object], ...paging].includes(name)) throw invalid(`Validation failed: ${name}: unrecognized key`);
  const limit = Number(query.get("limit") ?? 100);
  if (!Number.isInteger(limit) || limit < 1 || limit > 500) throw invalid("Validation failed: limit: 1 to 500");
  const by = query.get("sort_by") ?? "id";
  const direction = query.get("sort_direction") ?? "asc";
  if (!sortable[object].includes(by) || !["asc", "desc"].includes(direction))
    throw invalid("Validation failed: sort_by: invalid value");
  const [since, until] = [momentOf(query, "updated_since"), momentOf(query, "updated_until")];
  const found = [...world.store.all(object)].filter(
    (record) =>
      !world.store.hidden.has(`${object} ${record.id}`) &&
      isListed(record, query.get("status")) &&
      second(record.updatedAt) >= (since ?? Number.NEGATIVE_INFINITY) &&
      second(record.updatedAt) < (until ?? Number.POSITIVE_INFINITY) &&
      filters[object].every((name) => fits(world, record, name, query.get(name))),
  );
  const place = (record: SandboxRecord): string => `${rank(record, by)} ${String(record.id).padStart(12, "0")}`;
  const sign = direction === "asc" ? 1 : -1;
  found.sort((a, b) => (place(a) < place(b) ? -sign : sign));
  const after = cursorOf(query);
  const rest =
    after === undefined ? found : found.filter((one) => (sign === 1 ? place(one) > after : place(one) < after));
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  const next_cursor = last === undefined || rest.length <= limit ? null : btoa(place(last));
  const only = customAsked(query);
  return ok(
    page.map((record) => shown(world, record, only)),
    { next_cursor },
  );
}

const isListed = ({ deleted, object }: SandboxRecord, status: string | null): boolean =>
  object === "deals" && status === "deleted" ? deleted : !deleted;

function rank(record: SandboxRecord, by: string): string {
  if (by === "id") return "";
  if (by === "due_date") return String(record.own.due_date ?? "");
  return stamp(by === "add_time" ? record.addedAt : record.updatedAt);
}

/** Without fractions of a second: those are refused, which people learnt by trying. */
function momentOf(query: URLSearchParams, name: string): number | undefined {
  const given = query.get(name);
  if (given === null) return undefined;
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(given))
    throw invalid(`Validation failed: ${name}: invalid datetime`);
  return Date.parse(given);
}

function cursorOf(query: URLSearchParams): string | undefined {
  const given = query.get("cursor");
  if (given === null) return undefined;
  try {
    return atob(given);
  } catch {
    throw invalid("Validation failed: cursor: invalid value");
  }
}

function fits(world: World, record: SandboxRecord, name: string, value: string | null): boolean {
  if (value === null || (name === "status" && value === "deleted")) return true;
  if (name === "ids") return value.split(",").includes(String(record.id));
  if (name === "person_id" && record.object === "activities") {
    const all = participantsOf(record).map(({ person_id }) => person_id);
    const its = world.options.activitiesOf === "participants" ? all : [firstPersonOf(record)];
    return its.map(String).includes(value);
  }
  return String(record.own[name] ?? "") === value;
}
