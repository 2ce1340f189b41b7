/** Close's API as paths and shapes: the one version constant, and what is read out of its answers. */
import { z } from "zod";
import { Refused } from "../../model/outcome.ts";
import type { Clock, Metrics } from "../../model/ports.ts";
import type { Wire, WireRequest, WireResponse } from "../../model/wire.ts";
import { openCalls, shapedAs } from "../shared/calls.ts";
import { classify, isUnclassified, rateOf } from "./classify.ts";

/** Close has one version. Checked 2026-11-24 against developer.close.com; no live account was called. */
export const apiVersion = "v1";

const root = `/api/${apiVersion}`;
const one = encodeURIComponent;

export function queryOf(query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).map(([name, value]) => `${name}=${one(value)}`);
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

export type FieldObject = "lead" | "contact" | "opportunity";

/** Every path ends in a slash; every value from outside is percent-encoded here. */
export const paths = {
  me: `${root}/me/`,
  users: (skip: number) => `${root}/user/${queryOf({ _limit: "100", _skip: String(skip) })}`,
  pipelines: `${root}/pipeline/`,
  search: `${root}/data/search/`,
  leads: `${root}/lead/`,
  lead: (id: string, fields?: string) =>
    `${root}/lead/${one(id)}/${fields === undefined ? "" : queryOf({ _fields: fields })}`,
  contacts: `${root}/contact/`,
  contactsOf: (lead: string, skip: number) =>
    `${root}/contact/${queryOf({ lead_id: lead, _limit: "100", _skip: String(skip) })}`,
  contact: (id: string) => `${root}/contact/${one(id)}/`,
  opportunities: `${root}/opportunity/`,
  opportunity: (id: string) => `${root}/opportunity/${one(id)}/`,
  opportunitiesOf: (lead: string, skip: number) =>
    `${root}/opportunity/${queryOf({ lead_id: lead, _limit: "100", _skip: String(skip) })}`,
  emails: `${root}/activity/email/`,
  email: (id: string) => `${root}/activity/email/${one(id)}/`,
  emailsOf: (query: Readonly<Record<string, string>>) => `${root}/activity/email/${queryOf(query)}`,
  fields: (object: FieldObject) => `${root}/custom_field/${object}/`,
  fieldsFrom: (object: FieldObject, skip: number) =>
    `${root}/custom_field/${object}/${queryOf({ _limit: "100", _skip: String(skip) })}`,
} as const;

/** They become part of paths and of pages' addresses: what is no plain word is nobody's id. */
const id = z.string().regex(/^[\w-]{1,128}$/);
const words = z.string().nullish().catch(null);

export const meSchema = z.object({
  id,
  organizations: z.array(z.object({ id, name: words })),
});
export const usersSchema = z.object({
  data: z.array(z.object({ id, email: words })),
  has_more: z.boolean().optional(),
});
const status = z.object({ id, label: z.string(), type: words });
export const pipelinesSchema = z.object({
  data: z.array(z.object({ id, name: z.string(), statuses: z.array(status) })),
});
export const fieldsSchema = z.object({
  data: z.array(z.object({ id, name: z.string() })),
  has_more: z.boolean().optional(),
});
export const contactSchema = z.looseObject({
  id,
  lead_id: id,
  name: words,
  title: words,
  date_created: words,
  emails: z.array(z.object({ email: z.string() })).catch([]),
});
export type Contact = z.infer<typeof contactSchema>;
export const leadSchema = z.looseObject({
  id,
  name: words,
  display_name: words,
  date_created: words,
  contacts: z.array(z.object({ id })).catch([]),
});
export const madeLeadSchema = z.object({ id, contacts: z.array(z.object({ id })).min(1) });
export const contactsSchema = z.object({ data: z.array(contactSchema), has_more: z.boolean().optional() });
export const hitsSchema = z.object({
  data: z.array(z.looseObject({ id, lead_id: id.optional(), date_created: words })),
  cursor: z.string().nullish(),
});
export const contactHitsSchema = z.object({ data: z.array(contactSchema), cursor: z.string().nullish() });
export const opportunitySchema = z.looseObject({
  id,
  lead_id: id,
  contact_id: id.nullish(),
  note: words,
  status_id: words,
  status_label: words,
  date_created: words,
});
export const opportunitiesSchema = z.object({ data: z.array(opportunitySchema), has_more: z.boolean().optional() });
export const emailSchema = z.looseObject({
  id,
  lead_id: id.nullish(),
  contact_id: id.nullish(),
  activity_at: words,
  date_created: words,
  subject: words,
  sender: words,
  direction: words,
  body_text: words,
  message_ids: z.array(z.string()).catch([]),
});
export type Email = z.infer<typeof emailSchema>;
export const emailsSchema = z.object({ data: z.array(emailSchema), has_more: z.boolean().optional() });

export interface Api {
  /** An answer that is no failure by `classify`, or a 404 on a read. Refused otherwise. */
  call(request: WireRequest, write: boolean, expected?: (answer: WireResponse) => boolean): Promise<WireResponse>;
  /** All pages, or a refusal: half a list proves nothing. */
  all<T>(page: z.ZodType<Page<T>>, path: (skip: number) => string, object: string): Promise<T[]>;
}

interface Page<T> {
  readonly data: T[];
  readonly has_more?: boolean | undefined;
}

const mostPages = 1_000;

export function openApi({ wire, clock, metrics }: { wire: Wire; clock: Clock; metrics: Metrics }): Api {
  const { call } = openCalls({ vendor: "Close", wire: paced(wire, clock), clock, metrics, classify, isUnclassified });
  return {
    call,
    async all(page, path, object) {
      const found = [];
      for (let pages = 0; pages < mostPages; pages++) {
        const answer = await call({ method: "GET", path: path(found.length), object }, false);
        // A list of what is gone is empty.
        if (answer.status === 404) return found;
        const { data, has_more } = shaped(page, answer, false);
        found.push(...data);
        if (has_more !== true || data.length === 0) return found;
      }
      throw new Refused({ kind: "retryable", reason: `Close's list of ${object}s does not end` });
    },
  };
}

export const shaped = <T>(schema: z.ZodType<T>, answer: WireResponse, write: boolean): T =>
  shapedAs("Close", schema, answer, write);

const longestPauseMs = 5_000;

/**
 * Each answer says how many calls of its kind are left; where none is, the next waits for the reset, and nothing of it was sent yet.
 * https://developer.close.com/api/overview/rate-limits (checked 2026-11-24)
 */
function paced(wire: Wire, clock: Clock): Wire {
  const pauses = new Map<string, number>();
  return {
    async request(request) {
      const kind = `${request.method} ${request.object}`;
      const wait = (pauses.get(kind) ?? 0) - clock.now();
      if (wait > longestPauseMs) {
        const reason = "Close says that no call of this kind is left for now";
        throw new Refused({ kind: "rate_limited", reason, until: clock.now() + wait });
      }
      if (wait > 0) await clock.sleep(wait);
      const answer = await wire.request(request);
      const rate = rateOf(answer.headers.ratelimit);
      if (rate !== undefined && rate.remaining < 1) pauses.set(kind, clock.now() + rate.resetMs);
      else pauses.delete(kind);
      return answer;
    },
  };
}
