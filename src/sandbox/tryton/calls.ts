/** Which call is which: methods of Tryton's JSON-RPC by name, with their parameters in order and the context last. */
import { search } from "./domain.ts";
import { keyError, Page, typeError, userError } from "./reply.ts";
import { fieldsOf, modelOf, shown, type World } from "./world.ts";
import { create, existing, listIn, objectIn, press, remove, unchanged, write } from "./writing.ts";

export interface Call {
  /** `note.create`. */
  readonly route: string;
  run(): unknown;
}

const methods = [
  "search",
  "search_read",
  "search_count",
  "read",
  "create",
  "write",
  "delete",
  "fields_get",
  "cancel",
  "lost",
  "opportunity",
  "lead",
] as const;
type Method = (typeof methods)[number];
const buttons: Partial<Record<Method, string>> = {
  cancel: "cancelled",
  lost: "lost",
  opportunity: "opportunity",
  lead: "lead",
};
/** What needs which right. */
const needs: Partial<Record<Method, "create" | "write" | "delete">> = {
  create: "create",
  write: "write",
  delete: "delete",
};

/** Of a method that is no model's: undefined. */
export function callOf(world: World, method: string, params: readonly unknown[]): Call {
  const [type, ...rest] = method.split(".");
  const name = rest.slice(0, -1).join(".");
  const last = rest.at(-1) ?? "";
  if (type !== "model") return { route: "unknown.call", run: () => forbidden() };
  if (name === "res.user" && last === "get_preferences")
    return { route: "user.get_preferences", run: () => preferences(world) };
  if (name === "ir.model.access" && last === "get_access")
    return { route: "access.get_access", run: () => access(world, params) };
  const known = methods.find((one) => one === last);
  const route = routeOf(world, name);
  if (known === undefined || (buttons[known] !== undefined && name !== "sale.opportunity"))
    return { route: `${route}.${last}`, run: () => notOffered(world, name) };
  return { route: `${route}.${last}`, run: () => carriedOut(world, name, known, params) };
}

function routeOf(world: World, name: string): string {
  try {
    return modelOf(world, name).route;
  } catch {
    return "unknown";
  }
}

/** What a model does not offer to callers is a page of the web server's. */
function forbidden(): never {
  throw new Page(403);
}

function notOffered(world: World, model: string): never {
  modelOf(world, model);
  return forbidden();
}

const isForbidden = ({ options }: World, model: string, right: string): boolean =>
  options.forbidden.includes(`${model} ${right}`);

function carriedOut(world: World, model: string, method: Method, params: readonly unknown[]): unknown {
  const known = modelOf(world, model);
  const right = needs[method];
  if ((right !== undefined && isForbidden(world, model, right)) || isForbidden(world, model, "read"))
    throw userError(`You are not allowed to access "${known.label}".`);
  const context = objectIn(params.at(-1));
  unchanged(world, context._timestamp);
  const own = params.slice(0, -1);
  switch (method) {
    case "search":
      return page(world, model, own, context).map(({ id }) => id);
    case "search_count":
      return search(world, model, own[0], context).length;
    case "search_read": {
      const names = listIn(own[4]).map(String);
      return page(world, model, own, context).map((row) => shown(world, model, row, names));
    }
    case "read": {
      const names = listIn(own[1]).map(String);
      return existing(world, model, own[0], "read").map((row) => shown(world, model, row, names));
    }
    case "create":
      return listIn(own[0]).map((values) => create(world, model, values));
    case "write":
      if (own.length !== 2) throw typeError("the sandbox writes one list of records at a time");
      return write(world, model, own[0], own[1]);
    case "delete":
      return remove(world, model, own[0]);
    case "fields_get":
      return fieldsGet(world, model, own[0]);
    case "cancel":
    case "lost":
    case "opportunity":
    case "lead":
      return press(world, model, buttons[method] ?? "", own[0]);
    default:
      return method satisfies never;
  }
}

/** Domain, offset, limit and order: the sandbox orders by number alone. */
function page(
  world: World,
  model: string,
  [domain, offset, limit, order]: readonly unknown[],
  context: Readonly<Record<string, unknown>>,
) {
  const rows = search(world, model, domain, context).sort((a, b) => a.id - b.id);
  for (const [name, way] of (order == null ? [] : listIn(order)).map(listIn)) {
    if (name !== "id") throw keyError(`the sandbox does not order by ${String(name)}`);
    if (way === "DESC") rows.reverse();
  }
  const start = typeof offset === "number" ? offset : 0;
  return rows.slice(start, typeof limit === "number" ? start + limit : undefined);
}

function fieldsGet(world: World, model: string, given: unknown): unknown {
  const names = listIn(given);
  const all = [...fieldsOf(modelOf(world, model))].filter(([name]) => name !== "_timestamp");
  const wanted = names.length === 0 ? all : all.filter(([name]) => names.includes(name));
  return Object.fromEntries(
    wanted.map(([name, { label, type, readonly = false }]) => [name, { name, string: label, type, readonly }]),
  );
}

const preferences = ({ options }: World) => ({
  company_filter: "one",
  language: "en",
  language_direction: "ltr",
  ...(options.company === null ? {} : { company: options.company }),
  ...(options.employee === null ? {} : { employee: options.employee }),
});

function access(world: World, [models]: readonly unknown[]): unknown {
  const rights = ["read", "write", "create", "delete"];
  return Object.fromEntries(
    listIn(models).map((model) => [
      model,
      Object.fromEntries(rights.map((right) => [right, !isForbidden(world, String(model), right)])),
    ]),
  );
}
