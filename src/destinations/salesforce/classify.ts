/** What a Salesforce answer means: the table of docs/crm/salesforce.md as a pure function, for single calls and for the parts of a composite. */
import { z } from "zod";
import type { Failure } from "../../model/outcome.ts";
import type { WireResponse } from "../../model/wire.ts";
import { edge, isUnreadable, oneLine, redirected, retryAfterMs } from "../shared/words.ts";
import { ownField } from "./bodies.ts";

const text = z.string().optional().catch(undefined);
/** Salesforce answers a list; its OAuth endpoint an object; a collection's item says statusCode instead. */
const trouble = z.looseObject({
  message: text,
  errorCode: text,
  fields: z.array(z.string()).optional().catch(undefined),
});
export type Trouble = z.infer<typeof trouble>;
const troubles = z.array(trouble).min(1);
const oauthTrouble = z.object({ error: z.string(), error_description: text });
const composite = z.object({
  compositeResponse: z.array(
    z.object({ body: z.unknown(), httpStatusCode: z.number().int(), referenceId: z.string() }),
  ),
});

const second = 1_000;
const minute = 60 * second;
/** No reset is named: the day is a rolling one. */
const dailyPauseMs = 15 * minute;
const crowdPauseMs = 10 * second;

export interface Part {
  readonly referenceId: string;
  readonly status: number;
  readonly json: unknown;
}

/** The parts of a composite's answer; undefined where it is none. */
export function partsOf(answer: WireResponse): readonly Part[] | undefined {
  if (answer.status !== 200) return undefined;
  const parsed = composite.safeParse(answer.json);
  if (!parsed.success) return undefined;
  return parsed.data.compositeResponse.map(({ body, httpStatusCode, referenceId }) => ({
    referenceId,
    status: httpStatusCode,
    json: body,
  }));
}

/** The answer that decides: a composite is 200 whatever became of it, and the parts that did not fail themselves are PROCESSING_HALTED. */
export function deciding(answer: WireResponse): WireResponse {
  const failed = (partsOf(answer) ?? []).filter(({ status }) => status >= 300);
  const cause = failed.find(({ json }) => codeIn(json) !== "PROCESSING_HALTED") ?? failed[0];
  if (cause === undefined) return answer;
  return { ...answer, status: cause.status, json: cause.json, text: JSON.stringify(cause.json) };
}

const codeIn = (json: unknown): string | undefined => troubles.safeParse(json).data?.[0]?.errorCode;

export function troubleOf(answer: WireResponse): Trouble | undefined {
  const { json } = answer;
  const list = troubles.safeParse(json);
  if (list.success) return list.data[0];
  const oauth = oauthTrouble.safeParse(json);
  return oauth.success ? { errorCode: oauth.data.error, message: oauth.data.error_description } : undefined;
}

/** Undefined when the answer is no failure: a success, a key that is taken, and on a read "nothing there". */
export function classify(whole: WireResponse, write: boolean, now: number): Failure | undefined {
  const answer = deciding(whole);
  const { status } = answer;
  const reason = reasonOf(answer);
  if (status >= 200 && status < 300) {
    if (!isUnreadable(answer)) return undefined;
    return unclear(write, `Salesforce answered ${status} with a body that cannot be read`);
  }
  if (status >= 500) return unclear(write, reason);
  if (status === 300) return { kind: "permanent", reason: `${reason}; several records have this key` };
  if (status < 400) return redirected(reason);
  const found = troubleOf(answer);
  if (found === undefined) {
    // Salesforce itself answers 403 over a limit; a 429 is an edge's or a proxy's, and says when to come again.
    return status === 429 ? crowded(answer, reason, now) : edge("Salesforce", reason, now);
  }
  return byCode(found, reason, now) ?? byStatus(answer, write, reason, now);
}

const unclear = (write: boolean, reason: string): Failure => ({ kind: write ? "ambiguous" : "retryable", reason });

/** Codes that mean one thing whatever the status is. */
function byCode(
  { errorCode = "", message = "", fields = [] }: Trouble,
  reason: string,
  now: number,
): Failure | undefined {
  // A trigger may wrap a lock that it did not get.
  if (errorCode === "UNABLE_TO_LOCK_ROW" || message.includes("UNABLE_TO_LOCK_ROW"))
    return { kind: "retryable", reason };
  switch (errorCode) {
    case "REQUEST_LIMIT_EXCEEDED":
      return {
        kind: "rate_limited",
        reason,
        until: now + (/concurrent/i.test(message) ? crowdPauseMs : dailyPauseMs),
      };
    case "SERVER_UNAVAILABLE":
    case "TXN_SECURITY_METERING_ERROR":
    case "INVALID_QUERY_LOCATOR":
      return { kind: "retryable", reason };
    case "STORAGE_LIMIT_EXCEEDED":
    case "API_CURRENTLY_DISABLED":
    case "API_DISABLED_FOR_ORG":
    case "FUNCTIONALITY_NOT_ENABLED":
    case "invalid_grant":
    case "invalid_client":
    case "invalid_client_id":
      return { kind: "blocked", reason };
    case "INVALID_TYPE":
      return {
        kind: "blocked",
        reason: `${reason}; the user may not see this object: deploy deploy/salesforce and assign its permission set`,
      };
    case "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY":
      return { kind: "permanent", reason };
    case "INVALID_FIELD":
    case "INVALID_FIELD_FOR_INSERT_UPDATE":
      return withOwnField([message, ...fields].join(" "), reason);
    default:
      return undefined;
  }
}

