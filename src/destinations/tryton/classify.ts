/** What an answer of Tryton's means: the table of docs/crm/tryton.md as a pure function. What goes wrong inside comes as 200 with an `error`. */
import { z } from "zod";
import type { Failure } from "../../model/outcome.ts";
import type { WireResponse } from "../../model/wire.ts";
import { edge, isUnreadable, oneLine, redirected, retryAfterMs } from "../shared/words.ts";

/** `["UserError", [message, description, domain]]`, `["ConcurrencyException", message]`, or a Python exception's text and its traceback. */
const errorBody = z.object({ error: z.tuple([z.string()], z.unknown()) });
const words = z.array(z.unknown()).min(1);

/** Tryton names no time with its 429: it counts wrong logins over the time that a session lives, five minutes where nobody changed it. */
const loginPauseMs = 300_000;

/** After what the operator of the database has to see to. */
const placePauseMs = 300_000;
/** PostgreSQL's words, SQLite's and Python's. */
const outOfRoom =
  /could not (?:extend|write to|write|create|open) (?:file|temporary file)|no space left|disk quota exceeded|disk is full|disk I\/O error|out of (?:shared )?memory|cannot allocate memory|too many open files|read-?only (?:transaction|database)|not accepting commands|database is locked|temp_file_limit/i;

/** libpq's words, PostgreSQL's when it is told to stop, and psycopg2's. */
const wentAway =
  /connection|the database system is|server closed|could not (?:connect|(?:receive|send) data)|terminating|SSL SYSCALL error|EOF detected|broken pipe|cursor already closed/i;

type Said = { readonly type: string; readonly text: string };

function errorOf({ json }: WireResponse): Said | undefined {
  const error = errorBody.safeParse(json).data?.error;
  if (error === undefined) return undefined;
  const [type, more] = error;
  const list = words.safeParse(more).data ?? [more];
  const said = list.filter((part) => typeof part === "string" && part !== "").join(": ");
  return { type, text: said === "" ? type : said };
}

export const isUserError = (answer: WireResponse): boolean => errorOf(answer)?.type === "UserError";

export function classify(answer: WireResponse, write: boolean, now: number): Failure | undefined {
  const { status } = answer;
  if (status >= 200 && status < 300) return answered(answer, write, now);
  const reason = `Tryton answered ${status}`;
  if (status >= 500) return { kind: write ? "ambiguous" : "retryable", reason };
  if (status < 400) return redirected(reason);
  switch (status) {
    case 401:
      return { kind: "blocked", reason: `${reason}: it does not keep the session that it gave; log in as this user` };
    case 408:
    case 423:
    case 425:
      return { kind: "retryable", reason };
    case 429:
      return {
        kind: "rate_limited",
        reason,
        until: now + (retryAfterMs(answer.headers["retry-after"], now) ?? loginPauseMs),
      };
    case 413:
      return refusedAtTheDoor(answer, `${reason}: bodies of up to 1 MB must pass`, write, now);
    default:
      return refusedAtTheDoor(answer, reason, write, now);
  }
}

/**
 * What Tryton has to say of a mail comes with 200: no other status makes a dead letter at once, whoever answers it. A filter before it may dislike the
 * words of one mail, which must not stop the others: on a write its page counts as a try. One that refuses everything is met by the read before.
 */
function refusedAtTheDoor(answer: WireResponse, reason: string, write: boolean, now: number): Failure {
  if (!isOwnPage(answer)) {
    const refusal = edge("Tryton", reason, now);
    return write ? { kind: "retryable", reason: refusal.reason } : refusal;
  }
  switch (answer.status) {
    case 403:
      return { kind: "blocked", reason: `${reason}: it lets nobody make this call` };
    case 404:
      return { kind: "blocked", reason: `${reason}: there is no such database; look at database and base_url` };
    default:
      return { kind: "blocked", reason: `${reason}; look at base_url, and into Tryton's configuration and log` };
  }
}

/** As its web server writes them, without a head; what stands before it has pages of another make. */
const isOwnPage = ({ text }: WireResponse): boolean =>
  /^<!doctype html[^>]*>\s*(?:<html lang=en>\s*)?<title>\d{3} /i.test(text);

export const isUnclassified = (status: number): boolean =>
  status >= 400 && status < 500 && ![400, 401, 403, 404, 405, 407, 408, 411, 413, 415, 423, 425, 429].includes(status);

function answered(answer: WireResponse, write: boolean, now: number): Failure | undefined {
  const unread: Failure = {
    kind: write ? "ambiguous" : "retryable",
    reason: `Tryton answered ${answer.status} with a body that cannot be read`,
  };
  if (isUnreadable(answer) || typeof answer.json !== "object" || answer.json === null) return unread;
  const said = errorOf(answer);
  if (said === undefined) return "result" in answer.json ? undefined : unread;
  return meaning(said, write, now);
}

function meaning({ type, text }: Said, write: boolean, now: number): Failure {
  const reason = `Tryton: ${oneLine(text)}`;
  switch (type) {
    case "UserError":
      // A record that is gone is refused by the rules of its model too: "You are not allowed to read records" is about one record (measured).
      if (/^You are not allowed to (?:access|create)\b/.test(text))
        return { kind: "blocked", reason: `${reason}; give the user the groups named in docs/crm/tryton.md` };
      return { kind: "permanent", reason };
    case "UserWarning":
      return { kind: "permanent", reason };
    case "ConcurrencyException":
      return { kind: "retryable", reason };
    case "LoginException":
      return { kind: "blocked", reason };
    case "RateLimitException":
      return { kind: "rate_limited", reason, until: now + loginPauseMs };
    default:
      return inside(type, write, now);
  }
}

/** An exception of Python's or of the database's, as its text. Measured: a model or a field that is not there is its name in quotes. */
function inside(text: string, write: boolean, now: number): Failure {
  // PostgreSQL's DETAIL below holds the row, and in it the mail's own words.
  const [said = ""] = text.trimStart().split(/[\r\n]/, 1);
  const reason = `Tryton: ${oneLine(said)}`;
  if (/^'\w+(\.\w+)+'$/.test(text))
    return { kind: "blocked", reason: `${reason} is not there; activate the modules named in docs/crm/tryton.md` };
  // PostgreSQL undid it: another call was faster.
  if (/could not serialize access|deadlock detected|could not obtain lock|lock timeout|statement timeout/i.test(said))
    return { kind: "retryable", reason };
  // A full disk, and the like: undone, and no word on this mail.
  if (outOfRoom.test(said)) return { kind: "rate_limited", reason, until: now + placePauseMs };
  // The database went away: whether the last commit came through is not known.
  if (wentAway.test(said)) return { kind: write ? "ambiguous" : "retryable", reason };
  return { kind: "permanent", reason };
}

/** Of a login: it writes nothing that counts. */
export function loginRefusal(answer: WireResponse, now: number): Failure | undefined {
  if (answer.status === 401)
    return {
      kind: "blocked",
      reason: "Tryton answered 401: it does not take this user and password; see docs/crm/tryton.md, The user",
    };
  return classify(answer, false, now);
}
