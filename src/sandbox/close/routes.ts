/** Which call is which: paths and methods of Close's API under `/api/v1/`, each with its slash at the end. */
import type { Reply } from "../sandbox.ts";
import { createEmail, listsEmail, updateEmail } from "./emails.ts";
import { createContact, createLead, createOpportunity, updateContact, updateLead } from "./records.ts";
import { badRequest, invalid, ok } from "./reply.ts";
import { search } from "./search.ts";
import type { Fields, ObjectName } from "./store.ts";
import { addField, checked, type FieldObject, objectIn, picked, shown, type World } from "./world.ts";

export interface Call {
  /** `emails.create`. */
  readonly route: string;
  run(): Reply;
}

export interface Incoming {
  readonly method: string;
  /** Below `/api/v1/`. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  json(): unknown;
}

const places: readonly (readonly [readonly string[], ObjectName, string])[] = [
  [["lead"], "lead", "leads"],
  [["contact"], "contact", "contacts"],
  [["opportunity"], "opportunity", "opportunities"],
  [["activity", "email"], "email", "emails"],
];
const maxPage = 100;

/** Undefined where there is no such path. */
export function callOf(incoming: Incoming, world: World): Call | undefined {
  const { method, segments } = incoming;
  for (const [path, object, name] of places) {
    if (!path.every((segment, at) => segments[at] === segment)) continue;
    const rest = segments.slice(path.length);
    if (rest.length === 0) return collection(incoming, world, object, name);
    const [id] = rest;
    if (rest.length === 1 && id !== undefined) return single(incoming, world, object, name, id);
  }
  switch (`${method} ${segments.join("/")}`) {
    case "GET me":
      return { route: "me.get", run: () => ok(me(world)) };
    case "GET user":
      return {
        route: "users.list",
        run: () =>
          page(
            world.options.users.map((user) => ({ ...user })),
            incoming.query,
          ),
      };
    case "GET pipeline":
      return { route: "pipelines.list", run: () => ok({ data: world.options.pipelines }) };
    case "POST data/search":
      return { route: "search.search", run: () => search(world, incoming.json()) };
  }
  return customFields(incoming, world);
}

const me = ({ options }: World) => ({
  id: options.users[0]?.id ?? "user_none",
  organizations: [{ id: options.organizationId, name: "Sandbox" }],
});

function collection(
  { method, query, json }: Incoming,
  world: World,
  object: ObjectName,
  name: string,
): Call | undefined {
  if (method === "POST") {
    const creates = { lead: createLead, contact: createContact, opportunity: createOpportunity, email: createEmail };
    return { route: `${name}.create`, run: () => creates[object](world, json()) };
  }
  if (method !== "GET") return undefined;
  return {
    route: `${name}.list`,
    run() {
      const lead = query.get("lead_id");
      const fits =
        object === "email" ? listsEmail(world, query) : (one: Fields) => lead === null || one.lead_id === lead;
      const all = world.store.all(object).map((record) => shown(world, record));
      return page(all.filter(fits), query);
    },
  };
}

function single(
  { method, query, json }: Incoming,
  world: World,
  object: ObjectName,
  name: string,
  id: string,
): Call | undefined {
  switch (method) {
    case "GET":
      return {
        route: `${name}.get`,
        run: () => ok(picked(shown(world, world.store.live(object, id)), query.get("_fields"))),
      };
    case "DELETE":
      return {
        route: `${name}.delete`,
        run() {
          world.store.remove(world.store.live(object, id));
          return ok({});
        },
      };
    case "PUT": {
      const updates = { lead: updateLead, contact: updateContact, email: updateEmail } as const;
      if (object === "opportunity") return undefined;
      return { route: `${name}.update`, run: () => updates[object](world, id, json()) };
    }
    default:
      return undefined;
  }
}

function customFields({ method, segments, query, json }: Incoming, world: World): Call | undefined {
  const [first, object, ...more] = segments;
  if (first !== "custom_field" || more.length > 0) return undefined;
  if (object !== "lead" && object !== "contact" && object !== "opportunity" && object !== "activity") return undefined;
  const known = (): Fields[] => (world.customFields.get(object) ?? []).map((field) => ({ ...field }));
  if (method === "GET") return { route: "custom_fields.list", run: () => page(known(), query) };
  if (method !== "POST") return undefined;
  return { route: "custom_fields.create", run: () => ok(made(world, object, json())) };
}

function made(world: World, object: FieldObject, body: unknown): Fields {
  const { name, type } = checked(world, objectIn(body), object, { name: "text", type: "text", description: "text" });
  if (typeof name !== "string" || type !== "text") throw invalid({ type: "Not a valid choice." });
  return { ...addField(world, object, name, type) };
}

function page(all: readonly Fields[], query: URLSearchParams): Reply {
  const [limit, skip] = [Number(query.get("_limit") ?? maxPage), Number(query.get("_skip") ?? 0)];
  if (!(limit >= 1 && limit <= maxPage) || !(skip >= 0)) throw badRequest(`_limit may be ${maxPage} at most.`);
  const names = query.get("_fields");
  return ok({
    data: all.slice(skip, skip + limit).map((one) => picked(one, names)),
    has_more: skip + limit < all.length,
    total_results: all.length,
  });
}