/** A field of ours that cannot be seen any more: deleted, or the permission set was taken away. */
function withOwnField(said: string, reason: string): Failure | undefined {
  const name = ownField.exec(said)?.[0];
  if (name === undefined) return undefined;
  if (name.toLowerCase() === "mailwright_key__c") {
    return { kind: "blocked", reason: `${reason}; deploy deploy/salesforce and assign its permission set` };
  }
  return { kind: "retryable", reason: `${reason}; asking again which fields the org has` };
}

function byStatus(answer: WireResponse, write: boolean, reason: string, now: number): Failure | undefined {
  switch (answer.status) {
    case 400:
      return isKeyTaken(answer) ? undefined : { kind: "permanent", reason };
    case 401:
      return { kind: "blocked", reason: `${reason}; Salesforce does not take the session (docs/crm/salesforce.md)` };
    case 403:
      return { kind: "blocked", reason: `${reason}; the user lacks a permission` };
    case 404:
      return write ? { kind: "permanent", reason } : undefined;
    case 408:
    case 409:
    case 412:
    case 423:
      return { kind: "retryable", reason };
    case 429:
      return crowded(answer, reason, now);
    default:
      return { kind: "permanent", reason };
  }
}

const crowded = ({ headers }: WireResponse, reason: string, now: number): Failure => ({
  kind: "rate_limited",
  reason,
  until: now + (retryAfterMs(headers["retry-after"], now) ?? crowdPauseMs),
});

/** True for statuses this table knows nothing of; they are permanent for the item, and worth counting. */
export const isUnclassified = (status: number): boolean =>
  status >= 400 && status < 500 && ![400, 401, 403, 404, 405, 408, 409, 412, 413, 414, 415, 423, 429].includes(status);

/** Our own key is there already. Another unique field of the org's, which a mapping sets, is a refusal like any other. */
export function isKeyTaken(whole: WireResponse): boolean {
  const answer = deciding(whole);
  const found = troubleOf(answer);
  if (answer.status !== 400 || found?.errorCode !== "DUPLICATE_VALUE") return false;
  // The sentence is in the user's language. A sender can call himself anything; the field is named after the first colon.
  return /^[^:]{1,80}:\s*(?:(?:\w+__)?Mailwright_Key__c|<[^<>]{1,20}>)\s/i.test(found.message ?? "");
}

/** The session has ended: nothing was carried out, and a new one is worth asking for. The other two 401s of Salesforce's would come again. */
export function isExpired({ status, json }: WireResponse): boolean {
  const found = troubles.safeParse(json).data?.[0];
  if (status !== 401 || found?.errorCode !== "INVALID_SESSION_ID") return false;
  return !/not attached to agent|not valid for use with the REST API/i.test(found.message ?? "");
}

export const isCode = (whole: WireResponse, code: string): boolean => troubleOf(deciding(whole))?.errorCode === code;

const matchRecord = z.object({
  record: z.looseObject({ Id: z.string(), attributes: z.looseObject({ type: z.string() }) }),
});
const duplicates = z.looseObject({
  matchResults: z.array(z.looseObject({ matchRecords: z.array(matchRecord).catch([]) })),
});

/** What an administrator's rule takes this record for. The key is spelled in two ways, and sometimes it is not there. */
export function matchesIn(whole: WireResponse): readonly { object: string; id: string }[] {
  const found = troubleOf(deciding(whole)) ?? {};
  const result = duplicates.safeParse(found.duplicateResut ?? found.duplicateResult).data;
  const all = (result?.matchResults ?? []).flatMap(({ matchRecords }) => matchRecords);
  const named = all.map(({ record }) => ({ object: record.attributes.type, id: record.Id }));
  return named.filter(({ id }) => /^[0-9A-Za-z]{15,18}$/.test(id));
}

/** A record was to be made, and there is no such place: its object was hidden from the user since it was looked at. */
export function isHidden(whole: WireResponse): boolean {
  const record = partsOf(whole)?.find(({ referenceId }) => referenceId === "record") ?? whole;
  return record.status === 404 && codeIn(record.json) === "NOT_FOUND";
}

/** Salesforce's own words, on one line, short, without addresses and sessions: they go into logs and dead letters. */
export function reasonOf(whole: WireResponse): string {
  const answer = deciding(whole);
  const found = troubleOf(answer);
  const code = found?.errorCode === undefined ? "" : ` ${oneLine(found.errorCode).slice(0, 80)}`;
  const said = found?.message === undefined ? "" : `: ${withoutSessions(oneLine(found.message))}`;
  const fields = (found?.fields ?? []).slice(0, 5).map((name) => oneLine(name).slice(0, 80));
  const of = fields.length === 0 || fields.every((name) => said.includes(name)) ? "" : ` (${fields.join(", ")})`;
  return `Salesforce answered ${answer.status}${code}${said}${of}`;
}

/** `00D...!AQ...` opens the org. */
const withoutSessions = (words: string): string => words.replace(/\b00D\w{9,15}![\w.]*/g, "(session)");
