/** What an answer of Close's means: the table of docs/crm/close.md as a pure function. Close documents no shape of errors. */
import { z } from "zod";
import type { Failure } from "../../model/outcome.ts";
import type { WireResponse } from "../../model/wire.ts";
import { boundedPause, edge, isUnreadable, oneLine, redirected, retryAfterMs } from "../shared/words.ts";

const words = z.string().optional().catch(undefined);
const errorBody = z.object({
  error: words,
  errors: z.array(z.unknown()).optional().catch(undefined),
  "field-errors": z.record(z.string(), z.unknown()).optional().catch(undefined),
});

export function classify(answer: WireResponse, write: boolean, now: number): Failure | undefined {
  const { status } = answer;
  const reason = reasonOf(answer);
  if (status >= 200 && status < 300) {
    if (!isUnreadable(answer)) return undefined;
    const unread = `Close answered ${status} with a body that cannot be read`;
    return { kind: write ? "ambiguous" : "retryable", reason: unread };
  }
  if (status >= 500) return { kind: write ? "ambiguous" : "retryable", reason };
  if (status < 400) return redirected(reason);
  switch (status) {
    case 429:
      return { kind: "rate_limited", reason, until: now + pauseOf(answer, now) };
    case 401:
      return { kind: "blocked", reason: `${reason}; Close does not take the API key: renew it (docs/crm/close.md)` };
    case 402:
      return { kind: "blocked", reason: `${reason}; the plan of this Close organization is at its limit` };
    case 403:
      return isEdge(answer)
        ? edge("Close", reason, now)
        : { kind: "blocked", reason: `${reason}; the key's user lacks a right` };
    case 404:
      if (isEdge(answer)) return edge("Close", reason, now);
      return write ? { kind: "permanent", reason } : undefined;
    case 408:
    case 423:
    case 425:
      return { kind: "retryable", reason };
    default:
      return isEdge(answer) ? edge("Close", reason, now) : { kind: "permanent", reason };
  }
}

/** A 4xx without Close's own JSON is a proxy's: no word on this mail. */
const isEdge = ({ json }: WireResponse): boolean => typeof json !== "object" || json === null;

export const isUnclassified = (status: number): boolean =>
  status >= 400 &&
  status < 500 &&
  ![400, 401, 402, 403, 404, 405, 408, 409, 413, 415, 422, 423, 425, 429].includes(status);

/** Only headers count: the body of a 429 is deprecated since 2024-04-24. https://developer.close.com/api/overview/rate-limits */
function pauseOf({ headers }: WireResponse, now: number): number {
  return retryAfterMs(headers["retry-after"], now) ?? rateOf(headers.ratelimit)?.resetMs ?? 10_000;
}

/** Its windows are of seconds: what is longer is a time of some other kind, and a 429 says its own. */
const longestResetMs = 60_000;

/** `limit=100, remaining=50, reset=5`, the reset in seconds, perhaps with a fraction; undefined where it says no such thing. */
export function rateOf(
  header: string | undefined,
): { readonly remaining: number; readonly resetMs: number } | undefined {
  const figure = (name: string): number =>
    Number(
      new RegExp(`\\b${name}\\s{0,4}=\\s{0,4}(\\d{1,9}(?:\\.\\d{1,9})?)`).exec((header ?? "").slice(0, 500))?.[1] ??
        Number.NaN,
    );
  const [remaining, resetMs] = [figure("remaining"), boundedPause(figure("reset") * 1_000)];
  return Number.isFinite(remaining) && resetMs !== undefined && resetMs <= longestResetMs
    ? { remaining, resetMs }
    : undefined;
}

/** Close's own words, wherever it put them. */
export function reasonOf({ status, json }: WireResponse): string {
  const head = `Close answered ${status}`;
  const body = errorBody.safeParse(json).data;
  if (body === undefined) return head;
  const fields = Object.entries(body["field-errors"] ?? {}).map(([name, said]) => `${name}: ${textOf(said)}`);
  const said = [body.error, ...(body.errors ?? []).map(textOf), ...fields].filter(
    (part) => part !== undefined && part !== "",
  );
  return said.length === 0 ? head : `${head}: ${oneLine(said.join("; "))}`;
}

const textOf = (said: unknown): string => (typeof said === "string" ? said : (JSON.stringify(said) ?? ""));
