/** HubSpot's limits: a rolling ten-second window per token, a day per account, and searches by the second in a window of their own. */
import type { Clock } from "../../model/ports.ts";
import type { HubspotSandboxOptions } from "./options.ts";
import { Refusal } from "./reply.ts";

export interface RateLimits {
  /** Counts a call, or refuses it. Answers the headers that such a call carries. */
  count(token: string, kind: "default" | "search" | "exempt"): Record<string, string>;
}

const windowMs = 10_000;

export function openLimits({ limits, timeZone }: HubspotSandboxOptions, clock: Pick<Clock, "now">): RateLimits {
  if (limits === "off") return { count: () => ({}) };
  const windows = new Map<string, number[]>();
  const searches: number[] = [];
  let today = "";
  let usedToday = 0;
  const dayOf = new Intl.DateTimeFormat("en-CA", { timeZone });

  function roll(times: number[], spanMs: number, most: number, now: number): boolean {
    while (times[0] !== undefined && times[0] <= now - spanMs) times.shift();
    if (times.length >= most) return false;
    times.push(now);
    return true;
  }

  return {
    count(token, kind) {
      if (kind === "exempt") return {};
      const now = clock.now();
      if (kind === "search") {
        if (!roll(searches, 1_000, limits.searchPerSecond, now))
          throw tooMany("SECONDLY", "You have reached your secondly limit.");
        return {};
      }
      const day = dayOf.format(now);
      if (day !== today) usedToday = 0;
      today = day;
      if (usedToday >= limits.daily) throw tooMany("DAILY", "You have reached your daily limit.");
      const times = windows.get(token) ?? [];
      windows.set(token, times);
      if (!roll(times, windowMs, limits.burst, now))
        throw tooMany("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.");
      usedToday++;
      return {
        "x-hubspot-ratelimit-max": String(limits.burst),
        "x-hubspot-ratelimit-remaining": String(limits.burst - times.length),
        "x-hubspot-ratelimit-interval-milliseconds": String(windowMs),
        "x-hubspot-ratelimit-daily": String(limits.daily),
        "x-hubspot-ratelimit-daily-remaining": String(limits.daily - usedToday),
      };
    },
  };
}

/** No Retry-After: HubSpot documents none for its API. */
const tooMany = (policyName: string, message: string): Refusal =>
  new Refusal(429, { message, errorType: "RATE_LIMIT", policyName });
