/** The records of the sandbox account: a primary store that knows everything at once, and what search may show of it, later. */
import type { Clock, Random } from "../../model/ports.ts";
import type { HubspotSandboxOptions } from "./options.ts";
import { invalidValues, notFound, Refusal, validation } from "./reply.ts";
import { associationTypesOf, checkValues, fields, type ObjectName, objectNames, type Schema } from "./schema.ts";

export interface SandboxRecord {
  readonly id: string;
  readonly object: ObjectName;
  properties: Record<string, string>;
  readonly createdAt: number;
  updatedAt: number;
  archived: boolean;
  /** Associated ids by object, with the association's type. */
  readonly links: Map<ObjectName, Map<string, number>>;
  /** What search shows until `visibleAt`: the state before the last change, or nothing. */
  indexed: { properties: Record<string, string>; archived: boolean } | undefined;
  visibleAt: number;
}

export interface Link {
  readonly object: ObjectName;
  readonly id: string;
  readonly type: number;
}

export interface Store {
  all(object: ObjectName): IterableIterator<SandboxRecord>;
  count(object: ObjectName): number;
  /** By id (a merged contact's old id leads to the survivor) or by a unique property. Archived ones too. */
  get(object: ObjectName, id: string, idProperty: string | null): SandboxRecord | undefined;
  live(object: ObjectName, id: string, idProperty: string | null): SandboxRecord;
  /** Validates all, then commits all. `associations` undefined where the route takes none. */
  create(object: ObjectName, body: unknown): SandboxRecord;
  createWith(object: ObjectName, properties: Record<string, string>, links: readonly Link[]): SandboxRecord;
  update(record: SandboxRecord, properties: Record<string, string>): void;
  archive(record: SandboxRecord): void;
  link(from: SandboxRecord, to: SandboxRecord, type: number): void;
  unlink(from: SandboxRecord, to: SandboxRecord): void;
  merge(survivor: SandboxRecord, loser: SandboxRecord): void;
  /** All or nothing: undoes every write of `work` when it throws. */
  atomically<T>(work: () => T): T;
  /** What search shows of the record now: perhaps an older state, perhaps nothing yet. */
  searchable(record: SandboxRecord): { properties: Record<string, string>; archived: boolean } | undefined;
}

export interface StorePorts {
  readonly clock: Pick<Clock, "now">;
  readonly random: Pick<Random, "unit">;
  readonly options: HubspotSandboxOptions;
  readonly schema: Schema;
}

const firstId = 37_765_000_000;
const maxContactEmails = 100;

