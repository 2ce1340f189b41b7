/** Reading and writing records, one by one and in batches. */

import type { HubspotSandboxOptions } from "./options.ts";
import { empty, ok, Refusal, type Reply, validation } from "./reply.ts";
import { checkValues, fields, type ObjectName, type Schema } from "./schema.ts";
import type { SandboxRecord, Store } from "./store.ts";

export interface World {
  readonly store: Store;
  readonly schema: Schema;
  readonly options: HubspotSandboxOptions;
}

const maxBatch = 100;

/** A record as an answer shows it: ids and values are strings, and only the properties asked for (or written) appear. */
export function shown(
  record: SandboxRecord,
  properties: readonly string[],
  values: Record<string, string> = record.properties,
): object {
  const picked: Record<string, string | null> = { hs_object_id: record.id };
  for (const name of properties) picked[name] = values[name] ?? null;
  return {
    id: record.id,
    properties: picked,
    createdAt: new Date(record.createdAt).toISOString(),
    updatedAt: new Date(record.updatedAt).toISOString(),
    archived: record.archived,
  };
}

/** Only unique properties identify a record. */
function checkIdProperty(world: World, object: ObjectName, name: string | null): void {
  if (name === null || (object === "contacts" && name === "email")) return;
  if (world.schema.property(object, name)?.hasUniqueValue !== true) {
    throw validation(`Unable to perform update/upsert by non-unique property ${name}`);
  }
}

export function getOne(world: World, object: ObjectName, id: string, query: URLSearchParams): Reply {
  const idProperty = query.get("idProperty");
  checkIdProperty(world, object, idProperty);
  const archived = query.get("archived") === "true";
  const record = world.store.get(object, id, idProperty);
  if (record === undefined || record.archived !== archived) return ok404(object);
  const asked = (query.get("properties") ?? "").split(",").filter((name) => name !== "");
  return ok(200, shown(record, asked));
}

export function listSome(world: World, object: ObjectName, query: URLSearchParams): Reply {
  const limit = Math.min(Number(query.get("limit") ?? 10) || 10, 100);
  const results: object[] = [];
  for (const record of world.store.all(object)) {
    if (results.length >= limit) break;
    if (!record.archived) results.push(shown(record, []));
  }
  return ok(200, { results });
}

const ok404 = (object: ObjectName): Reply => {
  throw new Refusal(404, { message: `Object not found (${object}).`, category: "OBJECT_NOT_FOUND" });
};

export function createOne(world: World, object: ObjectName, body: unknown): Reply {
  const record = world.store.create(object, body);
  if (object === "contacts" && world.options.autoCompany) makeCompany(world, record);
  return ok(201, shown(record, Object.keys(fields(fields(body).properties))));
}

/** HubSpot's own doing: a company from the domain of a contact's address. */
export function makeCompany({ store }: World, contact: SandboxRecord): SandboxRecord | undefined {
  const domain = contact.properties.email?.split("@")[1];
  if (domain === undefined) return undefined;
  const known = [...store.all("companies")].find(
    (company) => !company.archived && company.properties.domain === domain,
  );
  const company = known ?? store.createWith("companies", { name: domain, domain }, []);
  store.link(contact, company, 279);
  return company;
}

export function updateOne(world: World, object: ObjectName, id: string, query: URLSearchParams, body: unknown): Reply {
  const idProperty = query.get("idProperty");
  checkIdProperty(world, object, idProperty);
  if (fields(body).properties === undefined) throw validation("Invalid input JSON: properties is required");
  const properties = checkValues(object, fields(body).properties, world.schema, world.options);
  const record = world.store.live(object, id, idProperty);
  world.store.update(record, properties);
  return ok(200, shown(record, Object.keys(properties)));
}

/** 204 also for what never was. */
export function archiveOne({ store }: World, object: ObjectName, id: string): Reply {
  const record = store.get(object, id, null);
  if (record !== undefined) store.archive(record);
  return empty(204);
}

interface Item {
  readonly input: Record<string, unknown>;
  readonly trace: string | undefined;
}

export function batch(world: World, object: ObjectName, action: string, body: unknown): Reply {
  const given = fields(body);
  if (!Array.isArray(given.inputs)) throw validation("Invalid input JSON: inputs is required");
  if (given.inputs.length > maxBatch)
    throw validation(`The maximum number of inputs supported in a batch request is ${maxBatch}`);
  const items = given.inputs.map((input): Item => {
    const one = fields(input);
    return { input: one, trace: typeof one.objectWriteTraceId === "string" ? one.objectWriteTraceId : undefined };
  });
  refuseRepeats(items, given);
  switch (action) {
    case "read":
      return batchRead(world, object, given, items);
    case "archive":
      for (const { input } of items) archiveOne(world, object, String(input.id));
      return empty(204);
    case "create":
      return each(world, items, 201, (input) =>
        shown(world.store.create(object, { associations: [], ...input }), Object.keys(fields(input.properties))),
      );
    case "update":
      return each(world, items, 200, (input) => updateInput(world, object, input));
    case "upsert":
      return each(world, items, 200, (input) => upsertInput(world, object, input));
    default:
      throw new Refusal(404, { message: "resource not found" });
  }
}

