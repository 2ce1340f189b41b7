/** Finds a record of ours again where HubSpot enforces no key: complete reads of association lists, which do not lag as its search does. */
import { z } from "zod";
import { Refused } from "../../model/outcome.ts";
import type { StepKind } from "../../model/step.ts";
import type { WireResponse } from "../../model/wire.ts";
import { endsWithMarker, markerOf } from "../shared/text.ts";
import {
  type Api,
  associatedSchema,
  type HubspotRecord,
  metricName,
  type ObjectName,
  paths,
  recordSchema,
  recordsSchema,
  shaped,
} from "./api.ts";
import { ownProperties } from "./bodies.ts";

export interface Owner {
  readonly object: ObjectName;
  readonly id: string;
}

const batchSize = 100;
/** 500 a page: a contact with half a million emails is no contact. */
const mostPages = 1_000;
const mostRemembered = 20_000;

/** What tells whether a record can be ours, before any text is read. */
interface Glance {
  readonly key: string | null;
  /** Epoch ms; NaN where it has no time, or none was asked for. */
  readonly at: number;
}

export interface ReadBack {
  /**
   * By our key property, or else by the marker at the end of the text. Both, whatever the account allows now: when the record was made it
   * may have had the property or not. `at` narrows emails down before any body is read.
   */
  ours(owner: Owner, object: ObjectName, key: string, at: number | undefined): Promise<HubspotRecord | undefined>;
  /** Every record of `object` associated with the owner. */
  associated(owner: Owner, object: ObjectName, properties: readonly string[]): Promise<readonly HubspotRecord[]>;
  /** All records that it is associated with, as `person:12`. */
  links(owner: Owner): Promise<readonly string[]>;
}

export function openReadBack(api: Api): ReadBack {
  /** Of records read before. A record's key never changes, and a contact's old mails need not be read again for each new one. */
  const remembered = new Map<string, Glance>();

  async function glances(
    object: ObjectName,
    ids: readonly string[],
    key: string,
    timed: boolean,
  ): Promise<{ mine: HubspotRecord[]; seen: Map<string, Glance> }> {
    const seen = new Map<string, Glance>();
    const unread: string[] = [];
    for (const id of ids) {
      const known = remembered.get(`${object}:${id}`);
      if (known === undefined || known.key === key) unread.push(id);
      else seen.set(id, known);
    }
    const records = await readAll(api, object, unread, [ownProperties.key, ...(timed ? ["hs_timestamp"] : [])]);
    for (const { id, properties } of records) {
      const glance = { key: properties[ownProperties.key] ?? null, at: timeOf(properties.hs_timestamp) };
      seen.set(id, glance);
      if (remembered.size >= mostRemembered) remembered.clear();
      remembered.set(`${object}:${id}`, glance);
    }
    return { mine: records.filter((record) => record.properties[ownProperties.key] === key), seen };
  }

  return {
    async ours(owner, object, key, at) {
      const { mine, seen } = await glances(object, await listed(api, owner, object), key, at !== undefined);
      const keyed = oldest(mine);
      const field = markedIn[object];
      if (keyed !== undefined || field === undefined) return keyed;
      const marker = markerOf(key);
      const found: HubspotRecord[] = [];
      for (const [id, glance] of seen) {
        // What has a key was never given a marker.
        if (glance.key !== null || (at !== undefined && glance.at !== at)) continue;
        const record = await readOne(api, object, id, [field]);
        if (record !== undefined && endsWithMarker(record.properties[field], marker)) found.push(record);
      }
      return oldest(found);
    },
    async links(owner) {
      const links: string[] = [];
      for (const [object, kind] of linkedKinds) {
        if (object === owner.object) continue;
        for (const id of await listed(api, owner, object)) links.push(`${kind}:${id}`);
      }
      return links;
    },
    async associated(owner, object, properties) {
      return await readAll(api, object, await listed(api, owner, object), properties);
    },
  };
}

const linkedKinds: readonly (readonly [ObjectName, StepKind])[] = [
  ["contacts", "person"],
  ["companies", "company"],
  ["deals", "deal"],
  ["emails", "activity"],
];

/** Where a marker stands in each object that can carry one. */
const markedIn: Partial<Record<ObjectName, string>> = {
  emails: "hs_email_text",
  deals: "description",
};

function timeOf(value: string | null | undefined): number {
  if (value === null || value === undefined) return Number.NaN;
  return /^\d+$/.test(value) ? Number(value) : Date.parse(value);
}

/** The first one made wins, so that every reader of a doubled record agrees. Ids are decimal strings, longer than a double is exact. */
export function oldest(records: readonly HubspotRecord[]): HubspotRecord | undefined {
  const live = records.filter(({ archived }) => archived !== true);
  return live.reduce<HubspotRecord | undefined>(
    (first, record) => (first === undefined || before(record.id, first.id) ? record : first),
    undefined,
  );
}

const before = (a: string, b: string): boolean => (a.length === b.length ? a < b : a.length < b.length);

/** All pages, or a refusal: half a list proves nothing. */
async function listed(api: Api, owner: Owner, object: ObjectName): Promise<readonly string[]> {
  const ids: string[] = [];
  let after: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const path = paths.associations(owner.object, owner.id, object, after);
    const answer = await api.call({ method: "GET", path, object: metricName(object) }, false);
    if (answer.status === 404) {
      throw new Refused({
        kind: "permanent",
        reason: `HubSpot has no ${metricName(owner.object)} ${owner.id} any more, whose list could be read`,
      });
    }
    const { results, paging } = shaped(associatedSchema, answer, false);
    ids.push(...results.map(({ toObjectId }) => toObjectId));
    const next = paging?.next?.after;
    if (next === undefined) return ids;
    if (next === after) break;
    after = next;
  }
  throw new Refused({
    kind: "retryable",
    reason: `HubSpot's list of ${object} of ${metricName(owner.object)} ${owner.id} does not end`,
  });
}

const itemErrors = z.object({ errors: z.array(z.object({ category: z.string().optional() })).optional() });

/** Whether all that an answer to many says of trouble is that some are not there. */
export const onlyMissing = (answer: WireResponse): boolean =>
  (itemErrors.safeParse(answer.json).data?.errors ?? []).every(({ category }) => category === "OBJECT_NOT_FOUND");

export function batchReadBody(ids: readonly string[], properties: readonly string[]) {
  return { inputs: ids.map((id) => ({ id })), properties: [...properties], propertiesWithHistory: [] as string[] };
}

async function readAll(
  api: Api,
  object: ObjectName,
  ids: readonly string[],
  properties: readonly string[],
): Promise<HubspotRecord[]> {
  const records: HubspotRecord[] = [];
  for (let start = 0; start < ids.length; start += batchSize) {
    const body = batchReadBody(ids.slice(start, start + batchSize), properties);
    const answer = await api.call(
      { method: "POST", path: paths.batchRead(object), object: metricName(object), body },
      false,
    );
    // A record deleted since the list was read is an error of its own item; any other error leaves the reading incomplete.
    if (!onlyMissing(answer)) {
      throw new Refused({ kind: "retryable", reason: `HubSpot could not read all ${object} asked for` });
    }
    records.push(...shaped(recordsSchema, answer, false).results);
  }
  return records;
}

async function readOne(
  api: Api,
  object: ObjectName,
  id: string,
  properties: readonly string[],
): Promise<HubspotRecord | undefined> {
  const path = paths.object(object, id, { properties: properties.join(",") });
  const answer = await api.call({ method: "GET", path, object: metricName(object) }, false);
  return answer.status === 404 ? undefined : shaped(recordSchema, answer, false);
}
