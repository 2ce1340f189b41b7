/** Which call a path is, which scopes it needs, and what it costs. */
import type { Operation } from "./auth.ts";
import { coql, search } from "./coql.ts";
import { associate, linkMails, listMails, readMail } from "./emails.ts";
import { createSome, getOne, listDeleted, listSome, removeOne, updateSome, upsertSome, type World } from "./records.ts";
import { putRole, relatedList, removeRole } from "./related.ts";
import { fieldsOf, ok, type Reply, refused } from "./reply.ts";
import { fieldShown, type ModuleName, moduleNamed, moduleNames } from "./schema.ts";

export interface Call {
  /** `Contacts.create`: what fault plans name. */
  readonly route: string;
  readonly scopes: readonly string[];
  readonly operation: Operation;
  readonly credits: number;
  /** Does it. Synchronous: a commit is one moment. `require`: what only the body tells. */
  run(require: (scopes: readonly string[], operation: Operation) => void): Reply;
}

export interface Incoming {
  readonly method: string;
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  /** Parsed when asked for; refuses what is not JSON. */
  json(): unknown;
}

const version = "v8";
const scopeOf = (module: ModuleName): string => `modules.${module.toLowerCase()}`;

/** Undefined when Zoho has no such path. */
export function callOf(incoming: Incoming, world: World): Call | undefined {
  const { segments, method } = incoming;
  if (segments[0] !== "crm" || segments[1] !== version) return undefined;
  const [first = "", ...rest] = segments.slice(2);
  switch (first) {
    case "org":
      return method === "GET" ? read("org.get", ["org"], () => ok(200, { org: [orgShown(world)] })) : undefined;
    case "users":
      return method === "GET" ? read("users.list", ["users"], () => usersShown(world, incoming.query)) : undefined;
    case "settings":
      return rest[0] === "fields" ? fieldsCall(incoming, rest[1], world) : undefined;
    case "coql":
      if (method !== "POST") return undefined;
      return {
        ...read("coql.query", ["coql"], () => ok(200, {})),
        run: (require) => coql(world, incoming.json(), (module) => require([scopeOf(module)], "READ")),
      };
    default: {
      const module = moduleNamed(first);
      return module === undefined ? undefined : moduleCall(incoming, module, rest, world);
    }
  }
}

const read = (route: string, scopes: readonly string[], run: () => Reply): Call => ({
  route,
  scopes,
  operation: "READ",
  credits: 1,
  run,
});

function orgShown({ options }: World): object {
  const isPaid = options.edition !== "free";
  return {
    id: options.orgId,
    zgid: options.orgId,
    company_name: "Acme Ltd",
    time_zone: "Europe/Berlin",
    license_details: { paid: isPaid, paid_type: options.edition, users_license_purchased: 3 },
  };
}

function usersShown({ options }: World, query: URLSearchParams): Reply {
  const users = options.users.map(({ id, name, email }) => ({ id, full_name: name, email, status: "active" }));
  return ok(200, {
    users,
    info: { per_page: 200, count: users.length, page: Number(query.get("page") ?? 1), more_records: false },
  });
}

function fieldsCall(
  { method, query, json }: Incoming,
  id: string | undefined,
  { schema, options }: World,
): Call | undefined {
  const module = moduleNamed(query.get("module") ?? "");
  const named = (): ModuleName => {
    if (module === undefined) throw refused(400, "INVALID_MODULE", "the module name given seems to be invalid");
    return module;
  };
  if (id === undefined && method === "GET")
    return read("fields.list", ["settings.fields"], () =>
      ok(200, { fields: schema.list(named()).map((field) => fieldShown(field, schema)) }),
    );
  if (id === undefined && method === "POST") {
    return {
      ...read("fields.create", ["settings.fields"], () => {
        const of = named();
        if (!options.fieldsByApi)
          throw refused(403, "NO_PERMISSION", "permission denied", { permissions: ["Crm_Implied_Customize_Field"] });
        const { fields } = fieldsOf(json());
        if (!Array.isArray(fields) || fields.length === 0 || fields.length > 5)
          throw refused(400, "INVALID_DATA", "invalid data", { api_name: "fields" });
        const made = fields.map((field, at) => schema.create(of, fieldsOf(field), at));
        const rows = made.map((one) =>
          "code" in one ? one : { code: "SUCCESS", details: one, message: "field created", status: "success" },
        );
        const bad = made.filter((one) => "code" in one).length;
        return ok(bad === 0 ? 201 : bad < made.length ? 207 : 400, { fields: rows });
      }),
      operation: "CREATE",
    };
  }
  return undefined;
}

