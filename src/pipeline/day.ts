/** The budget of a day: what a lane has used of it, what the vendor says is left, and whether old mail may go on or what is left is for live mail. */
import { z } from "zod";
import type { DayBudget, OldMailWaits, Told } from "../model/budget.ts";
import { Refused } from "../model/outcome.ts";
import type { Clock } from "../model/ports.ts";

export interface Day {
  /** Before a call. Refused (rate_limited) where by our own count none are left. */
  spend(cost: number): void;
  told(day: NonNullable<Told["day"]>): void;
  /** Undefined while there is room for it. */
  oldMailWaits(): OldMailWaits | undefined;
  /** Undefined while nobody knows. */
  standing(): Standing | undefined;
  /** What was kept before a restart. */
  restore(kept: string): void;
  /** What to keep before so many deliveries are worked, where that is due. It runs ahead of what they use, so that a process that is killed forgets no call. */
  toKeep(inHand: number): string | undefined;
  /** What to keep when nothing is in hand any more: exactly what was used, so that a restart costs nothing of the day. */
  atRest(): string | undefined;
}

export interface Standing {
  readonly most: number;
  readonly left: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** What the vendor told is believed so long: others use the same budget. */
const believedMs = hourMs;
/** Kept ahead, of each delivery in hand and at most: more than its calls. Whoever is killed again and again loses so much of the day each time. */
const aheadOfEach = 32;
const aheadAtMost = 128;

/** In so long a day has begun anew, and showed all that the plan has. */
const peakMs = 2 * dayMs;

const peakSchema = z.object({ window: z.number(), now: z.number(), before: z.number() });
const keptSchema = z.object({
  hours: z.array(z.tuple([z.number(), z.number()])).max(100),
  told: z
    .object({
      left: z.number(),
      most: z.number().nullable(),
      at: z.number(),
      since: z.number(),
      peak: peakSchema.optional(),
    })
    .nullable(),
});

/** The most that was left, in this stretch of `peakMs` and in the one before: a plan that shrinks is noticed. */
type Peak = z.infer<typeof peakSchema>;

interface Said {
  readonly left: number;
  readonly most: number | null;
  readonly at: number;
  readonly peak?: Peak | undefined;
  /** Used by us since then. */
  since: number;
}

export function openDay(budget: DayBudget, clock: Pick<Clock, "now">): Day {
  const { unit, renews, liveReserve, others = {} } = budget;
  /** Units by the hour in which they were used. */
  let hours = new Map<number, number>();
  let said: Said | undefined;
  /** Used in all since the start, and up to where that was kept. */
  let count = 0;
  let keptUpTo = 0;

  const hourOf = (at: number): number => Math.floor(at / hourMs);

  /** Without what has come back. An hour that lies ahead is one of before the clock was set back: it counts as this one. */
  function current(now: number): Map<number, number> {
    const hour = hourOf(now);
    const first = renews === "utc" ? hourOf(now - (now % dayMs)) : hour - 23;
    const live = new Map<number, number>();
    for (const [at, units] of hours) {
      if (at < first) continue;
      const under = Math.min(at, hour);
      live.set(under, (live.get(under) ?? 0) + units);
    }
    hours = live;
    return live;
  }

  const used = (now: number): number => [...current(now).values()].reduce((sum, units) => sum + units, 0);

  function believed(now: number): Said | undefined {
    if (said === undefined || now < said.at || now - said.at > believedMs) return undefined;
    return renews === "utc" && Math.floor(now / dayMs) !== Math.floor(said.at / dayMs) ? undefined : said;
  }

  function standing(now: number): Standing | undefined {
    const vendor = believed(now);
    const own = budget.most === undefined ? undefined : budget.most - used(now);
    const left = vendor === undefined ? own : Math.min(vendor.left - vendor.since, own ?? Number.POSITIVE_INFINITY);
    if (left === undefined) return undefined;
    const most = budget.most ?? vendor?.most ?? said?.most;
    return most == null ? undefined : { most, left: Math.max(0, left) };
  }

  const othersUnits = (most: number): number => Math.max(others.units ?? 0, (most * (others.percent ?? 0)) / 100);

  /** When it is worth while to look again: what is used comes back by the hour, or all at midnight. */
  function nextLook(now: number, missing: number): number {
    if (renews === "utc") return now - (now % dayMs) + dayMs;
    if (renews === "unsaid" || believed(now) !== undefined) return now + believedMs;
    let back = 0;
    for (const [at, units] of [...current(now)].sort(([a], [b]) => a - b)) {
      back += units;
      if (back >= missing) return (at + 24) * hourMs;
    }
    return now + hourMs;
  }

  function peakWith(left: number, at: number): Peak {
    const window = Math.floor(at / peakMs);
    const last = said?.peak ?? { window: Math.floor((said?.at ?? at) / peakMs), now: said?.most ?? 0, before: 0 };
    if (window === last.window) return { ...last, now: Math.max(last.now, left) };
    return { window, now: left, before: last.now };
  }

  function keep(ahead: number): string {
    keptUpTo = count + ahead;
    const now = clock.now();
    const [all, hour] = [new Map(current(now)), hourOf(now)];
    if (ahead > 0) all.set(hour, (all.get(hour) ?? 0) + ahead);
    const told = said === undefined ? null : { ...said, since: said.since + ahead };
    return JSON.stringify({ hours: [...all], told });
  }

  return {
    spend(cost) {
      const now = clock.now();
      if (budget.most !== undefined && used(now) + cost > budget.most) {
        const reason = `${budget.most} ${unit} of a day are used, which is all that this lane may use`;
        throw new Refused({ kind: "rate_limited", reason, until: nextLook(now, cost) });
      }
      const hour = hourOf(now);
      hours.set(hour, (hours.get(hour) ?? 0) + cost);
      count += cost;
      if (said !== undefined) said.since += cost;
    },
    told({ left, most }) {
      // A day without any call is no plan that anybody has: old mail would wait for ever.
      if (most !== undefined && most < 1) return;
      const at = clock.now();
      // Where it tells only what is left, the most that was left lately is the day's.
      const peak = peakWith(left, at);
      said = { left, most: most ?? Math.max(peak.now, peak.before), at, since: 0, peak };
    },
    oldMailWaits() {
      const now = clock.now();
      const is = standing(now);
      if (is === undefined) return undefined;
      const toOthers = othersUnits(is.most);
      const reserved = toOthers + (is.most * liveReserve) / 100;
      if (is.left > reserved) return undefined;
      const also = toOthers === 0 ? "" : ` and for the account's other programs (${Math.ceil(toOthers)})`;
      const kept = `they are kept for live mail (${liveReserve} %)${also}`;
      const forEver =
        reserved < is.most ? "" : ", every day, since that is all of it: live_reserve_percent has to be less";
      const reason = `${Math.floor(is.left)} of the day's ${is.most} ${unit} are left: ${kept}, and old mail waits${forEver}`;
      return { until: nextLook(now, reserved - is.left + 1), reason };
    },
    standing: () => standing(clock.now()),
    restore(kept) {
      const parsed = parse(kept);
      if (parsed === undefined) return;
      for (const [at, units] of parsed.hours) hours.set(at, (hours.get(at) ?? 0) + units);
      said ??= parsed.told ?? undefined;
    },
    toKeep(inHand) {
      const ahead = Math.min(aheadOfEach * inHand, aheadAtMost);
      return count > keptUpTo - ahead / 2 ? keep(ahead) : undefined;
    },
    atRest: () => (keptUpTo === count ? undefined : keep(0)),
  };
}

function parse(kept: string): z.output<typeof keptSchema> | undefined {
  try {
    return keptSchema.parse(JSON.parse(kept));
  } catch {
    // Nothing is lost by it but a count of calls, which the vendor keeps too.
    return undefined;
  }
}
