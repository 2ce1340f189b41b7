/** Which call a path is, what it is allowed to with which scopes, and on which limit it draws. */
import { labels, listAssociations, putDefault, putLabelled, removeAssociation } from "./associations.ts";
import { archiveOne, batch, createOne, getOne, listSome, updateOne, type World } from "./objects.ts";
import { empty, notFound, ok, type Reply } from "./reply.ts";
import { mayUseSchema, type ObjectName, objectNamed, type Property, pipelines } from "./schema.ts";
import { search } from "./search.ts";

export interface Call {
  /** `emails.create`: what fault plans name. */
  readonly route: string;
  readonly scopes: readonly string[];
  readonly limit: "default" | "search" | "exempt";
  /** Does it. Synchronous: a commit is one moment. */
  run(): Reply;
}

export interface Incoming {
  readonly method: string;
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly bodyChars: number;
  /** Parsed when asked for; refuses what is not JSON. */
  json(): unknown;
}

const versions = new Set(["2026-03", "2026-09"]);

/** Undefined when HubSpot has no such path. */
export function callOf(incoming: Incoming, world: World): Call | undefined {
  const { segments } = incoming;
  if (segments[0] === "account-info" && versions.has(segments[1] ?? "")) return accountCall(incoming, world);
  if (segments[0] !== "crm" || !versions.has(segments[2] ?? "")) return undefined;
  const rest = segments.slice(3);
  switch (segments[1]) {
    case "objects":
      return objectCall(incoming, rest, world);
    case "properties":
      return propertyCall(incoming, rest, world);
    case "associations":
      return labelsCall(incoming, rest);
    case "pipelines":
      return read(incoming, "pipelines.list", ["crm.objects.deals.read"], () => ok(200, { results: pipelines }));
    case "owners":
      return read(incoming, "owners.list", ["crm.objects.owners.read"], () =>
        ok(200, { results: [{ id: "1001", email: "owner@example.test" }] }),
      );
    default:
      return undefined;
  }
}

function read({ method }: Incoming, route: string, scopes: readonly string[], run: () => Reply): Call | undefined {
  return method === "GET" ? { route, scopes, limit: "default", run } : undefined;
}

function accountCall(incoming: Incoming, { options }: World): Call | undefined {
  const { portalId, timeZone } = options;
  const details = {
    portalId: Number(portalId),
    timeZone,
    accountType: "DEVELOPER_TEST",
    uiDomain: "app.hubspot.com",
    dataHostingLocation: "na1",
  };
  if (incoming.segments[2] !== "details") return undefined;
  return read(incoming, "account.get", ["oauth"], () => ok(200, details));
}

function labelsCall({ method, segments }: Incoming, [from, to, last]: readonly string[]): Call | undefined {
  const [one, other] = [objectNamed(from ?? ""), objectNamed(to ?? "")];
  if (method !== "GET" || last !== "labels" || one === undefined || other === undefined || segments.length !== 6)
    return undefined;
  return { route: "associations.labels", scopes: [], limit: "exempt", run: () => labels(one, other) };
}

const schemaOwner = (object: ObjectName): string =>
  object === "companies" || object === "deals" ? object : "contacts";

function propertyCall(incoming: Incoming, [name, property]: readonly string[], world: World): Call | undefined {
  const { method } = incoming;
  const object = objectNamed(name ?? "");
  if (object === undefined) return undefined;
  const { schema, options } = world;
  const call = (route: string, access: "read" | "write", run: () => Reply): Call => ({
    route: `properties.${route}`,
    scopes: [`crm.schemas.${schemaOwner(object)}.${access}`],
    limit: "default",
    run: () => {
      mayUseSchema(object, options);
      return run();
    },
  });
  if (property === undefined) {
    if (method === "POST")
      return call("create", "write", () => ok(201, propertyShown(schema.create(object, incoming.json()))));
    return method === "GET"
      ? call("list", "read", () => ok(200, { results: schema.list(object).map(propertyShown) }))
      : undefined;
  }
  if (property === "groups")
    return method === "POST"
      ? call("group", "write", () => ok(201, schema.createGroup(object, incoming.json())))
      : undefined;
  if (method === "DELETE") {
    return call("archive", "write", () => {
      schema.remove(object, property);
      return empty(204);
    });
  }
  if (method !== "GET") return undefined;
  return call("get", "read", () => {
    const found = schema.property(object, property);
    if (found === undefined) throw notFound(`Property with name '${property}' does not exist`);
    return ok(200, propertyShown(found));
  });
}

