/** What a Zoho answer means: the table of docs/crm/zoho.md as a pure function. Errors stand at the top, or in a row, under many a status. */
import { z } from "zod";
import type { Failure } from "../../model/outcome.ts";
import type { WireResponse } from "../../model/wire.ts";
import { boundedPause, edge, hour, isUnreadable, oneLine, redirected, retryAfterMs } from "../shared/words.ts";

const text = z.string().optional().catch(undefined);
const details = z.record(z.string(), z.unknown()).optional().catch(undefined);
const said = z.object({ code: text, message: text, status: text, details });
export type Said = z.infer<typeof said>;
const rows = z.array(z.unknown()).optional().catch(undefined);
const whole = z.object({ data: rows, Emails: rows, fields: rows });

const second = 1_000;
/** Ten access tokens in ten minutes are the most. https://www.zoho.com/crm/developer/docs/api/v8/token-validity.html */
const tokenPauseMs = 600 * second;
const busyPauseMs = 10 * second;

/** Every error in the answer: its own, those of its rows, and those that a row gathers. */
export function errorsOf({ json }: WireResponse): readonly Said[] {
  const top = said.safeParse(json).data;
  if (top?.status === "error" || (top?.code !== undefined && top.status !== "success")) return unfolded(top);
  const parsed = whole.safeParse(json).data;
  return [parsed?.data, parsed?.Emails, parsed?.fields].flatMap((list) =>
    (list ?? []).flatMap((row) => {
      const one = said.safeParse(row).data;
      return one?.status === "error" ? unfolded(one) : [];
    }),
  );
}

function unfolded(error: Said): Said[] {
  const inner = rows.safeParse(error.details?.errors).data ?? [];
  const all = inner.flatMap((one) => said.safeParse(one).data ?? []).filter(({ code }) => code !== undefined);
  return all.length > 0 ? all : [error];
}

