/** Pipedrive's API as typed calls: paths, the one place with its versions, what each call costs, and what is read out of its answers. */
import { z } from "zod";
import { Refused } from "../../model/outcome.ts";
import type { Clock, Metrics } from "../../model/ports.ts";
import type { Wire, WireRequest, WireResponse } from "../../model/wire.ts";
import { openCalls } from "../shared/calls.ts";
import { hour } from "../shared/words.ts";
import { classify, fieldsNamed, isForbidden, isUnclassified, reasonOf, untilMidnight } from "./classify.ts";
import { openRights } from "./rights.ts";

/**
 * Version 2 for records, fields and searches; version 1 for what has no other: users, activity types, leads. Version 1 of persons,
 * organizations, deals and activities is out of support since 2026-08-01. Checked 2026-11-29.
 * https://developers.pipedrive.com/changelog
 */
export const apiVersion = "v2";
const [two, one] = [`/api/${apiVersion}`, "/api/v1"];

/** Plural names, as Pipedrive's paths have them. */
export type ObjectName = "persons" | "organizations" | "deals" | "activities";

/** What calls are counted under. */
const metricNames: Readonly<Record<ObjectName, string>> = {
  persons: "person",
  organizations: "organization",
  deals: "deal",
  activities: "activity",
};
export const metricName = (object: ObjectName): string => metricNames[object];

export type Query = Readonly<Record<string, string | undefined>>;

/** A call, and what it takes from the company's tokens of the day: https://developers.pipedrive.com/docs/api/v1 (each operation says). */
export interface Ask extends Omit<WireRequest, "path"> {
  readonly path: string;
  readonly tokens: number;
  /** The records that it is about; of a list or a create without an id. */
  readonly about?: { readonly object: ObjectName; readonly id?: string };
}

