/** What a Pipedrive answer means: the table of docs/crm/pipedrive.md as a pure function. */
import { z } from "zod";
import type { Failure } from "../../model/outcome.ts";
import type { WireResponse } from "../../model/wire.ts";
import { boundedPause, hour, isUnreadable, oneLine, redirected, retryAfterMs } from "../shared/words.ts";

const text = z.string().optional().catch(undefined);
/** Version 1 numbers its errors, version 2 names them. Every field is optional in the wild. */
const errorBody = z.object({
  success: z.boolean().optional().catch(undefined),
  error: text,
  error_info: text,
  code: z.union([z.string(), z.number()]).transform(String).optional().catch(undefined),
});
type ErrorBody = z.infer<typeof errorBody>;

/** Undefined where it is not Pipedrive's own JSON. */
function errorOf({ json }: WireResponse): ErrorBody | undefined {
  const parsed = errorBody.safeParse(json);
  return parsed.success && (parsed.data.success !== undefined || parsed.data.error !== undefined)
    ? parsed.data
    : undefined;
}

const second = 1_000;
/** Calls that go on after a 429 are shut out by the proxy, for a time that Pipedrive does not name. */
const shutOutMs = 600 * second;
const dayMs = 24 * hour;

/** Undefined when the answer is no failure: a success, and on a read "nothing there". */
export function classify(answer: WireResponse, write: boolean, now: number): Failure | undefined {
  const { status } = answer;
  const reason = reasonOf(answer);
  if (status >= 200 && status < 300) return unsuccessful(answer, write, reason);
  if (status >= 500) return write ? { kind: "ambiguous", reason } : { kind: "retryable", reason };
  if (status < 400) return redirected(reason);
  if (status === 429) return { kind: "rate_limited", reason, until: now + pauseOf(answer, now) };
  const body = errorOf(answer);
  if (body === undefined) return edge(status, reason, now);
  switch (status) {
    case 401:
      return {
        kind: "blocked",
        reason: `${reason}; Pipedrive does not take the token: renew it (docs/crm/pipedrive.md)`,
      };
    case 402:
      return { kind: "blocked", reason: `${reason}; the account is closed or unpaid` };
    case 403:
      return { kind: "blocked", reason: `${reason}${whyForbidden(body)}` };
    case 404:
      if (/unknown method/i.test(body.error ?? "")) return versionGone(reason);
      return write ? { kind: "permanent", reason } : undefined;
    case 410:
      return versionGone(reason);
    case 408:
    case 423:
    case 425:
      return { kind: "retryable", reason };
    default:
      return { kind: "permanent", reason };
  }
}

/** A 403 that leaves open whether the token may do such a thing at all, or only not with this record (rights.ts finds out). */
export const isForbidden = (answer: WireResponse): boolean => {
  const body = answer.status === 403 ? errorOf(answer) : undefined;
  return (
    body !== undefined && !(body.code ?? "").startsWith("feature_capping") && !/\bscopes?\b/i.test(body.error ?? "")
  );
};

/** True for statuses this table knows nothing of; they are permanent for the item, and worth counting. */
export const isUnclassified = (status: number): boolean =>
  status >= 400 &&
  status < 500 &&
  ![400, 401, 402, 403, 404, 408, 409, 410, 413, 414, 415, 422, 423, 425, 429].includes(status);

function unsuccessful(answer: WireResponse, write: boolean, reason: string): Failure | undefined {
  if (isUnreadable(answer)) {
    const unread = `Pipedrive answered ${answer.status} with a body that cannot be read`;
    return write ? { kind: "ambiguous", reason: unread } : { kind: "retryable", reason: unread };
  }
  return errorOf(answer)?.success === false ? { kind: "permanent", reason } : undefined;
}

/** A 4xx without Pipedrive's JSON is its proxy's, or one of the customer's own: no word on this mail. */
function edge(status: number, reason: string, now: number): Failure {
  const shutOut = status === 403;
  return {
    kind: "rate_limited",
    reason: `${reason}; ${shutOut ? "its proxy shuts this token out for a while" : "not Pipedrive's own answer, a proxy's perhaps"}`,
    until: now + (shutOut ? shutOutMs : hour),
  };
}

const versionGone = (reason: string): Failure => ({
  kind: "blocked",
  reason: `${reason}; this version of the API is not there (any more), or base_url leads elsewhere`,
});

const whyForbidden = ({ code = "" }: ErrorBody): string =>
  code.startsWith("feature_capping")
    ? "; the plan has no room for more: close some, or change the plan"
    : "; the token's user lacks a permission, or the plan a feature";

/**
 * Two limits say 429. The day's is told by the header with the tokens left, which is not documented and not always there; its end is
 * midnight where Pipedrive's servers are, so without a time of Pipedrive's own the lane asks again each hour.
 * https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting (checked 2026-11-29)
 */
function pauseOf(answer: WireResponse, now: number): number {
  const { headers } = answer;
  const asked = retryAfterMs(headers["retry-after"], now);
  if (asked !== undefined) return asked;
  const ofDay = headers["x-daily-ratelimit-token-remaining"] === "0" || /daily/i.test(errorOf(answer)?.error ?? "");
  if (ofDay) return Math.min(hour, untilMidnight(now));
  const reset = headers["x-ratelimit-reset"];
  // Seconds, by everyone who looked, of a window of two; a larger number is a time of some other kind.
  const seconds = reset !== undefined && /^\d{1,2}$/.test(reset.trim()) ? Number(reset) : 2;
  return boundedPause(Math.min(seconds, 60) * second) ?? 2 * second;
}

/** In UTC. A little over, so that no call comes in the last moment of the old day. */
export const untilMidnight = (now: number): number => dayMs - (now % dayMs) + second;

/** A value over one of Pipedrive's limits, of which most have no official number. */
export const isTooLong = (answer: WireResponse): boolean =>
  (answer.status === 400 || answer.status === 413 || answer.status === 422) &&
  /too long|too large|max(imum)? (length|size)|exceed(s|ed)?\b/i.test(saidBy(answer));

/** Keys of custom fields that a refusal names: one of them may be there no more. */
export const fieldsNamed = (answer: WireResponse): readonly string[] =>
  answer.status === 400 ? [...new Set(saidBy(answer).match(/\b[0-9a-f]{40}\b/g) ?? [])].slice(0, 20) : [];

const saidBy = (answer: WireResponse): string => errorOf(answer)?.error ?? "";

/** Pipedrive's own words, on one line, short, without addresses and tokens: they go into logs and dead letters. */
export function reasonOf(answer: WireResponse): string {
  const { error = "", code } = errorOf(answer) ?? {};
  const head = `Pipedrive answered ${answer.status}${code === undefined ? "" : ` ${oneLine(code).slice(0, 80)}`}`;
  // An API token has the looks of a field's key; neither says anything to a reader.
  const said = oneLine(error.replace(/\b[0-9a-f]{40}\b/gi, "(key)").replace(/\bx-api-token\W+\S+/gi, "(token)"));
  return said === "" ? head : `${head}: ${said}`;
}