function refuseRepeats(items: readonly Item[], given: Record<string, unknown>): void {
  const ids = items.map(({ input }) => input.id).filter((id) => typeof id === "string");
  if (new Set(ids).size < ids.length)
    throw validation(`Duplicate IDs found in batch input (${String(given.idProperty ?? "id")})`);
}

function updateInput(world: World, object: ObjectName, input: Record<string, unknown>): object {
  if (
    input.idProperty !== undefined &&
    typeof input.id === "string" &&
    world.store.get(object, input.id, null) !== undefined
  ) {
    throw validation("idProperty must not be given with a record id");
  }
  const idProperty = typeof input.idProperty === "string" ? input.idProperty : null;
  checkIdProperty(world, object, idProperty);
  const properties = checkValues(object, input.properties, world.schema, world.options);
  const record = world.store.live(object, String(input.id), idProperty);
  world.store.update(record, properties);
  return shown(record, Object.keys(properties));
}

/** Overwrites what is there, and takes no associations: why it is the wrong verb for a retry. */
function upsertInput(world: World, object: ObjectName, input: Record<string, unknown>): object {
  if (input.associations !== undefined) throw validation("associations are not supported by upsert");
  if (typeof input.idProperty !== "string") throw validation("idProperty is required");
  checkIdProperty(world, object, input.idProperty);
  const properties = checkValues(object, input.properties, world.schema, world.options);
  const found = world.store.get(object, String(input.id), input.idProperty);
  if (found !== undefined && !found.archived) {
    world.store.update(found, properties);
    return { ...shown(found, Object.keys(properties)), new: false };
  }
  const made = world.store.create(object, {
    properties: { ...properties, [input.idProperty]: String(input.id) },
    associations: [],
  });
  return { ...shown(made, Object.keys(properties)), new: true };
}

function batchRead(world: World, object: ObjectName, given: Record<string, unknown>, items: readonly Item[]): Reply {
  const idProperty = typeof given.idProperty === "string" ? given.idProperty : null;
  checkIdProperty(world, object, idProperty);
  if (!Array.isArray(given.properties) || !Array.isArray(given.propertiesWithHistory)) {
    throw validation("Invalid input JSON: properties and propertiesWithHistory are required");
  }
  const names = given.properties.filter((name) => typeof name === "string");
  const results: object[] = [];
  const missing: string[] = [];
  for (const { input } of items) {
    const record = world.store.get(object, String(input.id), idProperty);
    if (record === undefined || record.archived) missing.push(String(input.id));
    else results.push(shown(record, names));
  }
  const status = { status: "COMPLETE", results };
  if (missing.length === 0) return ok(200, status);
  const errors = [
    { status: "error", category: "OBJECT_NOT_FOUND", message: "Could not get some objects", context: { ids: missing } },
  ];
  return ok(207, { ...status, numErrors: 1, errors });
}

/** With a trace id on every input each stands for itself (207); without, the first fault undoes all, and alone is named. */
function each(
  world: World,
  items: readonly Item[],
  status: number,
  write: (input: Record<string, unknown>) => object,
): Reply {
  if (!items.every(({ trace }) => trace !== undefined)) {
    const results = world.store.atomically(() => items.map(({ input }) => write(untraced(input))));
    return ok(status, { status: "COMPLETE", results });
  }
  const results: object[] = [];
  const errors: object[] = [];
  for (const { input, trace } of items) {
    try {
      results.push({ ...write(untraced(input)), objectWriteTraceId: trace });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      errors.push(itemError(error, trace));
    }
  }
  if (errors.length === 0) return ok(status, { status: "COMPLETE", results });
  return ok(207, { status: "COMPLETE", results, numErrors: errors.length, errors });
}

function untraced({ objectWriteTraceId: _trace, ...input }: Record<string, unknown>): Record<string, unknown> {
  return input;
}

function itemError({ message, parts }: Refusal, trace: string | undefined): object {
  const existing = parts.context?.existingId?.[0] ?? /Existing ID: (\d+)/.exec(message)?.[1];
  const context = { objectWriteTraceId: [trace], ...(existing === undefined ? {} : { existingId: [existing] }) };
  return { status: "error", category: parts.category ?? "VALIDATION_ERROR", message, context };
}
