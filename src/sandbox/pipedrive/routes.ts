/** Which call a path is, what it costs, and who may make it. */
import type { Reply } from "../sandbox.ts";
import { createOne, getOne, listSome, removeOne, updateOne } from "./records.ts";
import { answer, invalid, notFound, ok, Refusal } from "./reply.ts";
import { isFields, type ObjectName, objectNames } from "./schema.ts";
import { searchField, searchPersons } from "./search.ts";
import type { World } from "./world.ts";

export interface Call {
  /** `activities.create`: what fault plans name. */
  readonly route: string;
  /** Tokens. https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting and each operation of the reference. */
  readonly cost: number;
  readonly kind: "default" | "search";
  readonly admin: boolean;
  /** Does it. Synchronous: a commit is one moment. */
  run(user: number): Reply;
}

export interface Incoming {
  readonly method: string;
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  /** Parsed when asked for; refuses what is not JSON. */
  json(): unknown;
}

const call = (route: string, cost: number, run: Call["run"], more: Partial<Call> = {}): Call => ({
  route,
  cost,
  kind: "default",
  admin: false,
  run,
  ...more,
});

/** Undefined when Pipedrive has no such path. */
export function callOf(incoming: Incoming, world: World): Call | undefined {
  const [first, second, ...rest] = incoming.segments;
  if (first === "v1") return versionOne(incoming, second === undefined ? [] : [second, ...rest], world);
  if (first !== "api") return undefined;
  if (second === "v1") return versionOne(incoming, rest, world);
  return second === "v2" ? versionTwo(incoming, rest, world) : undefined;
}

function versionTwo(incoming: Incoming, rest: readonly string[], world: World): Call | undefined {
  const { method, query } = incoming;
  const [name = "", id, more] = rest;
  if (more !== undefined) return undefined;
  const search = { kind: "search" } as const;
  switch (`${method} ${rest.join("/")}`) {
    case "GET persons/search":
      return call("persons.search", 20, () => searchPersons(world, query), search);
    case "GET itemSearch/field":
      return call("items.search", 20, () => searchField(world, query), search);
    case "GET pipelines":
      return call("pipelines.list", 10, () => pipelines(world));
    case "GET stages":
      return call("stages.list", 10, () => stages(world));
    default:
  }
  const fieldsOf = objectNames.find((object) => `${object.replace(/ies$/, "y").replace(/s$/, "")}Fields` === name);
  if (fieldsOf !== undefined) return fieldCall(incoming, fieldsOf, id, world);
  const object = objectNames.find((one) => one === name);
  return object === undefined ? undefined : recordCall(incoming, object, id, world);
}

function recordCall(incoming: Incoming, object: ObjectName, id: string | undefined, world: World): Call | undefined {
  const { method, query } = incoming;
  if (id === undefined) {
    if (method === "GET") return call(`${object}.list`, 10, () => listSome(world, object, query));
    if (method !== "POST") return undefined;
    return call(`${object}.create`, 5, (user) => createOne(world, object, incoming.json(), user));
  }
  if (!/^\d{1,15}$/.test(id)) return undefined;
  switch (method) {
    case "GET":
      return call(`${object}.get`, 1, () => getOne(world, object, id, query));
    case "PATCH":
      return call(`${object}.update`, 5, () => updateOne(world, object, id, incoming.json()));
    case "DELETE":
      return call(`${object}.delete`, 3, () => removeOne(world, object, id));
    default:
      return undefined;
  }
}

function fieldCall(incoming: Incoming, object: ObjectName, code: string | undefined, world: World): Call | undefined {
  const { method, query } = incoming;
  const name = `${object.replace(/ies$/, "y").replace(/s$/, "")}Fields`;
  if (method === "GET" && code === undefined) return call(`${name}.list`, 10, () => listFields(world, object, query));
  if (method === "POST" && code === undefined && object !== "activities")
    return call(`${name}.create`, 5, () => addField(world, object, incoming.json()), { admin: true });
  if (method === "DELETE" && code !== undefined) {
    const run = (): Reply => {
      if (world.schema.fields.get(object)?.delete(code) !== true) throw notFound("Field not found");
      return ok({ field_code: code });
    };
    return call(`${name}.delete`, 3, run, { admin: true });
  }
  return undefined;
}

/** Those of Pipedrive's own that a test may meet, and the account's. */
const standard: Readonly<Record<ObjectName, readonly string[]>> = {
  persons: ["name", "org_id", "owner_id", "label_ids", "add_time", "update_time"],
  organizations: ["name", "website", "owner_id", "add_time", "update_time"],
  deals: ["title", "value", "currency", "stage_id", "status", "person_id", "org_id", "owner_id"],
  activities: ["subject", "type", "due_date", "due_time", "note", "owner_id"],
};

