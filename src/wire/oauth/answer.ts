/** What the answer of a token endpoint means: a token, or a refusal of one of the kinds that the pipeline knows. Pure; answers are hostile. */
import { z } from "zod";
import type { Failure } from "../../model/outcome.ts";
import type { Token } from "../../model/tokens.ts";
import type { WireResponse } from "../../model/wire.ts";

const second = 1_000;
const minute = 60 * second;
const day = 24 * 60 * minute;
/** No vendor's bearer token is known to be longer than some 5 KiB (Microsoft's, with many groups). */
const longestToken = 16 * 1024;
/** A year: whoever says more means that it does not end. */
const longestLifeMs = 365 * day;
/** Where the vendor does not say how long a token lives (Salesforce): asked for again after that, or at the first 401. */
const defaultLifeMs = 30 * minute;

/** RFC 6749 appendix A.12: visible ASCII and the space; a space or a control in it could only be meant to break a header line. */
const tokenText = z
  .string()
  .regex(/^[\x21-\x7e]+$/)
  .max(longestToken);
const seconds = z.union([
  z.number(),
  z
    .string()
    .regex(/^\d{1,12}(?:\.\d{1,9})?$/)
    .transform(Number),
]);

/** RFC 6749 §5.1. */
const tokenSchema = z.object({
  access_token: tokenText,
  token_type: z.string().max(100).optional(),
  expires_in: seconds.nullish(),
  refresh_token: tokenText.nullish(),
});
/** RFC 6749 §5.2. */
const errorSchema = z
  .object({
    error: z.string().optional().catch(undefined),
    error_description: z.string().optional().catch(undefined),
    // Not in the RFC, and seen all the same (HubSpot).
    status: z.string().optional().catch(undefined),
    message: z.string().optional().catch(undefined),
  })
  .transform(({ error, error_description, status, message }) => ({
    code: error ?? status,
    words: error_description ?? message ?? "",
  }));

export interface Reading {
  /** Names the account in sentences. */
  readonly account: string;
  /** Epoch ms: when the request left, and when its answer was here. */
  readonly asked: number;
  readonly now: number;
  readonly secrets: readonly string[];
  readonly lifeMs?: number | undefined;
  /** Fields of the answer to keep. */
  readonly keep?: readonly string[] | undefined;
}

export type Read =
  | { readonly kind: "token"; readonly token: Token }
  | { readonly kind: "refused"; readonly failure: Failure };

export function readAnswer(answer: WireResponse, reading: Reading): Read {
  const given = isSuccess(answer) ? tokenSchema.safeParse(answer.json) : undefined;
  if (given?.success === true && isBearer(given.data.token_type))
    return { kind: "token", token: tokenOf(given.data, answer.json, reading) };
  return { kind: "refused", failure: refusalOf(answer, reading) };
}

const isSuccess = ({ status }: WireResponse): boolean => status >= 200 && status < 300;

/** RFC 6749 §7.1: a type that is not understood must not be used. Zoho calls its bearer tokens by both names. */
const isBearer = (type = "bearer"): boolean => /^(?:bearer|zoho-oauthtoken)$/i.test(type.trim());

function tokenOf(given: z.output<typeof tokenSchema>, whole: unknown, reading: Reading): Token {
  const { asked, lifeMs = defaultLifeMs, keep = [] } = reading;
  const said = given.expires_in;
  const life = said === undefined || said === null ? lifeMs : Math.min(Math.max(0, said * second), longestLifeMs);
  const extra = extraOf(whole, keep);
  return {
    accessToken: given.access_token,
    // Counted from when the request left: the endpoint's clock began to run somewhere after that.
    expiresAt: Math.floor(asked + life),
    ...(given.refresh_token === undefined || given.refresh_token === null ? {} : { refreshToken: given.refresh_token }),
    ...(extra === undefined ? {} : { extra }),
  };
}

const longestExtra = 2_000;

