/** Pipedrive's limits: calls by the two seconds per token, searches in a window of their own, and a company's tokens a day. */
import type { Clock } from "../../model/ports.ts";
import type { PipedriveSandboxOptions } from "./options.ts";
import { EdgeRefusal, Refusal } from "./reply.ts";

export interface RateLimits {
  /** Counts a call and what it costs, or refuses it. Answers the headers that such a call carries. */
  count(token: string, kind: "default" | "search", cost: number): Record<string, string>;
  /** Tokens of this day so far. */
  used(): number;
}

const windowMs = 2_000;
const dayMs = 86_400_000;
/** Who goes on after this many refusals in a row of seconds is shut out by the proxy. */
const mostRefusals = 40;
const refusalsMs = 10_000;
const shutOutMs = 60_000;

export function openLimits({ limits, dailyHeaders }: PipedriveSandboxOptions, clock: Pick<Clock, "now">): RateLimits {
  let day = 0;
  let used = 0;
  if (limits === "off") {
    return {
      count(_token, _kind, cost) {
        used += cost;
        return {};
      },
      used: () => used,
    };
  }
  const windows = new Map<string, number[]>();
  const refusals: number[] = [];
  let shutUntil = 0;

  function refuse(now: number, error: string, headers: Record<string, string>): never {
    while (refusals[0] !== undefined && refusals[0] <= now - refusalsMs) refusals.shift();
    refusals.push(now);
    if (refusals.length > mostRefusals) shutUntil = now + shutOutMs;
    throw new Refusal(429, { error, errorCode: 429 }, headers);
  }

  return {
    used: () => used,
    count(token, kind, cost) {
      const now = clock.now();
      if (now < shutUntil) throw new EdgeRefusal(403);
      const today = Math.floor(now / dayMs);
      if (today !== day) used = 0;
      day = today;
      const most = kind === "search" ? limits.searches : limits.burst;
      const name = `${kind} ${token}`;
      const times = (windows.get(name) ?? []).filter((at) => at > now - windowMs);
      windows.set(name, times);
      const resetS = Math.max(1, Math.ceil(((times[0] ?? now) + windowMs - now) / 1000));
      const headers = (left: number): Record<string, string> => ({
        "x-ratelimit-limit": String(most),
        "x-ratelimit-remaining": String(left),
        "x-ratelimit-reset": String(resetS),
        ...(dailyHeaders
          ? {
              "x-daily-ratelimit-token-limit": String(limits.dailyTokens),
              "x-daily-ratelimit-token-remaining": String(Math.max(0, limits.dailyTokens - used)),
            }
          : {}),
      });
      if (used + cost > limits.dailyTokens) {
        const toMidnightS = Math.ceil(((today + 1) * dayMs - now) / 1000);
        const more = dailyHeaders
          ? { "x-daily-ratelimit-token-remaining": "0", "retry-after": String(toMidnightS) }
          : undefined;
        refuse(now, "Daily API token limit exceeded", { ...headers(most - times.length), ...more });
      }
      if (times.length >= most) refuse(now, "request over limit", headers(0));
      times.push(now);
      used += cost;
      return headers(most - times.length);
    },
  };
}
