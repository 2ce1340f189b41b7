/** Close's limits: a bucket for each kind of call and key, one for the organization that holds three times as much, and a header that says what is left. */
import type { Clock } from "../../model/ports.ts";
import type { CloseSandboxOptions, Limits } from "./options.ts";
import { Refusal } from "./reply.ts";

export interface RateLimits {
  /** Counts a call, or refuses it with an empty body. Answers the headers that such a call carries. */
  count(key: string, kind: string): Record<string, string>;
}

const organizationShare = 3;

export function openLimits({ limits }: CloseSandboxOptions, clock: Pick<Clock, "now">): RateLimits {
  return limits === "off" ? { count: () => ({}) } : openBuckets(limits, clock);
}

function openBuckets(limits: Limits, clock: Pick<Clock, "now">): RateLimits {
  const buckets = new Map<string, { since: number; used: number }>();

  function bucketOf(name: string, now: number) {
    const known = buckets.get(name);
    if (known !== undefined && now - known.since < limits.perMs) return known;
    const fresh = { since: now, used: 0 };
    buckets.set(name, fresh);
    return fresh;
  }

  return {
    count(key, kind) {
      const now = clock.now();
      const [own, all] = [bucketOf(`${key} ${kind}`, now), bucketOf(`organization ${kind}`, now)];
      const reset = Math.max(1, Math.ceil((own.since + limits.perMs - now) / 1_000));
      if (own.used + limits.early >= limits.calls || all.used >= limits.calls * organizationShare) {
        const left = limits.early > 0 ? limits.calls - own.used : 0;
        throw new Refusal(429, undefined, {
          "retry-after": String(reset),
          ratelimit: `limit=${limits.calls}, remaining=${left}, reset=${reset}`,
        });
      }
      own.used++;
      all.used++;
      return { ratelimit: `limit=${limits.calls}, remaining=${limits.calls - own.used}, reset=${reset}` };
    },
  };
}
