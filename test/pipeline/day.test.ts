import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DayBudget } from "../../src/model/budget.ts";
import { Refused } from "../../src/model/outcome.ts";
import { openDay } from "../../src/pipeline/day.ts";
import { openFlight } from "../../src/pipeline/flight.ts";

const hour = 3_600_000;
const noon = Date.UTC(2026, 10, 24, 12);
const credits: DayBudget = { unit: "credits", most: 1_000, renews: "rolling", liveReserve: 20 };
const calls: DayBudget = { unit: "calls", most: undefined, renews: "unsaid", liveReserve: 20 };

function opened(budget: DayBudget) {
  const clock = { at: noon, now: () => clock.at };
  return { clock, day: openDay(budget, clock) };
}
const refusal = (work: () => void) => {
  try {
    work();
  } catch (error) {
    if (error instanceof Refused) return error.failure;
    throw error;
  }
  return undefined;
};

describe("a day's budget", () => {
  test("keeps old mail waiting once only the reserve of live mail is left, and lets live mail use that to its end", () => {
    const { day, clock } = opened(credits);
    for (let n = 0; n < 799; n++) day.spend(1);
    expect(day.oldMailWaits()).toBeUndefined();
    day.spend(1);
    expect(day.oldMailWaits()).toMatchObject({
      until: noon + 24 * hour,
      reason: expect.stringContaining("200 of the day's 1000 credits"),
    });
    for (let n = 0; n < 200; n++) day.spend(1);
    expect(refusal(() => day.spend(1))).toMatchObject({ kind: "rate_limited", until: noon + 24 * hour });
    clock.at += 23 * hour;
    expect(refusal(() => day.spend(1))).toBeDefined();
    clock.at += hour;
    day.spend(1);
    expect(day.oldMailWaits()).toBeUndefined();
    expect(day.standing()).toEqual({ most: 1_000, left: 999 });
  });

  test("of a rolling day comes back by the hour in which it was used", () => {
    const { day, clock } = opened(credits);
    for (let n = 0; n < 500; n++) day.spend(1);
    clock.at += 3 * hour;
    for (let n = 0; n < 400; n++) day.spend(1);
    expect(day.oldMailWaits()?.until).toBe(noon + 24 * hour);
    clock.at = noon + 24 * hour;
    expect(day.standing()?.left).toBe(600);
  });

  test("that ends at midnight is whole again then", () => {
    const { day, clock } = opened({ ...credits, renews: "utc" });
    for (let n = 0; n < 900; n++) day.spend(1);
    expect(day.oldMailWaits()?.until).toBe(Date.UTC(2026, 10, 25));
    clock.at = Date.UTC(2026, 10, 25);
    expect(day.standing()?.left).toBe(1_000);
  });

  test("is what the vendor tells, which counts others' calls too, less our own since; and is looked at again after an hour", () => {
    const { day, clock } = opened({ ...calls, others: { percent: 10 } });
    expect(day.standing()).toBeUndefined();
    expect(day.oldMailWaits()).toBeUndefined();
    day.told({ most: 1_000, left: 310 });
    day.spend(1);
    expect(day.standing()).toEqual({ most: 1_000, left: 309 });
    expect(day.oldMailWaits()).toBeUndefined();
    for (let n = 0; n < 9; n++) day.spend(1);
    expect(day.oldMailWaits()).toMatchObject({ until: noon + hour });
    clock.at += hour + 1;
    expect(day.oldMailWaits(), "one look, by whoever goes first").toBeUndefined();
    day.told({ most: 1_000, left: 250 });
    expect(day.oldMailWaits()).toBeDefined();
  });

  test("says all that it is kept for, and that old mail waits for ever where that is the whole of it", () => {
    const reason = (most: number, left: number) => {
      const { day } = opened({ ...calls, others: { units: 800 } });
      day.told({ most, left });
      return day.oldMailWaits()?.reason;
    };
    expect(reason(10_000, 2_500)).toBe(
      "2500 of the day's 10000 calls are left: they are kept for live mail (20 %) and for the account's other programs (800), and old mail waits",
    );
    expect(reason(1_000, 1_000)).toMatch(/old mail waits, every day.*live_reserve_percent has to be less/);
  });

  test("where the vendor tells only what is left is held against the most that was left", () => {
    const { day } = opened(calls);
    day.told({ left: 900 });
    expect(day.oldMailWaits()).toBeUndefined();
    day.told({ left: 180 });
    expect(day.oldMailWaits()?.reason).toContain("180 of the day's 900");
  });

  test("falls with the plan within some days where the vendor tells only what is left, also over restarts", () => {
    let { day, clock } = opened(calls);
    const told = (left: number) => {
      day.told({ left });
      const kept = day.toKeep(4) ?? day.atRest();
      day = openDay(calls, clock);
      day.restore(kept ?? "");
      return day.standing()?.most;
    };
    expect(told(10_000)).toBe(10_000);
    clock.at += 24 * hour;
    expect(told(9_000), "a day in which it was busy").toBe(10_000);
    for (let days = 0; days < 4; days++) {
      clock.at += 24 * hour;
      told(1_000);
      expect(told(300)).toBeGreaterThanOrEqual(1_000);
    }
    expect(told(300)).toBe(1_000);
    day.told({ left: 300 });
    expect(day.oldMailWaits(), "a fifth of the smaller plan").toBeUndefined();
  });

  test("of nothing, which is no plan that anybody has, is not believed", () => {
    const { day } = opened(calls);
    day.told({ most: 0, left: 0 });
    expect(day.oldMailWaits()).toBeUndefined();
  });

  test("survives any kill, at any call, with no call forgotten and few counted too much; and any stop with none", () => {
    const some = fc.record({ calls: fc.integer({ min: 0, max: 300 }), killed: fc.boolean() });
    fc.assert(
      fc.property(fc.array(some, { minLength: 1, maxLength: 6 }), (runs) => {
        const clock = { at: noon, now: () => clock.at };
        const budget = { ...credits, most: 100_000 };
        let kept: string | undefined;
        let spent = 0;
        for (const { calls, killed } of runs) {
          const day = openDay(budget, clock);
          if (kept !== undefined) day.restore(kept);
          for (let n = 0; n < calls; n++) {
            // The lane looks before it takes work, at the latest after what was in hand.
            if (n % 40 === 0) kept = day.toKeep(4) ?? kept;
            day.spend(1);
            spent++;
          }
          if (!killed) kept = day.atRest() ?? kept;
        }
        const last = openDay(budget, clock);
        last.restore(kept ?? "");
        const left = last.standing()?.left ?? 0;
        expect(left).toBeLessThanOrEqual(100_000 - spent);
        const kills = runs.filter(({ killed, calls }) => killed && calls > 0).length;
        expect(left).toBeGreaterThanOrEqual(100_000 - spent - 128 * kills);
      }),
      { numRuns: 50 },
    );
  });

  test("kept by another version, or broken, is no reason to stop", () => {
    const { day } = opened(credits);
    for (const kept of ["", "{", "[]", '{"hours":[["x",1]]}']) day.restore(kept);
    expect(day.standing()?.left).toBe(1_000);
  });

  test("under a clock set back is not free again, and none ahead of it is lost", () => {
    const { day, clock } = opened(credits);
    for (let n = 0; n < 900; n++) day.spend(1);
    clock.at -= 10 * 24 * hour;
    expect(day.standing()?.left).toBe(100);
    clock.at += 24 * hour;
    expect(day.standing()?.left).toBe(1_000);
  });
});

describe("calls in flight", () => {
  test("are the width at most, half of it after a word of the vendor's, and more again as time goes by", async () => {
    const clock = { at: noon, now: () => clock.at, sleep: () => new Promise<void>(() => undefined) };
    const flight = openFlight(4, clock);
    let most = 0;
    let inFlight = 0;
    const call = async (work: () => Promise<void>) => {
      await flight.enter(60_000);
      most = Math.max(most, ++inFlight);
      await work();
      inFlight--;
      flight.leave();
    };
    const wave = async () => {
      most = 0;
      await Promise.all(Array.from({ length: 20 }, () => call(async () => await Promise.resolve())));
      return most;
    };
    expect(await wave()).toBe(4);
    await Promise.all(Array.from({ length: 4 }, () => call(async () => flight.crowded())));
    expect(await wave()).toBe(2);
    clock.at += 600_000;
    expect(await wave()).toBe(3);
    clock.at += 6_000_000;
    expect(await wave()).toBe(4);
  });
});