function listFields({ schema }: World, object: ObjectName, query: URLSearchParams): Reply {
  const limit = Number(query.get("limit") ?? 100);
  const start = Number(query.get("cursor") ?? 0);
  if (!(limit >= 1 && limit <= 500)) throw invalid("Validation failed: limit: 1 to 500");
  const own = [...(schema.fields.get(object)?.values() ?? [])].map(({ code, name, type, options }) => ({
    field_code: code,
    field_name: name,
    field_type: type,
    is_custom_field: true,
    is_optional_response_field: false,
    options: options.length === 0 ? null : options,
  }));
  const all = [
    ...standard[object].map((name) => ({
      field_code: name,
      field_name: name,
      field_type: "varchar",
      is_custom_field: false,
      is_optional_response_field: false,
      options: null,
    })),
    ...own,
  ];
  const next_cursor = start + limit < all.length ? String(start + limit) : null;
  return ok(all.slice(start, start + limit), { next_cursor });
}

/** Two fields may have one name: nobody hinders it. */
function addField({ schema }: World, object: ObjectName, body: unknown): Reply {
  if (!isFields(body)) throw invalid("Validation failed: the body must be an object");
  const { field_name, field_type } = body;
  const known = ["field_name", "field_type", "options", "ui_visibility", "important_fields", "required_fields"];
  const extra = Object.keys(body).find((name) => !known.includes(name));
  if (extra !== undefined) throw invalid(`Validation failed: ${extra}: unrecognized key`);
  if (typeof field_name !== "string" || typeof field_type !== "string")
    throw invalid("Validation failed: field_name: Required");
  const { code, name, type } = schema.add(object, field_name, field_type);
  return ok({ field_code: code, field_name: name, field_type: type, is_custom_field: true });
}

const pipelines = ({ options }: World): Reply =>
  ok(
    options.pipelines.map(({ name }, at) => ({ id: at + 1, name, order_nr: at + 1, is_deleted: false })),
    { next_cursor: null },
  );
const stages = ({ stages: all }: World): Reply =>
  ok(
    all.map(({ id, name, pipelineId, order }) => ({
      id,
      name,
      pipeline_id: pipelineId,
      order_nr: order,
      is_deleted: false,
      deal_probability: 100,
    })),
    { next_cursor: null },
  );

/** Out of support since 2026-08-01: persons, organizations, deals and activities of version 1. */
const removed = new Set<string>(objectNames);

function versionOne(incoming: Incoming, rest: readonly string[], world: World): Call | undefined {
  const { method, query } = incoming;
  if (removed.has(rest[0] ?? "")) {
    const run = (): Reply => {
      throw new Refusal(410, { error: "This endpoint is no longer supported, use version 2", errorCode: 410 });
    };
    return call("removed.any", 0, run);
  }
  switch (`${method} ${rest.join("/")}`) {
    case "GET users/me":
      return call("users.me", 2, (user) => me(world, user));
    case "GET users":
      return call("users.list", 20, () => ok(world.options.users.map(shownUser)));
    case "GET activityTypes":
      return call("activityTypes.list", 20, () =>
        ok(
          world.options.activityTypes.map((key_string, at) => ({
            id: at + 1,
            name: key_string,
            key_string,
            active_flag: true,
          })),
        ),
      );
    case "POST leads":
      return call("leads.create", 10, () => addLead(world, incoming.json()));
    case "GET leads": {
      const its = world.store.leads.filter(({ own }) => String(own.person_id) === query.get("person_id"));
      return call("leads.list", 20, () => ok(its.map(({ id, own }) => ({ id, ...own }))));
    }
    default:
      return undefined;
  }
}

const shownUser = ({ id, name, email, isAdmin }: World["options"]["users"][number]) => ({
  id,
  name,
  email,
  active_flag: true,
  is_admin: isAdmin ? 1 : 0,
});

function me({ options }: World, user: number): Reply {
  const found = options.users.find(({ id }) => id === user);
  if (found === undefined) throw notFound("User not found");
  return ok({
    ...shownUser(found),
    company_id: options.companyId,
    company_name: "Acme",
    company_domain: options.companyDomain,
    timezone_name: "Europe/Berlin",
  });
}

const leadFields = new Set(
  "title owner_id label_ids person_id organization_id value expected_close_date visible_to was_seen origin_id channel channel_id".split(
    " ",
  ),
);

function addLead({ store, options }: World, body: unknown): Reply {
  if (!isFields(body)) throw invalid("Validation failed: the body must be an object");
  const extra = Object.keys(body).find((name) => !leadFields.has(name));
  if (extra !== undefined) throw invalid(`Validation failed: ${extra}: unrecognized key`);
  if (typeof body.title !== "string" || body.title === "" || body.title.length > 255)
    throw invalid("Validation failed: title: Required");
  const [person, organization] = [body.person_id, body.organization_id];
  if (typeof person !== "number" && typeof organization !== "number")
    throw invalid("Validation failed: A lead must be linked to a person or an organization");
  if (typeof person === "number" && store.get("persons", person)?.deleted !== false && options.goneTarget === "reject")
    throw invalid("Validation failed: person_id: person was not found");
  const lead = {
    id: `00000000-0000-4000-8000-${String(store.leads.length + 1).padStart(12, "0")}`,
    own: body,
    addedAt: 0,
  };
  store.leads.push(lead);
  return answer(201, { success: true, data: { id: lead.id, ...body } });
}