function queryOf(query: Query): string {
  const pairs = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return pairs.length === 0 ? "" : `?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;
}

const get = (path: string, object: string, tokens: number): Ask => ({ method: "GET", path, object, tokens });

/** Every value from outside is percent-encoded here. */
export const asks = {
  one: (object: ObjectName, id: string, query: Query = {}): Ask => ({
    ...get(`${two}/${object}/${encodeURIComponent(id)}${queryOf(query)}`, metricName(object), 1),
    about: { object, id },
  }),
  list: (object: ObjectName, query: Query): Ask => ({
    ...get(`${two}/${object}${queryOf(query)}`, metricName(object), 10),
    about: { object },
  }),
  create: (object: ObjectName, body: object): Ask => ({
    method: "POST",
    path: `${two}/${object}`,
    object: metricName(object),
    body,
    tokens: 5,
    about: { object },
  }),
  update: (object: ObjectName, id: string, body: object): Ask => ({
    method: "PATCH",
    path: `${two}/${object}/${encodeURIComponent(id)}`,
    object: metricName(object),
    body,
    tokens: 5,
    about: { object, id },
  }),
  remove: (object: ObjectName, id: string): Ask => ({
    method: "DELETE",
    path: `${two}/${object}/${encodeURIComponent(id)}`,
    object: metricName(object),
    tokens: 3,
    about: { object, id },
  }),
  personsByEmail: (email: string): Ask => ({
    ...get(`${two}/persons/search${queryOf({ term: email, fields: "email", exact_match: "true" })}`, "person", 20),
    budget: "search",
  }),
  byField: (entity: "organization" | "deal", field: string, term: string): Ask => ({
    ...get(`${two}/itemSearch/field${queryOf({ term, entity_type: entity, field, match: "exact" })}`, entity, 20),
    budget: "search",
  }),
  fields: (object: ObjectName, cursor: string | undefined): Ask =>
    get(`${two}/${metricName(object)}Fields${queryOf({ limit: "500", cursor })}`, "field", 10),
  addField: (object: ObjectName, body: object): Ask => ({
    method: "POST",
    path: `${two}/${metricName(object)}Fields`,
    object: "field",
    body,
    tokens: 5,
  }),
  pipelines: get(`${two}/pipelines`, "pipeline", 10),
  stages: get(`${two}/stages?limit=500`, "pipeline", 10),
  me: get(`${one}/users/me`, "account", 2),
  users: get(`${one}/users`, "user", 20),
  activityTypes: get(`${one}/activityTypes`, "account", 20),
  addLead: (body: object): Ask => ({ method: "POST", path: `${one}/leads`, object: "lead", body, tokens: 10 }),
} as const;

const numberId = z.number().int().nonnegative();
const maybeId = numberId.nullish().catch(undefined);
const words = z.string().nullish().catch(undefined);
const custom = z.record(z.string(), z.unknown()).nullish().catch(undefined);

/** Whatever the object: what it has not is undefined. */
export const recordSchema = z.object({
  id: numberId,
  name: words,
  title: words,
  subject: words,
  type: words,
  done: z.boolean().nullish().catch(undefined),
  emails: z
    .array(z.object({ value: z.string().nullish().catch(undefined), primary: z.boolean().nullish().catch(undefined) }))
    .nullish()
    .catch(undefined),
  owner_id: maybeId,
  person_id: maybeId,
  org_id: maybeId,
  deal_id: maybeId,
  stage_id: maybeId,
  pipeline_id: maybeId,
  status: words,
  value: z.number().nullish().catch(undefined),
  currency: words,
  website: words,
  due_date: words,
  due_time: words,
  note: words,
  public_description: words,
  participants: z
    .array(z.object({ person_id: numberId, primary: z.boolean().nullish().catch(undefined) }))
    .nullish()
    .catch(undefined),
  is_deleted: z.boolean().nullish().catch(undefined),
  add_time: words,
  custom_fields: custom,
});
export type PipedriveRecord = z.infer<typeof recordSchema>;

export const oneSchema = z.object({ data: recordSchema });
const cursorSchema = z.object({ next_cursor: z.string().nullish() }).nullish();
export const pageSchema = z.object({ data: z.array(recordSchema).nullable(), additional_data: cursorSchema });
export const fieldsSchema = z.object({
  data: z
    .array(
      z.object({
        field_code: z.string(),
        field_name: z.string(),
        field_type: z.string(),
        is_custom_field: z.boolean().nullish().catch(undefined),
        options: z
          .array(z.object({ id: z.union([z.number(), z.string(), z.boolean()]), label: z.string() }))
          .nullish()
          .catch(undefined),
      }),
    )
    .nullable(),
  additional_data: cursorSchema,
});
export const personHitsSchema = z.object({
  data: z.object({ items: z.array(z.object({ item: z.object({ id: numberId }) })) }),
});
const hit = z.union([
  z.object({ id: numberId }),
  z.object({ item: z.object({ id: numberId }) }).transform((one) => one.item),
]);
/** How it wraps its hits differs between the reference and the SDK; both are read. */
export const fieldHitsSchema = z.object({
  data: z.union([z.array(hit), z.object({ items: z.array(hit) }).transform(({ items }) => items)]).nullable(),
});

/** Lists are asked for without fractions of a second: those are refused. */
export const stamp = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

export interface ApiPorts {
  readonly wire: Wire;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Tokens of the day left to the company's other programs. */
  readonly reserve: number;
  /** Whether one of these custom fields is there no more, asked of Pipedrive. */
  areGone(codes: readonly string[]): Promise<boolean>;
}

export interface Api {
  /** An answer that is no failure by `classify`, or one that is `expected`. Refused otherwise. */
  call(ask: Ask, write: boolean, expected?: (answer: WireResponse) => boolean): Promise<WireResponse>;
  shaped<T>(schema: z.ZodType<T>, answer: WireResponse, write: boolean): T;
  /** By Pipedrive's clock, as far as its answers tell: what changed lately is asked for by its time and not by ours. */
  now(): number;
}

export function openApi({ wire, clock, metrics, reserve, areGone }: ApiPorts): Api {
  let waitUntil = 0;
  let aheadMs = 0;

  /** Every answer says what is left of the company's day, where it says so at all. */
  function watched(answer: WireResponse): WireResponse {
    const date = Date.parse(answer.headers.date ?? "");
    if (Number.isFinite(date)) aheadMs = date - clock.now();
    const left = answer.headers["x-daily-ratelimit-token-remaining"];
    if (reserve === 0 || left === undefined || !/^\d{1,12}$/.test(left)) return answer;
    const now = clock.now();
    if (Number(left) < reserve) waitUntil = now + Math.min(hour, untilMidnight(now));
    return answer;
  }
  const watching: Wire = { request: async (request) => watched(await wire.request(request)) };
  const calls = openCalls({ vendor: "Pipedrive", wire: watching, clock, metrics, classify, isUnclassified });

  async function exchange(
    { tokens: cost, about: _about, ...request }: Ask,
    write: boolean,
    expected: (answer: WireResponse) => boolean,
  ): Promise<WireResponse> {
    if (clock.now() < waitUntil) {
      const reason = `fewer than ${reserve} of the company's tokens of the day are left, which are kept for others (reserve_tokens)`;
      throw new Refused({ kind: "rate_limited", reason, until: waitUntil });
    }
    return await calls.call({ ...request, cost }, write, expected);
  }
  const rights = openRights((ask) => exchange(ask, false, isForbidden), clock);

  return {
    shaped: calls.shaped,
    now: () => clock.now() + aheadMs,
    async call(ask, write, expected) {
      const isMeant = (answer: WireResponse): boolean => expected?.(answer) === true;
      const answer = await exchange(
        ask,
        write,
        (reply) => isMeant(reply) || isForbidden(reply) || fieldsNamed(reply).length > 0,
      );
      if (isMeant(answer)) return answer;
      if (isForbidden(answer)) throw await rights.refusal(ask, reasonOf(answer));
      const named = fieldsNamed(answer);
      if (named.length === 0) return answer;
      // An administrator may have taken the field away since its key was asked for: no mail is at fault then.
      if (await areGone(named)) {
        const reason = `${reasonOf(answer)}; the company's fields have changed, and are asked for again`;
        throw new Refused({ kind: "retryable", reason });
      }
      throw new Refused({ kind: "permanent", reason: reasonOf(answer) });
    },
  };
}
