/** What every vendor's answers have in common: their words made fit for a log, and the pause that they ask for. */
import type { Failure } from "../../model/outcome.ts";
import type { WireResponse } from "../../model/wire.ts";

const second = 1_000;
export const hour = 3_600 * second;
const longestPauseMs = 24 * hour;
export const maxReasonChars = 500;

/** One line, short, without addresses and tokens: it goes into logs and dead letters. */
export function oneLine(words: string): string {
  return (
    words
      .slice(0, 4 * maxReasonChars)
      // Controls and line separators could forge a log line; bidi marks could turn one around.
      .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ")
      .replace(/\b(Bearer|Basic)\s+\S+/gi, "$1 (token)")
      .replace(/\b(?:api|pat|oauth)[_-][\w.-]{6,}/g, "(token)")
      .replace(/[^\s"'<>()[\]{},;:@]+@[^\s"'<>()[\]{},;:@]+/g, "(address)")
      .toWellFormed()
      .slice(0, maxReasonChars)
  );
}

/** Between a second and a day. */
export const boundedPause = (ms: number): number | undefined =>
  Number.isFinite(ms) ? Math.min(Math.max(Math.ceil(ms), second), longestPauseMs) : undefined;

/** RFC 9110 §10.2.3: seconds or a date. */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  return boundedPause(/^\d+$/.test(value.trim()) ? Number(value) * second : Date.parse(value) - now);
}

/** `base_url` leads elsewhere: a redirect is never followed, and every call of the lane would meet it. */
export const redirected = (reason: string): Failure => ({
  kind: "blocked",
  reason: `${reason}, a redirect, which is not followed; look at base_url`,
});

/** A 4xx without the API's own JSON is an edge's or a proxy's: no word on this mail, and every call would meet it. */
export const edge = (vendor: string, reason: string, now: number): Failure => ({
  kind: "rate_limited",
  reason: `${reason}; not ${vendor}'s own answer, a proxy's perhaps`,
  until: now + hour,
});

/** A success that cannot be read says that something happened, not what. */
export const isUnreadable = ({ status, json }: WireResponse): boolean =>
  status !== 204 && (json === undefined || json === null);
