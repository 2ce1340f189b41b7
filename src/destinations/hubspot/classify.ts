/** What a HubSpot answer means: the table of docs/crm/hubspot.md as a pure function, and the readers of HubSpot's many ways to say one thing. */
import { z } from "zod";
import type { Failure } from "../../model/outcome.ts";
import type { WireResponse } from "../../model/wire.ts";
import { edge, hour, oneLine, redirected, retryAfterMs } from "../shared/words.ts";

/** Every field is optional in the wild. https://developers.hubspot.com/docs/api-reference/error-handling */
const context = z.record(z.string(), z.unknown()).optional().catch(undefined);
const text = z.string().optional().catch(undefined);
const errorBody = z.object({
  status: text,
  message: text,
  category: text,
  subCategory: text,
  policyName: text,
  errorType: text,
  context,
  errors: z
    .array(z.object({ message: text, code: text, context }))
    .optional()
    .catch(undefined),
});
export type ErrorBody = z.infer<typeof errorBody>;

export function errorOf(answer: WireResponse): ErrorBody | undefined {
  const parsed = errorBody.safeParse(answer.json);
  return parsed.success ? parsed.data : undefined;
}

const second = 1_000;

/**
 * Undefined when the answer is no failure: a success, "already exists" (409 and its 400 twin), and on a read "nothing there".
 * `timeZone` is the account's, whose midnight ends a daily limit.
 */
export function classify(answer: WireResponse, write: boolean, now: number, timeZone?: string): Failure | undefined {
  const { status } = answer;
  const reason = reasonOf(answer);
  if (status >= 200 && status < 300) return unreadable(answer, write);
  if (status >= 500) {
    // 502, 504 and Cloudflare's 520-526 come from an edge that does not know whether HubSpot went on. So may any other 5xx.
    return write ? { kind: "ambiguous", reason } : { kind: "retryable", reason };
  }
  if (status < 400) {
    // HubSpot does not redirect; a wrong base_url or a portal's login page does, for every call alike.
    return redirected(reason);
  }
  const pause = pauseOf(answer, now, timeZone);
  if (pause !== undefined) return { kind: "rate_limited", reason, until: now + pause };
  if (errorOf(answer) === undefined) return edge("HubSpot", reason, now);
  switch (status) {
    case 401:
      return { kind: "blocked", reason: `${reason}; HubSpot does not take the token: renew it (docs/crm/hubspot.md)` };
    case 403:
      return { kind: "blocked", reason: `${reason}${scopesOf(answer)}` };
    case 404:
      return write ? { kind: "permanent", reason } : undefined;
    case 409:
      return undefined;
    case 408:
    case 423:
    case 425:
      return { kind: "retryable", reason };
    case 400:
      return classify400(answer, reason);
    default:
      return { kind: "permanent", reason };
  }
}

function classify400(answer: WireResponse, reason: string): Failure | undefined {
  const body = errorOf(answer);
  if (isConflict(answer)) return undefined;
  const said = saidBy(body);
  if (body?.status === "BAD_REFRESH_TOKEN" || /\binvalid_grant\b/.test(said)) return { kind: "blocked", reason };
  if (/non-unique\b.{0,200}\bproperty|unable to perform (update|upsert)/i.test(said)) {
    return {
      kind: "blocked",
      reason: `${reason}; the key property is not unique as set up: run mailwright doctor --fix`,
    };
  }
  if (/blocklist|gdpr|blacklist/i.test(said)) return { kind: "permanent", reason: `address_blocklisted: ${reason}` };
  return { kind: "permanent", reason };
}

/** True for statuses this table knows nothing of; they are permanent for the item, and worth counting. */
export function isUnclassified(status: number): boolean {
  const known = [400, 401, 403, 404, 408, 409, 413, 414, 415, 423, 425, 429, 477];
  return status >= 400 && status < 500 && !known.includes(status);
}

/** A success that cannot be read says that something happened, not what. */
function unreadable(answer: WireResponse, write: boolean): Failure | undefined {
  if (answer.status === 204 || (answer.json !== undefined && answer.json !== null)) return undefined;
  if (answer.text === "" && answer.status !== 200 && answer.status !== 201) return undefined;
  const reason = `HubSpot answered ${answer.status} with a body that cannot be read`;
  return write ? { kind: "ambiguous", reason } : { kind: "retryable", reason };
}

