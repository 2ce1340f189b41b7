/** The token bucket of a lane: keeps calls under the vendor's limits, as facts have them and its answers tell, each budget (search, default) by itself. */
import type { DayBudget, Limit, Told } from "../model/budget.ts";
import { Refused } from "../model/outcome.ts";
import type { Clock } from "../model/ports.ts";
import { type Day, openDay } from "./day.ts";
import { openFlight } from "./flight.ts";
import { openPace } from "./pace.ts";

export interface Bucket {
  /**
   * Resolves when a call on this budget may leave. Refused (rate_limited: nothing was sent) where the day's budget is used, and for a call that would wait longer than
   * `longestWaitMs`, for a pause to end or for its turn: the deadline of its intent must not pass while it stands in line. A short pause is
   * waited for, since what is refused half way begins anew, and a crowd that begins anew at once never comes to its end.
   */
  take(budget: string, cost?: number): Promise<void>;
  /** `take`, and a place among the calls in flight. A silence that the vendor asks for meanwhile is kept, and what never leaves costs nothing of the day. */
  begin(budget: string, cost: number): Promise<void>;
  /** The call that began is over; what its answer said of limits. */
  end(budget: string, told: Told | undefined): void;
  /** The vendor asked for silence until then. */
  pause(until: number, reason: string): void;
  /** Undefined where the vendor counts by no day. */
  readonly day: Day | undefined;
}

export interface BucketOptions {
  readonly day?: DayBudget | undefined;
  /** Calls in flight at once; default any number. */
  readonly width?: number;
}

export const longestWaitMs = 20_000;
/** A delivery that found no place is begun again after this. */
const placeAgainMs = 5_000;

const stoodTooLong = (reason: string, until: number): Refused =>
  new Refused({ kind: "rate_limited", reason, until, standing: true });

interface Level {
  readonly limit: Limit;
  capacity: number;
  perMs: number;
  tokens: number;
  at: number;
  /** The vendor said that none are left until then. */
  emptyUntil: number;
  /** Calls wait in line, so that each waits for a token of its own. */
  line: Promise<void>;
  waiting: number;
}

/**
 * Vendors count in rolling windows, where a bucket that starts full allows nearly twice the limit in its first window. A tenth of the
 * limit may burst and the other nine tenths flow: never more than the limit in any window, and at least 90 % of it in use.
 */
function flowOf(calls: number, perMs: number): { capacity: number; perMs: number } {
  const capacity = Math.max(1, Math.floor(calls / 10));
  return { capacity, perMs: Math.max(calls - capacity, 0.5) / perMs };
}

/** A proxy, or a vendor's mistake, can put any number into a header; a window of no length, or of years, would stop the lane. */
function sane({ most, left, perMs, resetMs }: NonNullable<Told["window"]>, limit: Limit) {
  const isWindow = perMs === undefined || (perMs >= limit.perMs / 10 && perMs <= limit.perMs * 10);
  const isMost = isWindow && most !== undefined && most >= 1 && most <= limit.calls * 100;
  const isReset = resetMs !== undefined && resetMs >= 0 && resetMs <= limit.perMs * 10;
  return {
    most: isMost ? most : undefined,
    left: left !== undefined && left >= 0 ? left : undefined,
    perMs: isWindow && perMs !== undefined ? perMs : limit.perMs,
    resetMs: isReset ? resetMs : undefined,
  };
}

function levelOf(limit: Limit, now: number): Level {
  const flow = flowOf(limit.calls, limit.perMs);
  const line = Promise.resolve();
  return { limit, ...flow, tokens: flow.capacity, at: now, emptyUntil: Number.NEGATIVE_INFINITY, line, waiting: 0 };
}