/** Undefined when the answer is no failure: a success, "already there" (DUPLICATE_DATA), and on a read "nothing there". */
export function classify(answer: WireResponse, write: boolean, now: number): Failure | undefined {
  const { status } = answer;
  const reason = reasonOf(answer);
  if (/^\s*"?Access Denied/i.test(answer.text)) return { kind: "rate_limited", reason, until: now + tokenPauseMs };
  if (status >= 500) return write ? { kind: "ambiguous", reason } : { kind: "retryable", reason };
  if (status >= 300 && status < 400) return redirected(reason);
  const errors = errorsOf(answer);
  if (status === 429) return { kind: "rate_limited", reason, until: now + pauseOf(answer, errors, now) };
  if (errors.length === 0) {
    if (status < 300) return isUnreadable(answer) ? unreadable(answer, write) : undefined;
    if (status === 404 && !write) return undefined;
    return edge("Zoho", reason, now);
  }
  if (isDuplicate(answer)) return undefined;
  for (const { code = "", message = "" } of errors) {
    const failure = failureOf(code, message, reason, { answer, write, now, errors });
    if (failure.kind !== "permanent") return failure;
  }
  return status === 404 && !write ? undefined : { kind: "permanent", reason };
}

interface Circumstances {
  readonly answer: WireResponse;
  readonly write: boolean;
  readonly now: number;
  readonly errors: readonly Said[];
}

function failureOf(
  code: string,
  message: string,
  reason: string,
  { answer, write, now, errors }: Circumstances,
): Failure {
  switch (code) {
    case "INVALID_TOKEN":
    case "INVALID_OAUTHTOKEN":
    case "AUTHENTICATION_FAILURE":
      return {
        kind: "blocked",
        reason: `${reason}; Zoho does not take the token: look at data_center and refresh_token`,
      };
    case "OAUTH_SCOPE_MISMATCH":
      return { kind: "blocked", reason: `${reason}; the grant lacks a scope (docs/crm/zoho.md, Scopes)` };
    case "NO_PERMISSION":
    case "AUTHORIZATION_FAILED":
      return { kind: "blocked", reason: `${reason}; the user of the grant may not do this` };
    case "FEATURE_NOT_SUPPORTED":
    case "FEATURE_NOT_ENABLED":
    case "STORAGE_SPACE_EXCEEDED":
      return { kind: "blocked", reason };
    case "TOO_MANY_REQUESTS":
      return { kind: "rate_limited", reason, until: now + pauseOf(answer, errors, now) };
    case "LIMIT_EXCEEDED":
    case "LIMIT_REACHED":
      // Also said of lists that are too long; of those no mail is one.
      return /credit|api|call|request/i.test(message)
        ? { kind: "rate_limited", reason, until: now + pauseOf(answer, errors, now) }
        : { kind: "permanent", reason };
    case "INTERNAL_ERROR":
    case "INTERNAL_SERVER_ERROR":
    case "DEPENDENT_SERVICE_ERROR":
      return write ? { kind: "ambiguous", reason } : { kind: "retryable", reason };
    case "RECORD_LOCKED":
    case "RECORD_IN_BLUEPRINT":
    case "NOT_APPROVED":
    case "NOT_REVIEWED":
    case "ALREADY_MODIFIED":
      return { kind: "retryable", reason };
    default:
      return { kind: "permanent", reason };
  }
}

/** How long Zoho wants silence: as it says, else short for calls in flight, and long for credits, which come back over a day. */
function pauseOf(answer: WireResponse, errors: readonly Said[], now: number): number {
  const asked = retryAfterMs(answer.headers["retry-after"], now);
  if (asked !== undefined) return asked;
  const named = errors[0]?.details?.retry_after;
  const inDetails = typeof named === "number" ? boundedPause(named * second) : undefined;
  return inDetails ?? (errors.some(({ code = "" }) => code.startsWith("LIMIT_")) ? hour / 2 : busyPauseMs);
}

function unreadable({ status }: WireResponse, write: boolean): Failure {
  const reason = `Zoho answered ${status} with a body that cannot be read`;
  return write ? { kind: "ambiguous", reason } : { kind: "retryable", reason };
}

/** True for statuses this table knows nothing of. */
export const isUnclassified = (status: number): boolean =>
  status >= 400 && status < 500 && ![400, 401, 403, 404, 405, 412, 413, 415, 429].includes(status);

const tokenCodes: ReadonlySet<string> = new Set(["INVALID_TOKEN", "INVALID_OAUTHTOKEN", "AUTHENTICATION_FAILURE"]);
/** The call was not carried out, and another token may do. */
export const isStaleToken = (answer: WireResponse): boolean =>
  answer.status === 401 && errorsOf(answer).some(({ code = "" }) => tokenCodes.has(code));

/** The accounts server says no under 200 as well. Undefined for a token, and for what any endpoint might say. */
export function tokenRefusal(answer: WireResponse, now: number): Failure | undefined {
  const body = z.object({ access_token: text, error: text, error_description: text }).safeParse(answer.json).data;
  if (body?.access_token !== undefined) return undefined;
  const error = body?.error ?? (/Access Denied/i.test(answer.text.slice(0, 200)) ? "Access Denied" : undefined);
  if (error === undefined) return undefined;
  const reason = `Zoho's accounts server answered ${oneLine(error).slice(0, 80)}`;
  switch (error) {
    case "Access Denied":
      return { kind: "rate_limited", reason: `${reason}: too many tokens in ten minutes`, until: now + tokenPauseMs };
    case "invalid_code":
    case "invalid_client":
    case "invalid_client_secret":
    case "invalid_grant":
      return {
        kind: "blocked",
        reason: `${reason}: the grant was taken back, or it is of another data_center or client (docs/crm/zoho.md, The grant)`,
      };
    default:
      return undefined;
  }
}

/** Leaves open whether the grant may do such a thing at all, or only not with this record (rights.ts finds out). */
export const isForbidden = (answer: WireResponse): boolean =>
  answer.status < 500 &&
  errorsOf(answer).some(({ code }) => code === "NO_PERMISSION" || code === "AUTHORIZATION_FAILED");

/** A record with a unique value of ours is there, or the mail is on the record already. */
export const isDuplicate = (answer: WireResponse): boolean =>
  answer.status < 500 && errorsOf(answer).some(({ code }) => code === "DUPLICATE_DATA");

export interface Duplicate {
  readonly id: string;
  readonly module: string | undefined;
}

const duplicate = z.object({
  id: z.string().optional().catch(undefined),
  duplicate_record: z
    .object({
      id: z.string().optional().catch(undefined),
      module: z.object({ api_name: text }).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});

/** The record in the way, where Zoho names it. */
export function duplicateOf(answer: WireResponse): Duplicate | undefined {
  for (const { code, details: given } of errorsOf(answer)) {
    if (code !== "DUPLICATE_DATA") continue;
    const found = duplicate.safeParse(given ?? {}).data;
    const id = found?.duplicate_record?.id ?? found?.id;
    if (id !== undefined && /^\d{1,25}$/.test(id)) return { id, module: found?.duplicate_record?.module?.api_name };
  }
  return undefined;
}

/** The field whose value another record has; empty where Zoho does not say. */
export function duplicateField(answer: WireResponse): string {
  const said = errorsOf(answer).find(({ code }) => code === "DUPLICATE_DATA");
  return said === undefined ? "" : oneLine(about(said)).slice(0, 80);
}

/** The field that an error is about. */
const about = ({ details: given }: Said): string => {
  const name = given?.api_name ?? given?.column_name;
  return typeof name === "string" ? name : "";
};

/** The content of a mail over a limit that has no official number. */
export const isTooLong = (answer: WireResponse): boolean =>
  answer.status === 400 &&
  errorsOf(answer).some((error) => about(error) === "content" && /INVALID_DATA|LENGTH/.test(error.code ?? ""));

/** One of our own fields is not known any more: the organisation changed under us. */
export const namesOwnField = (answer: WireResponse): boolean =>
  errorsOf(answer).some(
    (error) => /^(INVALID_DATA|INVALID_QUERY)$/.test(error.code ?? "") && about(error).startsWith("Mailwright_"),
  );

/** What Zoho has against the record that a mail is linked with. */
export function aboutLinked(answer: WireResponse): "wants" | "refuses" | undefined {
  if (answer.status !== 400) return undefined;
  const error = errorsOf(answer).find((one) => about(one).startsWith("linked_record"));
  if (error === undefined) return undefined;
  return error.code === "MANDATORY_NOT_FOUND" ? "wants" : "refuses";
}

/** No record under this id: Zoho has several ways to say so, and 204 is one. */
export const isNoRecord = (answer: WireResponse): boolean =>
  answer.status === 204 ||
  answer.status === 404 ||
  (answer.status === 400 &&
    errorsOf(answer).some(({ code, message = "" }) => code === "INVALID_DATA" && /\bid\b/i.test(message)));

/** Zoho's own words, on one line, short, without addresses and tokens: they go into logs and dead letters. */
export function reasonOf(answer: WireResponse): string {
  const [first] = errorsOf(answer);
  const kind = first?.code === undefined ? "" : ` ${oneLine(first.code).slice(0, 80)}`;
  const name = first === undefined ? "" : about(first);
  const words = `${first?.message ?? ""}${name === "" ? "" : ` (${name.slice(0, 80)})`}`;
  const head = `Zoho answered ${answer.status}${kind}`;
  return words === "" ? head : `${head}: ${safe(words)}`;
}

const safe = (words: string): string =>
  oneLine(words.replace(/\b1000\.[\w.-]{6,}/g, "(token)").replace(/\bZoho-oauthtoken\s+\S+/gi, "(token)"));