/** How long HubSpot wants silence, in ms; undefined when it does not. */
function pauseOf(answer: WireResponse, now: number, timeZone: string | undefined): number | undefined {
  const asked = retryAfterMs(answer.headers["retry-after"], now);
  // 477: the account moves to another data centre, for up to a day.
  if (answer.status === 477) return asked ?? hour;
  if (answer.status !== 429) return undefined;
  if (asked !== undefined) return asked;
  const body = errorOf(answer);
  const policy = body?.policyName ?? "";
  if (policy === "DAILY" || /daily/i.test(body?.message ?? "")) return dailyPauseMs(now, timeZone);
  return policy === "SECONDLY" || /\bsecondly limit/i.test(body?.message ?? "") ? second : 10 * second;
}

/** Until midnight in the account's zone, where daily counters start again; an hour at a time while the zone is not known. */
export function dailyPauseMs(now: number, timeZone: string | undefined): number {
  if (timeZone === undefined) return hour;
  try {
    const clock = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      hourCycle: "h23",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    }).format(now);
    const [hours = 0, minutes = 0, seconds = 0] = clock.split(":").map(Number);
    return 24 * hour - ((hours * 60 + minutes) * 60 + seconds) * second;
  } catch {
    return hour;
  }
}

/** A second record with a unique value was refused. HubSpot says it as 409 for addresses and in two 400 forms for custom properties. */
export function isConflict(answer: WireResponse): boolean {
  if (answer.status === 409) return true;
  if (answer.status !== 400) return false;
  const body = errorOf(answer);
  return /CONFLICTING_UNIQUE_VALUE|already has that value|already exists\. Existing ID/.test(saidBy(body));
}

/** The id of the record in the way, where the conflict names it: in a context, or only inside a sentence. */
export function existingId(answer: WireResponse): string | undefined {
  const body = errorOf(answer);
  if (body === undefined) return undefined;
  for (const found of [body.context, ...(body.errors ?? []).map((error) => error.context)]) {
    const value = found?.existingId;
    const id = Array.isArray(value) ? (value[0] as unknown) : value;
    if ((typeof id === "string" || typeof id === "number") && /^\d{1,20}$/.test(String(id))) return String(id);
  }
  // A refusal may repeat what was refused, and a mail's sender can call himself "Existing ID: 7". HubSpot's own number ends a conflict's message.
  return answer.status === 409 ? /\bExisting ID: (\d{1,20})\.?\s*$/.exec(body.message ?? "")?.[1] : undefined;
}

/** A body over HubSpot's limit, which has no official number: worth one try with half. */
export function isTooLong(answer: WireResponse): boolean {
  if (answer.status !== 400) return false;
  return /too long|max(imum)? (length|size)|exceed(s|ed)? .{0,200}(length|limit|characters)|65,?536|INVALID_LONG_TEXT/i.test(
    saidBy(errorOf(answer)),
  );
}

/** True when HubSpot refuses one of our own properties as unknown: the account's schema changed under us. */
export function namesOwnProperty(answer: WireResponse): boolean {
  if (answer.status !== 400) return false;
  const said = saidBy(errorOf(answer));
  return /PROPERTY_DOESNT_EXIST|does not exist/.test(said) && /\bmailwright_[a-z_]+/.test(said);
}

/** All the words of an error, wherever HubSpot put them. Some messages are a JSON array inside a sentence; they are left as they are. */
function saidBy(body: ErrorBody | undefined): string {
  if (body === undefined) return "";
  const inner = (body.errors ?? []).flatMap((error) => [error.code, error.message, ...strings(error.context)]);
  return [body.status, body.category, body.subCategory, body.message, ...inner, ...strings(body.context)]
    .filter(Boolean)
    .join(" ");
}

function strings(context: Readonly<Record<string, unknown>> | undefined): string[] {
  return Object.values(context ?? {}).flatMap((value) =>
    (Array.isArray(value) ? value : [value]).filter((item) => typeof item === "string"),
  );
}

function scopesOf(answer: WireResponse): string {
  const body = errorOf(answer);
  const asked = (body?.errors ?? []).flatMap((error) => {
    const scopes = error.context?.requiredScopes ?? error.context?.requiredGranularScopes;
    return Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === "string") : [];
  });
  const names = [...new Set(asked)].filter((scope) => /^[\w.-]{1,80}$/.test(scope));
  return names.length > 0
    ? `; the token lacks the scope ${names.join(", ")}`
    : "; the token lacks a scope or the account a feature";
}

/** HubSpot's own words, on one line, short, without addresses and tokens: they go into logs and dead letters. */
export function reasonOf(answer: WireResponse): string {
  const body = errorOf(answer);
  const kind = body?.category ?? body?.policyName ?? body?.errorType;
  const said = body?.message ?? body?.errors?.[0]?.message ?? "";
  const head = `HubSpot answered ${answer.status}${kind === undefined ? "" : ` ${oneLine(kind).slice(0, 80)}`}`;
  return said === "" ? head : `${head}: ${oneLine(said)}`;
}