export function openStore({ clock, random, options, schema }: StorePorts): Store {
  const tables = new Map<ObjectName, Map<string, SandboxRecord>>(objectNames.map((name) => [name, new Map()]));
  /** `contacts.email:ada@example.test` -> record id. */
  const unique = new Map<string, string>();
  const merged = new Map<string, string>();
  let lastId = firstId;
  /** Undoes the writes since `atomically` began, the last one first. */
  let journal: (() => void)[] | undefined;

  const table = (object: ObjectName) => tables.get(object) ?? new Map<string, SandboxRecord>();
  const indexKey = (object: ObjectName, property: string, value: string) =>
    `${object}.${property}:${property === "email" ? value.trim().toLowerCase() : value}`;

  function emailsOf(properties: Record<string, string>): string[] {
    return [properties.email ?? "", ...(properties.hs_additional_emails ?? "").split(";")]
      .filter((email) => email !== "")
      .slice(0, maxContactEmails);
  }

  function indexKeys(object: ObjectName, properties: Record<string, string>): string[] {
    const keys = object === "contacts" ? emailsOf(properties).map((email) => indexKey(object, "email", email)) : [];
    for (const name in properties) {
      const value = properties[name];
      if (value !== undefined && value !== "" && schema.property(object, name)?.hasUniqueValue === true)
        keys.push(indexKey(object, name, value));
    }
    return keys;
  }

  function refuseTaken(object: ObjectName, properties: Record<string, string>, own: string | undefined): void {
    for (const key of indexKeys(object, properties)) {
      const holder = unique.get(key);
      if (holder === undefined || holder === own) continue;
      if (object === "contacts" && key.startsWith("contacts.email:")) throw contactExists(holder, options);
      const name = key.slice(object.length + 1, key.indexOf(":"));
      throw valueTaken(name, options);
    }
  }

  function touch(record: SandboxRecord): void {
    const now = clock.now();
    if (now >= record.visibleAt) record.indexed = { properties: { ...record.properties }, archived: record.archived };
    record.visibleAt = now + Math.floor(random.unit() * options.searchLagMs);
    record.updatedAt = now;
  }

  function insert(object: ObjectName, properties: Record<string, string>, links: readonly Link[]): SandboxRecord {
    lastId += 1 + Math.floor(random.unit() * 9);
    const now = clock.now();
    const record: SandboxRecord = {
      id: String(lastId),
      object,
      properties: { ...properties, ...derived(object, properties), hs_object_id: String(lastId) },
      createdAt: now,
      updatedAt: now,
      archived: false,
      links: new Map(),
      indexed: undefined,
      visibleAt: now + Math.floor(random.unit() * options.searchLagMs),
    };
    table(object).set(record.id, record);
    for (const key of indexKeys(object, record.properties)) unique.set(key, record.id);
    journal?.push(() => {
      table(object).delete(record.id);
      for (const key of indexKeys(object, record.properties)) unique.delete(key);
    });
    for (const { object: to, id, type } of links) store.link(record, store.live(to, id, null), type);
    return record;
  }

  const store: Store = {
    all: (object) => table(object).values(),
    count: (object) => table(object).size,
    get(object, id, idProperty) {
      if (idProperty === null) return table(object).get(merged.get(`${object}:${id}`) ?? id);
      const found = table(object).get(unique.get(indexKey(object, idProperty, id)) ?? "");
      if (found !== undefined && object === "contacts" && idProperty === "email" && !options.secondaryFoundByEmail) {
        return found.properties.email?.toLowerCase() === id.trim().toLowerCase() ? found : undefined;
      }
      return found;
    },
    live(object, id, idProperty) {
      const found = store.get(object, id, idProperty);
      if (found === undefined || found.archived) throw notFound(`Object not found.  objectId are usually numeric.`);
      return found;
    },
    create(object, body) {
      const given = fields(body);
      if (given.properties === undefined || !Array.isArray(given.associations)) {
        throw validation("Invalid input JSON: properties and associations are required");
      }
      const properties = checkValues(object, given.properties, schema, options);
      if ((object === "emails" || object === "notes" || object === "tasks") && properties.hs_timestamp === undefined) {
        throw invalidValues([{ name: "hs_timestamp", error: "REQUIRED", message: "hs_timestamp is required" }]);
      }
      const email = properties.email?.toLowerCase();
      if (object === "contacts" && email !== undefined && options.blocklist.includes(email)) {
        throw validation("The email address is on a blocklist: the contact was deleted for privacy (GDPR) compliance");
      }
      const links = given.associations.flatMap((association) => linksOf(object, association, store));
      refuseTaken(object, properties, undefined);
      if (object === "contacts" && email !== undefined) properties.email = email;
      return insert(object, properties, links);
    },
    createWith: insert,
    update(record, properties) {
      refuseTaken(record.object, properties, record.id);
      touch(record);
      const before = record.properties;
      const become = (values: Record<string, string>) => {
        for (const key of indexKeys(record.object, record.properties)) unique.delete(key);
        record.properties = values;
        for (const key of indexKeys(record.object, values)) unique.set(key, record.id);
      };
      become({ ...before, ...properties });
      journal?.push(() => become(before));
    },
    archive(record) {
      if (record.archived) return;
      touch(record);
      record.archived = true;
      if (!options.archivedKeepKeys || record.object === "contacts") {
        for (const key of indexKeys(record.object, record.properties)) unique.delete(key);
      }
    },
    link(from, to, type) {
      const isNew = !linked(from, to.object).has(to.id);
      linked(from, to.object).set(to.id, type);
      linked(to, from.object).set(from.id, associationTypesOf(to.object, from.object)[0] ?? type);
      if (isNew) journal?.push(() => store.unlink(from, to));
    },
    unlink(from, to) {
      linked(from, to.object).delete(to.id);
      linked(to, from.object).delete(from.id);
    },
    merge(survivor, loser) {
      const emails = [...emailsOf(survivor.properties).slice(1), ...emailsOf(loser.properties)];
      const links = [...loser.links];
      store.archive(loser);
      merged.set(`${loser.object}:${loser.id}`, survivor.id);
      store.update(survivor, { hs_additional_emails: emails.join(";") });
      for (const [object, ids] of links) {
        for (const [id, type] of ids) {
          const other = table(object).get(id);
          if (other !== undefined) store.link(survivor, other, type);
        }
      }
    },
    atomically(work) {
      const undo: (() => void)[] = [];
      journal = undo;
      try {
        return work();
      } catch (error) {
        journal = undefined;
        for (const step of undo.reverse()) step();
        throw error;
      } finally {
        journal = undefined;
      }
    },
    searchable(record) {
      return clock.now() >= record.visibleAt
        ? { properties: record.properties, archived: record.archived }
        : record.indexed;
    },
  };
  return store;
}

