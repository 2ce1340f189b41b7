/** Which call a path is, and the doing of it: records, queries, describe, and composites of them. */
import { type ObjectName, objectNamed } from "./ids.ts";
import type { SalesforceSandboxOptions } from "./options.ts";
import type { Queries } from "./query.ts";
import { bad, empty, notFound, ok, Refusal, type Reply, refusalReply } from "./reply.ts";
import { described, type Schema } from "./schema.ts";
import { type SalesforceRecord, type Saving, type Store, shown } from "./store.ts";

export interface World {
  readonly store: Store;
  readonly schema: Schema;
  readonly queries: Queries;
  readonly options: SalesforceSandboxOptions;
  /** `v67.0`. */
  readonly version: string;
  limits(): { max: number; used: number };
}

export interface Call {
  /** `EmailMessage.create`: what fault plans name. A composite is named by the first record that it makes. */
  readonly route: string;
  /** Does it. Synchronous: a commit is one moment. */
  run(): Reply;
}

export interface Incoming {
  readonly method: string;
  /** Below the version. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  json(): unknown;
}

/** Undefined when Salesforce has no such path. */
export function callOf(incoming: Incoming, world: World): Call | undefined {
  const { method, segments, query } = incoming;
  const [first, ...rest] = segments;
  switch (first) {
    case "sobjects":
      return objectCall(incoming, rest, world);
    case "query":
    case "queryAll": {
      if (method !== "GET") return undefined;
      const [cursor] = rest;
      if (cursor !== undefined) return { route: "query.more", run: () => world.queries.more(cursor) };
      const soql = query.get("q") ?? "";
      const object = world.queries.objectOf(soql) ?? "unknown";
      return { route: `${object}.query`, run: () => world.queries.run(soql, first === "queryAll") };
    }
    case "composite":
      return method === "POST" && rest.length === 0 ? compositeCall(incoming, world) : undefined;
    case "limits":
      return method === "GET" && rest.length === 0 ? { route: "limits.get", run: () => limits(world) } : undefined;
    default:
      return undefined;
  }
}

function limits({ limits: of }: World): Reply {
  const { max, used } = of();
  return ok(200, { DailyApiRequests: { Max: max, Remaining: Math.max(0, max - used) } });
}

function objectCall(incoming: Incoming, [name, id, value]: readonly string[], world: World): Call | undefined {
  const { method } = incoming;
  const object = objectNamed(name ?? "");
  const call = (operation: string, run: () => Reply): Call => ({ route: `${name}.${operation}`, run });
  if (object === undefined || world.schema.fields(object) === undefined) {
    return call("unknown", () => {
      throw notFound();
    });
  }
  const { store } = world;
  const saving: Saving = {
    allowSave: /\ballowSave\s*=\s*true\b/i.test(incoming.headers["sforce-duplicate-rule-header"] ?? ""),
  };
  if (id === undefined) {
    if (method !== "POST") return undefined;
    return call("create", () => {
      const record = store.create(object, bodyOf(incoming), saving);
      return ok(201, { id: record.id, success: true, errors: [] });
    });
  }
  if (id === "describe" && method === "GET") return call("describe", () => describe(object, world));
  if (value !== undefined) return keyedCall(incoming, object, id, value, saving, world);
  switch (method) {
    case "GET":
      return call("get", () => recordReply(store.live(object, id), incoming.query.get("fields"), world));
    case "PATCH":
      return call("update", () => {
        const record = store.live(object, id);
        refuseChanged(record, incoming);
        store.update(record, bodyOf(incoming), saving);
        return empty(204);
      });
    case "DELETE":
      return call("delete", () => {
        store.remove(store.live(object, id));
        return empty(204);
      });
    default:
      return undefined;
  }
}

function bodyOf({ json }: Incoming): Record<string, unknown> {
  const body = json();
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  throw bad("JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body.");
}

/** RFC 9110 §13.1.4: times have whole seconds. */
function refuseChanged({ modifiedAt }: SalesforceRecord, { headers }: Incoming): void {
  const since = headers["if-unmodified-since"];
  if (since === undefined || Number.isNaN(Date.parse(since))) return;
  if (Math.floor(modifiedAt / 1000) <= Date.parse(since) / 1000) return;
  throw new Refusal(412, { message: "The record has been modified", errorCode: "PRECONDITION_FAILED" });
}

/** By an External ID: read, or made or changed, whichever it is. */
function keyedCall(
  incoming: Incoming,
  object: ObjectName,
  fieldName: string,
  value: string,
  saving: Saving,
  world: World,
): Call | undefined {
  const { method } = incoming;
  const { store, schema } = world;
  const call = (operation: string, run: () => Reply): Call => ({ route: `${object}.${operation}`, run });
  const found = (): { field: string; records: SalesforceRecord[] } => {
    const field = schema.field(object, fieldName);
    if (field?.externalId !== true) throw notFound("Provided external ID field does not exist or is not accessible");
    const is = (record: SalesforceRecord): boolean =>
      !record.deleted && String(record.values[field.name] ?? "").toLowerCase() === value.toLowerCase();
    const records = store.all(object).filter(is);
    return { field: field.name, records };
  };
  const many = (records: readonly SalesforceRecord[]): Reply =>
    ok(
      300,
      records.map(({ id }) => `/services/data/${world.version}/sobjects/${object}/${id}`),
    );
  if (method === "GET") {
    return call("getByKey", () => {
      const { records } = found();
      const [only] = records;
      // The documented trap: what ends in .inc is taken for a kind of file.
      if (only === undefined || value.endsWith(".inc")) throw notFound();
      return records.length > 1 ? many(records) : recordReply(only, incoming.query.get("fields"), world);
    });
  }
  if (method !== "PATCH") return undefined;
  return call("upsert", () => {
    const { field, records } = found();
    const [only] = records;
    if (records.length > 1) return many(records);
    if (only !== undefined) {
      store.update(only, bodyOf(incoming), saving);
      return ok(200, { id: only.id, success: true, errors: [], created: false });
    }
    if (incoming.query.get("updateOnly") === "true") throw notFound();
    const record = store.create(object, { ...bodyOf(incoming), [field]: value }, saving);
    return ok(201, { id: record.id, success: true, errors: [], created: true });
  });
}

function recordReply(record: SalesforceRecord, asked: string | null, { schema, version }: World): Reply {
  const { object, id } = record;
  const all = [...(schema.fields(object)?.keys() ?? [])].filter((name) => schema.field(object, name) !== undefined);
  const names = asked === null ? all : asked.split(",").filter((name) => name !== "");
  const shownFields = names.map((name) => {
    const field = schema.field(object, name);
    if (field === undefined) throw bad("INVALID_FIELD", `No such column '${name}' on sobject of type ${object}`);
    return [field.name, shown(record, field.name)] as const;
  });
  const attributes = { type: object, url: `/services/data/${version}/sobjects/${object}/${id}` };
  return ok(200, { attributes, ...Object.fromEntries(shownFields), Id: id });
}

function describe(object: ObjectName, { schema, store, options }: World): Reply {
  const fields = [...(schema.fields(object)?.values() ?? [])].filter(
    ({ name }) => schema.field(object, name) !== undefined,
  );
  const types = store.all("RecordType").map(({ id, values }) => ({
    name: values.Name,
    developerName: values.DeveloperName,
    recordTypeId: id,
    available: true,
    active: true,
    master: values.DeveloperName === "Master",
  }));
  return ok(200, {
    name: object,
    label: object,
    createable: !["User", "OpportunityStage", "Organization", "RecordType"].includes(object),
    queryable: true,
    recordTypeInfos: object === "Opportunity" ? types : [],
    fields: fields.map(described),
    urls: { describe: `/services/data/v67.0/sobjects/${object}/describe` },
    isSandbox: options.isSandbox,
  });
}

interface Part {
  readonly method: string;
  readonly url: string;
  readonly referenceId: string;
  readonly body?: unknown;
  readonly httpHeaders?: Readonly<Record<string, string>>;
}
const mostParts = 25;
const mostQueries = 5;

function compositeCall(incoming: Incoming, world: World): Call {
  let given: { allOrNone?: boolean; compositeRequest?: readonly Part[] } = {};
  let broken: unknown;
  try {
    given = bodyOf(incoming) as typeof given;
  } catch (error) {
    broken = error;
  }
  const parts = Array.isArray(given.compositeRequest) ? given.compositeRequest : [];
  return {
    route: compositeRoute(parts, world),
    run() {
      if (broken !== undefined) throw broken;
      if (parts.length === 0 || parts.length > mostParts) {
        throw bad("LIMIT_EXCEEDED", `The compositeRequest must have 1 to ${mostParts} subrequests`);
      }
      if (parts.filter(({ url }) => /\/query(All)?\?/.test(String(url))).length > mostQueries)
        throw bad("LIMIT_EXCEEDED", `At most ${mostQueries} subrequests may be queries`);
      return ok(200, { compositeResponse: answers(parts, given.allOrNone === true, world) });
    },
  };
}

function compositeRoute(parts: readonly Part[], world: World): string {
  const calls = parts.map((part) => partCall(part, undefined, world)?.route ?? "composite.unknown");
  return calls.find((route) => route.endsWith(".create")) ?? calls[0] ?? "composite.run";
}

function answers(parts: readonly Part[], allOrNone: boolean, world: World): object[] {
  const done: { referenceId: string; reply: Reply }[] = [];
  const results = new Map<string, unknown>();
  let failed: string | undefined;
  const work = (): void => {
    for (const part of parts) {
      const reply = answered(part, results, world);
      done.push({ referenceId: part.referenceId, reply });
      if (reply.status < 300) results.set(part.referenceId, reply.body === "" ? null : JSON.parse(reply.body));
      else if (allOrNone) {
        failed = part.referenceId;
        throw new Undo();
      }
    }
  };
  try {
    if (allOrNone) world.store.atomically(work);
    else work();
  } catch (error) {
    if (!(error instanceof Undo)) throw error;
  }
  return parts.map(({ referenceId }) => {
    const reply = done.find((one) => one.referenceId === referenceId)?.reply;
    const isHalted = failed !== undefined && failed !== referenceId;
    const halted = [
      {
        errorCode: "PROCESSING_HALTED",
        message: "The transaction was rolled back since another operation in the same transaction failed.",
      },
    ];
    if (isHalted || reply === undefined) return { body: halted, httpHeaders: {}, httpStatusCode: 400, referenceId };
    const body: unknown = reply.body === "" ? null : JSON.parse(reply.body);
    return { body, httpHeaders: {}, httpStatusCode: reply.status, referenceId };
  });
}

/** A part failed and the rest is not to stay. */
class Undo extends Error {}

function answered(part: Part, results: ReadonlyMap<string, unknown>, world: World): Reply {
  try {
    const call = partCall(part, results, world);
    if (call === undefined) throw notFound();
    return call.run();
  } catch (error) {
    if (error instanceof Refusal) return refusalReply(error);
    throw error;
  }
}

/** Without `results` nothing is looked up: which call it is can be asked before any part is done. */
function partCall(part: Part, results: ReadonlyMap<string, unknown> | undefined, world: World): Call | undefined {
  const prefix = `/services/data/${world.version}/`;
  const url = String(results === undefined ? part.url : resolved(part.url, results));
  if (!url.startsWith(prefix)) return undefined;
  const { pathname, searchParams } = new URL(url, "http://sandbox.invalid");
  const headers = Object.fromEntries(
    Object.entries(part.httpHeaders ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return callOf(
    {
      method: part.method,
      segments: pathname.slice(prefix.length).split("/").filter(Boolean).map(decodeURIComponent),
      query: searchParams,
      headers,
      json: () => (results === undefined ? part.body : resolved(part.body, results)),
    },
    world,
  );
}

/** `@{em.id}` is what an earlier part answered, wherever it stands in a text; one that nobody answered is refused. */
function resolved(value: unknown, results: ReadonlyMap<string, unknown>): unknown {
  if (typeof value === "string") {
    return value.replace(/@\{([^{}]*)\}/g, (_, inner: string) => {
      const [reference = "", ...path] = inner.split(/[.[\]]+/).filter(Boolean);
      let found: unknown = results.get(reference);
      for (const name of path) found = (found as Record<string, unknown> | null | undefined)?.[name];
      if (path.length > 0 && typeof found === "string") return found;
      throw bad("PROCESSING_HALTED", `Invalid reference specified. No value for ${inner} found in ${reference}`);
    });
  }
  if (Array.isArray(value)) return value.map((item) => resolved(item, results));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, resolved(inner, results)]));
}