const propertyShown = ({ readOnly, options, maxChars: _max, ...property }: Property): object => ({
  ...property,
  options: (options ?? []).map((value) => ({ value, label: value })),
  modificationMetadata: { readOnlyValue: readOnly },
});

/** Emails need two scopes at once; notes and tasks go with contacts. */
function scopesOf(object: ObjectName, access: "read" | "write"): string[] {
  switch (object) {
    case "contacts":
    case "companies":
    case "deals":
      return [`crm.objects.${object}.${access}`];
    case "emails":
      return access === "read" ? ["sales-email-read"] : ["crm.objects.contacts.write", "sales-email-read"];
    case "notes":
    case "tasks":
    case "tickets":
      return [`crm.objects.contacts.${access}`];
    default:
      return object satisfies never;
  }
}

function objectCall(incoming: Incoming, [name, id, sub, ...more]: readonly string[], world: World): Call | undefined {
  const { method, query } = incoming;
  const object = objectNamed(name ?? "");
  if (object === undefined) return undefined;
  const call = (operation: string, access: "read" | "write", run: () => Reply): Call => ({
    route: `${object}.${operation}`,
    scopes: scopesOf(object, access),
    limit: operation === "search" ? "search" : "default",
    run,
  });
  if (id === undefined) {
    if (method === "GET") return call("list", "read", () => listSome(world, object, query));
    return method === "POST" ? call("create", "write", () => createOne(world, object, incoming.json())) : undefined;
  }
  if (id === "search" && method === "POST")
    return call("search", "read", () => search(world, object, incoming.json(), incoming.bodyChars));
  if (id === "batch" && sub !== undefined && method === "POST") {
    return call(`batch_${sub}`, sub === "read" ? "read" : "write", () => batch(world, object, sub, incoming.json()));
  }
  if (sub === undefined) {
    switch (method) {
      case "GET":
        return call("get", "read", () => getOne(world, object, id, query));
      case "PATCH":
        return call("update", "write", () => updateOne(world, object, id, query, incoming.json()));
      case "DELETE":
        return call("archive", "write", () => archiveOne(world, object, id));
      default:
        return undefined;
    }
  }
  return sub === "associations" ? associationCall(incoming, object, id, more, world) : undefined;
}

function associationCall(
  incoming: Incoming,
  from: ObjectName,
  id: string,
  path: readonly string[],
  world: World,
): Call | undefined {
  const { method, query } = incoming;
  const isDefault = path[0] === "default";
  const [toName, toId] = isDefault ? path.slice(1) : path;
  const to = objectNamed(toName ?? "");
  if (to === undefined) return undefined;
  const call = (operation: string, access: "read" | "write", run: () => Reply): Call => ({
    route: `${from}.${operation}`,
    scopes: scopesOf(from, access),
    limit: "default",
    run,
  });
  if (toId === undefined)
    return method === "GET" && !isDefault
      ? call("associations", "read", () => listAssociations(world, from, id, to, query))
      : undefined;
  if (method === "PUT") {
    return call("associate", "write", () =>
      isDefault ? putDefault(world, from, id, to, toId) : putLabelled(world, from, id, to, toId, incoming.json()),
    );
  }
  return method === "DELETE"
    ? call("dissociate", "write", () => removeAssociation(world, from, id, to, toId))
    : undefined;
}