function linked(record: SandboxRecord, object: ObjectName): Map<string, number> {
  const known = record.links.get(object);
  if (known !== undefined) return known;
  const made = new Map<string, number>();
  record.links.set(object, made);
  return made;
}

function contactExists(id: string, { conflictShape }: HubspotSandboxOptions): Refusal {
  const category = "CONFLICT";
  switch (conflictShape) {
    case "text":
      return new Refusal(409, { message: `Contact already exists. Existing ID: ${id}`, category });
    case "context":
      return new Refusal(409, { message: "Contact already exists.", category, context: { existingId: [id] } });
    case "bare":
      return new Refusal(409, { message: "Contact already exists.", category });
    default:
      return conflictShape satisfies never;
  }
}

function valueTaken(name: string, { uniqueConflictStatus }: HubspotSandboxOptions): Refusal {
  const message = `A record already has that value for ${name}`;
  if (uniqueConflictStatus === 409) return new Refusal(409, { message, category: "CONFLICT" });
  return invalidValues([{ name, error: "CONFLICTING_UNIQUE_VALUE", message }]);
}

/** One entry of `associations`, checked whole before anything is written. */
function linksOf(from: ObjectName, association: unknown, store: Store): Link[] {
  const { to, types } = fields(association);
  const id = fields(to).id;
  if (typeof id !== "string" || !Array.isArray(types) || types.length === 0)
    throw validation("Invalid association: to.id and types are required");
  return types.map((given): Link => {
    const { associationCategory, associationTypeId } = fields(given);
    if (associationCategory !== "HUBSPOT_DEFINED" || typeof associationTypeId !== "number")
      throw validation("Invalid association type");
    const object = objectNames.find((name) => associationTypesOf(from, name).includes(associationTypeId));
    if (object === undefined) {
      throw validation(`${associationTypeId} is not a valid association type from ${from}`, {
        subCategory: "INVALID_ASSOCIATION_TYPE",
      });
    }
    store.live(object, id, null);
    return { object, id, type: associationTypeId };
  });
}

/** What HubSpot works out for itself. */
function derived(object: ObjectName, properties: Record<string, string>): Record<string, string> {
  if (object !== "emails" || properties.hs_email_headers === undefined) return {};
  const headers = JSON.parse(properties.hs_email_headers) as { from?: { email?: unknown }; to?: { email?: unknown }[] };
  const from = headers.from?.email;
  const to = Array.isArray(headers.to)
    ? headers.to.map(({ email }) => email).filter((email) => typeof email === "string")
    : [];
  return { ...(typeof from === "string" ? { hs_email_from_email: from } : {}), hs_email_to_email: to.join(";") };
}
