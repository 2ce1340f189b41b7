/** The token bucket of a lane: keeps calls under the vendor's published limits, each budget (search, default) by itself. */
import type { Limit } from "../model/destination.ts";
import { Refused } from "../model/outcome.ts";
import type { Clock } from "../model/ports.ts";
import { openPace } from "./pace.ts";

export interface Bucket {
  /**
   * Resolves when a call on this budget may leave. Refused (rate_limited: nothing was sent) for a call that would wait longer than
   * `longestWaitMs`, for a pause to end or for its turn: the deadline of its intent must not pass while it stands in line. A short pause is
   * waited for, since what is refused half way begins anew, and a crowd that begins anew at once never comes to its end.
   */
  take(budget: string): Promise<void>;
  /** The vendor asked for silence until then. */
  pause(until: number, reason: string): void;
}

export const longestWaitMs = 20_000;
const tooLong = "more calls wait for their turn than the limit lets through soon";

interface Level {
  readonly capacity: number;
  readonly perMs: number;
  tokens: number;
  at: number;
  /** Calls wait in line, so that each waits for a token of its own. */
  line: Promise<void>;
  waiting: number;
}

/**
 * Vendors count in rolling windows, where a bucket that starts full allows nearly twice the limit in its first window. A tenth of the
 * limit may burst and the other nine tenths flow: never more than the limit in any window, and at least 90 % of it in use.
 */
function levelOf(limit: Limit, now: number): Level {
  const capacity = Math.max(1, Math.floor(limit.calls / 10));
  const flow = Math.max(limit.calls - capacity, 0.5);
  return { capacity, perMs: flow / limit.perMs, tokens: capacity, at: now, line: Promise.resolve(), waiting: 0 };
}

export function openBucket(limits: readonly Limit[], clock: Clock): Bucket {
  const levels = new Map<string, Level[]>();
  for (const limit of limits) {
    levels.set(limit.budget, [...(levels.get(limit.budget) ?? []), levelOf(limit, clock.now())]);
  }
  const pace = openPace(clock);
  let paused: { since: number; until: number; reason: string } | undefined;

  /** A clock set back must not stretch a pause by the time it was set back: from its new time on, the pause is as long as it was meant. */
  function pauseNow(now: number): { until: number; reason: string } | undefined {
    if (paused !== undefined && now < paused.since)
      paused = { ...paused, since: now, until: now + paused.until - paused.since };
    return paused !== undefined && paused.until > now ? paused : undefined;
  }

  function refill(level: Level): void {
    const now = clock.now();
    // A clock set back must not stop the flow for the time it was set back.
    level.tokens = Math.min(level.capacity, level.tokens + Math.max(0, now - level.at) * flow(level));
    level.at = now;
  }

  const flow = ({ perMs }: Level): number => perMs * pace.now();

  /** Waits for a pause that ends before `latest`. */
  async function silence(latest: number): Promise<void> {
    for (;;) {
      const now = clock.now();
      const pause = pauseNow(now);
      if (pause === undefined) return;
      const { reason, until } = pause;
      if (until > Math.min(latest, now + longestWaitMs)) throw new Refused({ kind: "rate_limited", reason, until });
      await clock.sleep(until - now);
    }
  }

  function refuseLongWait(level: Level): void {
    refill(level);
    const waitMs = Math.ceil((level.waiting + 1 - level.tokens) / flow(level));
    if (waitMs > longestWaitMs)
      throw new Refused({ kind: "rate_limited", reason: tooLong, until: clock.now() + waitMs });
  }

  async function takeFrom(level: Level, latest: number): Promise<void> {
    for (;;) {
      await silence(latest);
      refill(level);
      if (level.tokens >= 1) {
        level.tokens -= 1;
        return;
      }
      await clock.sleep(Math.ceil((1 - level.tokens) / flow(level)));
    }
  }

  return {
    async take(budget) {
      // A pause that begins while it waits may be as long again.
      const latest = clock.now() + 2 * longestWaitMs;
      for (const level of levels.get(budget) ?? []) {
        await silence(latest);
        refuseLongWait(level);
        level.waiting++;
        const turn = level.line.then(() => takeFrom(level, latest)).finally(() => level.waiting--);
        level.line = turn.catch(() => undefined);
        await turn;
      }
      await silence(latest);
    },
    pause(until, reason) {
      // Our own word, and no silence that the vendor asked for: what stands in line already goes on.
      if (reason === tooLong) return;
      const now = clock.now();
      const before = pauseNow(now);
      // Calls that were under way together are refused together: that is one refusal.
      if (before === undefined) pace.slower(until);
      if (until > (before?.until ?? Number.NEGATIVE_INFINITY)) paused = { since: now, until, reason };
    },
  };
}