function extraOf(whole: unknown, keep: readonly string[]): Record<string, string> | undefined {
  const found: [string, string][] = [];
  for (const name of keep) {
    const value: unknown = Object(whole)[name];
    if (typeof value === "string" && value.length <= longestExtra && /^[\x20-\x7e]*$/.test(value))
      found.push([name, value]);
  }
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

/** What an operator has to mend, and what the vendor will mend by itself. Anything else that has a name is the operator's. */
const weather = new Set(["temporarily_unavailable", "server_error", "slow_down"]);

function refusalOf(answer: WireResponse, reading: Reading): Failure {
  const { status } = answer;
  const error = errorSchema.safeParse(answer.json);
  const code =
    error.success && error.data.code !== undefined ? sayable(error.data.code, reading.secrets, 60) : undefined;
  const words = error.success ? sayable(error.data.words, reading.secrets, 200) : "";
  const said = `the token endpoint of ${reading.account} answered ${status}${code === undefined ? "" : ` ${code}`}${words === "" ? "" : `: ${words}`}`;
  const wait = waitMs(answer, `${code ?? ""} ${words} ${answer.text.slice(0, 500)}`, reading.now);
  if (wait !== undefined) return { kind: "rate_limited", reason: said, until: reading.now + wait };
  if (status >= 500 || status === 408 || status === 425) return { kind: "retryable", reason: said };
  if (code !== undefined) {
    if (weather.has(code)) return { kind: "retryable", reason: said };
    return { kind: "blocked", reason: `${said}; ${mend(code)}` };
  }
  // A login page, a proxy's page, a page of a server under maintenance: some say 200 to that.
  const kind = looksLikePage(answer) ? "a page" : "something that is no token";
  const reason = `${said}, with ${kind}; if it stays so, look at the endpoint`;
  // 403 with a page is an edge that thinks us too busy (Pipedrive's), or too unknown.
  return isSuccess(answer) || status === 403 ? { kind: "retryable", reason } : { kind: "blocked", reason };
}

function mend(code: string): string {
  switch (code) {
    case "invalid_grant":
    case "invalid_code":
    case "access_denied":
    case "interaction_required":
    case "consent_required":
      return "the sign-in was taken back, has run out or was used elsewhere: sign in again";
    case "invalid_client":
    case "invalid_client_secret":
    case "unauthorized_client":
      return "look at client id and secret, at what the application may do, and at whether the secret has run out";
    case "invalid_scope":
      return "the application may not ask for this scope";
    default:
      return "look at the sign-in's settings";
  }
}

const longestWaitMs = day;
/** Zoho's window: ten tokens in ten minutes, and no Retry-After. */
const unsaidWaitMs = 10 * minute;

function waitMs(answer: WireResponse, words: string, now: number): number | undefined {
  const asked = retryAfterMs(answer.headers["retry-after"], now);
  if (answer.status === 429) return asked ?? minute;
  // Zoho, under 200 or 400: "Access Denied", "You have made too many requests continuously."
  if (/too many requests/i.test(words) || (isSuccess(answer) && /access[ _]denied/i.test(words)))
    return asked ?? unsaidWaitMs;
  return answer.status === 503 ? asked : undefined;
}

/** RFC 9110 §10.2.3: seconds or a date; a second at least, a day at most. */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * second : Date.parse(value) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, second), longestWaitMs) : undefined;
}

const looksLikePage = ({ headers, text }: WireResponse): boolean =>
  /html/i.test(headers["content-type"] ?? "") || /^\s*</.test(text);

/** A vendor's words, printable and short, without any secret that they repeat. */
export function sayable(text: string, secrets: readonly string[], most: number): string {
  let said = text;
  for (const secret of secrets) {
    if (secret.length >= 4) said = said.replaceAll(secret, "***").replaceAll(encodeURIComponent(secret), "***");
  }
  said = said.replace(/[^\p{L}\p{N}\p{P}\p{S} ]+/gu, " ").trim();
  return said.length > most ? `${said.slice(0, most)}…` : said;
}

/** How far the endpoint's clock is ahead of ours, in ms, as its Date header says. */
export function clockAheadMs(answer: WireResponse, now: number): number {
  const date = Date.parse(answer.headers.date ?? "");
  return Number.isFinite(date) ? date - now : 0;
}