function moduleCall(
  incoming: Incoming,
  module: ModuleName,
  [id, sub, ...more]: readonly string[],
  world: World,
): Call | undefined {
  const { method, query, json } = incoming;
  const call = (operation: string, kind: Operation, run: () => Reply, scopes: readonly string[] = []): Call => ({
    route: `${module}.${operation}`,
    scopes: [scopeOf(module), ...scopes],
    operation: kind,
    credits: rowCredits(incoming),
    run,
  });
  if (id === undefined) {
    if (method === "GET") return call("list", "READ", () => listSome(world, module, query));
    if (method === "POST") return call("create", "CREATE", () => createSome(world, module, json()));
    return method === "PUT" ? call("update", "UPDATE", () => updateSome(world, module, json())) : undefined;
  }
  if (sub === undefined) {
    if (id === "upsert")
      return method === "POST" ? call("upsert", "CREATE", () => upsertSome(world, module, json())) : undefined;
    if (id === "search")
      return method === "GET" ? call("search", "READ", () => search(world, module, query)) : undefined;
    if (id === "deleted")
      return method === "GET" ? call("deleted", "READ", () => listDeleted(world, module, query)) : undefined;
    switch (method) {
      case "GET":
        return call("get", "READ", () => getOne(world, module, id, query));
      case "PUT":
        return call("update", "UPDATE", () => updateSome(world, module, json(), id));
      case "DELETE":
        return call("delete", "DELETE", () => removeOne(world, module, id));
      default:
        return undefined;
    }
  }
  return subCall(incoming, module, id, [sub, ...more], world);
}

function subCall(
  incoming: Incoming,
  module: ModuleName,
  id: string,
  path: readonly string[],
  world: World,
): Call | undefined {
  const { method, query, json } = incoming;
  const [sub = "", last] = path;
  const mail = { scopes: [scopeOf(module), "modules.emails"], credits: 1 } as const;
  if (sub === "actions" && last === "associate_email" && method === "POST" && path.length === 2)
    return { ...mail, route: "Emails.create", operation: "CREATE", run: () => associate(world, module, id, json()) };
  if (module === "Contacts" && method === "POST" && path.join("/") === "Emails/actions/link_record") {
    const scopes = [...mail.scopes, scopeOf("Deals")];
    return { ...mail, scopes, route: "Emails.link", operation: "CREATE", run: () => linkMails(world, id, json()) };
  }
  if (sub === "Emails" && method === "GET" && path.length <= 2) {
    const run = (): Reply =>
      last === undefined ? listMails(world, module, id, query) : readMail(world, module, id, last);
    return { ...mail, route: last === undefined ? "Emails.list" : "Emails.get", operation: "READ", run };
  }
  if (module === "Deals" && sub === "Contact_Roles" && last !== undefined && path.length === 2) {
    const role = {
      route: "Deals.roles",
      scopes: [scopeOf("Deals"), scopeOf("Contacts")],
      operation: "UPDATE",
      credits: 1,
    } as const;
    if (method === "PUT") return { ...role, run: () => putRole(world, id, last, json()) };
    return method === "DELETE" ? { ...role, run: () => removeRole(world, id, last) } : undefined;
  }
  const list = method === "GET" && path.length === 1 ? relatedList(world, module, id, sub, query) : undefined;
  return list === undefined
    ? undefined
    : read(`${module}.related`, moduleNames.includes(module) ? [scopeOf(module)] : [], list);
}

/** One credit for every ten rows begun. */
function rowCredits({ method, json }: Incoming): number {
  if (method !== "POST" && method !== "PUT") return 1;
  try {
    const { data } = fieldsOf(json());
    return Array.isArray(data) ? Math.max(1, Math.ceil(data.length / 10)) : 1;
  } catch {
    return 1;
  }
}