export function openBucket(limits: readonly Limit[], clock: Clock, options: BucketOptions = {}): Bucket {
  const levels = new Map<string, Level[]>();
  for (const limit of limits) {
    levels.set(limit.budget, [...(levels.get(limit.budget) ?? []), levelOf(limit, clock.now())]);
  }
  const day = options.day === undefined ? undefined : openDay(options.day, clock);
  const flight = openFlight(options.width ?? Number.POSITIVE_INFINITY, clock);
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
    // A clock set back must not stop the flow for the time it was set back, nor what the vendor said last longer for it.
    if (now < level.at) level.emptyUntil = now;
    level.tokens = Math.min(level.capacity, level.tokens + Math.max(0, now - level.at) * flow(level));
    if (now < level.emptyUntil) level.tokens = 0;
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

  const waitOf = (level: Level, calls: number): number =>
    Math.max(0, level.emptyUntil - clock.now()) + Math.ceil((calls - level.tokens) / flow(level));

  function refuseLongWait(level: Level): void {
    refill(level);
    const waitMs = waitOf(level, level.waiting + 1);
    if (waitMs > longestWaitMs)
      throw stoodTooLong("more calls wait for their turn than the limit lets through soon", clock.now() + waitMs);
  }

  async function takeFrom(level: Level, latest: number): Promise<void> {
    for (;;) {
      await silence(latest);
      refill(level);
      if (level.tokens >= 1) {
        level.tokens -= 1;
        return;
      }
      await clock.sleep(Math.max(1, waitOf(level, 1)));
    }
  }

  /** The shortest window of a budget is the one that answers speak of. */
  function adjust(level: Level, told: NonNullable<Told["window"]>): void {
    const { calls, fixed = false, share = 1 } = level.limit;
    const { most, left, perMs, resetMs } = sane(told, level.limit);
    refill(level);
    if (most !== undefined) {
      const ours = Math.max(1, Math.floor(most * share));
      Object.assign(level, flowOf(fixed ? Math.min(calls, ours) : ours, perMs));
      level.tokens = Math.min(level.tokens, level.capacity);
    }
    if (left === undefined) return;
    level.tokens = Math.min(level.tokens, left);
    // In a window that rolls, a tenth of it is over soon.
    if (left < 1) level.emptyUntil = clock.now() + Math.min(resetMs ?? perMs / 10, perMs);
  }

  async function stand(budget: string, latest: number): Promise<void> {
    for (const level of levels.get(budget) ?? []) {
      await silence(latest);
      refuseLongWait(level);
      level.waiting++;
      const turn = level.line.then(() => takeFrom(level, latest)).finally(() => level.waiting--);
      level.line = turn.catch(() => undefined);
      await turn;
    }
  }

  async function leave(budget: string, cost: number, latest: number): Promise<void> {
    await silence(latest);
    if (budget !== "token") day?.spend(cost);
  }

  // A pause that begins while it waits may be as long again.
  const latestLeave = (): number => clock.now() + 2 * longestWaitMs;

  function pause(until: number, reason: string): void {
    const now = clock.now();
    const before = pauseNow(now);
    // Calls that were under way together are refused together: that is one refusal.
    if (before === undefined) pace.slower(until);
    if (until > (before?.until ?? Number.NEGATIVE_INFINITY)) paused = { since: now, until, reason };
  }

  return {
    day,
    async take(budget, cost = 1) {
      const latest = latestLeave();
      await stand(budget, latest);
      await leave(budget, cost, latest);
    },
    async begin(budget, cost) {
      const latest = latestLeave();
      // In this order: whoever waits for a turn of its own budget holds no place that another could use.
      await stand(budget, latest);
      if (!(await flight.enter(longestWaitMs)))
        throw stoodTooLong("the calls in flight take long, and more wait for a place", clock.now() + placeAgainMs);
      try {
        await leave(budget, cost, latest);
      } catch (error) {
        flight.leave();
        throw error;
      }
    },
    end(budget, told) {
      const level = (levels.get(budget) ?? []).toSorted((a, b) => a.limit.perMs - b.limit.perMs)[0];
      if (told?.window !== undefined && level !== undefined) adjust(level, told.window);
      if (told?.day !== undefined) day?.told(told.day);
      if (told?.crowded === true) flight.crowded();
      if (told?.silence !== undefined) pause(told.silence.until, told.silence.reason);
      // Last of all: whoever has its place now goes at once, or keeps the silence.
      flight.leave();
    },
    pause,
  };
}
