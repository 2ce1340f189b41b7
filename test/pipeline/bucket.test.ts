import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Limit } from "../../src/model/destination.ts";
import { Refused } from "../../src/model/outcome.ts";
import { openBucket } from "../../src/pipeline/bucket.ts";
import { turn, VirtualTime } from "../simulation/clock.ts";

/** True times at which calls left, when `callers` ask again as soon as they got one. */
async function callsMade(
  limit: Limit,
  forMs: number,
  callers: number,
  between?: (time: VirtualTime) => void,
): Promise<number[]> {
  const time = new VirtualTime(0);
  const bucket = openBucket([limit], time.clock());
  const calls: number[] = [];
  for (let caller = 0; caller < callers; caller++) {
    void (async () => {
      while (time.trueNow < forMs) {
        try {
          await bucket.take(limit.budget);
          calls.push(time.trueNow);
        } catch (error) {
          if (!(error instanceof Refused) || error.failure.kind !== "rate_limited") throw error;
          await time.clock().sleep(1_000);
        }
      }
    })();
  }
  await turn();
  while (time.trueNow < forMs && time.wakeNext()) {
    between?.(time);
    await turn();
  }
  return calls.filter((at) => at <= forMs);
}

function mostInAWindow(calls: readonly number[], perMs: number): number {
  let most = 0;
  let first = 0;
  for (const [index, at] of calls.entries()) {
    while ((calls[first] ?? at) <= at - perMs) first++;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

const limits = fc.record({
  budget: fc.constant("default"),
  calls: fc.integer({ min: 1, max: 250 }),
  perMs: fc.constantFrom(1_000, 10_000),
});

describe("the bucket", () => {
  test("never lets more than the limit through in any window of the limit's length", async () => {
    await fc.assert(
      fc.asyncProperty(limits, fc.integer({ min: 1, max: 12 }), async (limit, callers) => {
        const calls = await callsMade(limit, 3 * limit.perMs, callers);
        expect(mostInAWindow(calls, limit.perMs)).toBeLessThanOrEqual(limit.calls);
      }),
      { numRuns: 40 },
    );
  });

  test("uses at least nine tenths of what a vendor allows, from ten calls a window on", async () => {
    await fc.assert(
      fc.asyncProperty(limits, async ({ calls, ...rest }) => {
        const limit = { ...rest, calls: Math.max(10, calls) };
        const windows = 4;
        const made = await callsMade(limit, windows * limit.perMs, 10);
        expect(made.length).toBeGreaterThanOrEqual(Math.floor(0.9 * windows * limit.calls));
      }),
      { numRuns: 20 },
    );
  });

  test("under a clock that jumps about keeps flowing, and forward jumps give a tenth more at most each", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -864_000_000, max: 864_000_000 }), { minLength: 1, maxLength: 5 }),
        async (jumps) => {
          const limit = { budget: "default", calls: 100, perMs: 10_000 };
          const left = [...jumps];
          let waits = 0;
          const made = await callsMade(limit, 40_000, 3, (time) => {
            if (++waits % 50 === 0) time.jump(left.pop() ?? 0);
          });
          expect(made.length).toBeGreaterThanOrEqual(350);
          expect(mostInAWindow(made, limit.perMs)).toBeLessThanOrEqual(100 + 10 * jumps.length);
        },
      ),
      { numRuns: 20 },
    );
  });

  test("counts each budget by itself, and lets through at once what has no limit", async () => {
    const time = new VirtualTime(0);
    const bucket = openBucket([{ budget: "search", calls: 1, perMs: 1_000 }], time.clock());
    let searches = 0;
    void bucket.take("search").then(() => searches++);
    void bucket.take("search").then(() => searches++);
    for (let call = 0; call < 500; call++) await bucket.take("default");
    expect(searches).toBe(1);
    await time.advance(2_000);
    expect(searches).toBe(2);
  });

  test("holds a call to every limit of its budget", async () => {
    const time = new VirtualTime(0);
    const both: Limit[] = [
      { budget: "default", calls: 20, perMs: 1_000 },
      { budget: "default", calls: 30, perMs: 60_000 },
    ];
    const bucket = openBucket(both, time.clock());
    let calls = 0;
    for (let call = 0; call < 100; call++)
      void bucket.take("default").then(
        () => calls++,
        () => undefined,
      );
    await time.advance(59_999);
    expect(calls).toBeLessThanOrEqual(30);
    expect(calls).toBeGreaterThanOrEqual(10);
  });

  test("refuses a call that would wait longer than 20 s, and lets those go on that stand in line already", async () => {
    const time = new VirtualTime(0);
    const bucket = openBucket([{ budget: "default", calls: 1, perMs: 4_000 }], time.clock());
    const left: number[] = [];
    await bucket.take("default");
    const inLine = [1, 2].map(() => bucket.take("default").then(() => left.push(time.trueNow)));
    const refusal = await bucket.take("default").catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Refused);
    const { failure } = refusal as Refused;
    expect(failure).toMatchObject({ kind: "rate_limited", until: 24_000 });
    // What the lane makes no silence of.
    expect(failure).toHaveProperty("standing", true);
    await time.advance(16_000);
    await Promise.all(inLine);
    expect(left).toEqual([8_000, 16_000]);
    await time.advance(8_000);
    await bucket.take("default");
  });

  test("does not believe what no vendor can mean, and goes on as before", async () => {
    const windows = fc.record(
      {
        most: fc.constantFrom(0, 100, 999_999_999_999),
        left: fc.constantFrom(-1, 0, 5, 999_999_999_999),
        perMs: fc.constantFrom(0, 1, 10_000, 999_999_999_999),
        resetMs: fc.constantFrom(-1, 0, 999_999_999_999),
      },
      { requiredKeys: [] },
    );
    const limit: Limit = { budget: "default", calls: 100, perMs: 10_000 };
    await fc.assert(
      fc.asyncProperty(windows, async (window) => {
        const time = new VirtualTime(0);
        const bucket = openBucket([limit], time.clock());
        bucket.end("default", { window });
        const left: number[] = [];
        const all = Array.from({ length: 60 }, async () => {
          await bucket.take("default");
          left.push(time.trueNow);
        });
        await Promise.all([Promise.all(all), time.advance(15_000)]);
        expect(left.length).toBe(60);
        expect(mostInAWindow(left, 1_000), "no more at once than a tenth of what it told of").toBeLessThanOrEqual(20);
      }),
      { numRuns: 100 },
    );
  });

  describe("paused", () => {
    test("for long refuses calls until then, also those that stood in line, and sends nothing", async () => {
      const time = new VirtualTime(0);
      const bucket = openBucket([{ budget: "default", calls: 10, perMs: 1_000 }], time.clock());
      await bucket.take("default");
      const inLine = bucket.take("default").catch((error: unknown) => error);
      bucket.pause(50_000, "the vendor's words");
      await time.advance(1_000);
      const refusal = await inLine;
      expect(refusal).toBeInstanceOf(Refused);
      expect((refusal as Refused).failure).toEqual({
        kind: "rate_limited",
        reason: "the vendor's words",
        until: 50_000,
      });
      await expect(bucket.take("default")).rejects.toThrow("the vendor's words");
      await time.advance(49_001);
      await bucket.take("default");
    });

    test("for a moment lets calls wait for its end, in the order in which they came", async () => {
      const time = new VirtualTime(0);
      const bucket = openBucket([{ budget: "default", calls: 10, perMs: 1_000 }], time.clock());
      await bucket.take("default");
      const left: [string, number][] = [];
      const take = (name: string) => bucket.take("default").then(() => left.push([name, time.trueNow]));
      const all = [take("a"), take("b")];
      bucket.pause(5_000, "the vendor's words");
      all.push(take("c"));
      await time.advance(4_999);
      expect(left).toEqual([]);
      await time.advance(2_000);
      await Promise.all(all);
      expect(left.map(([name]) => name)).toEqual(["a", "b", "c"]);
      expect(left[0]?.[1]).toBeGreaterThanOrEqual(5_000);
    });

    test("halves the flow each time, and has all of it again when the vendor is content for some time", async () => {
      const time = new VirtualTime(0);
      const bucket = openBucket([{ budget: "default", calls: 100, perMs: 1_000 }], time.clock());
      const within = async (ms: number): Promise<number> => {
        const until = time.trueNow + ms;
        let calls = 0;
        const caller = (async () => {
          while (time.trueNow < until) {
            await bucket.take("default");
            if (time.trueNow < until) calls++;
          }
        })();
        await time.advance(ms + 1_000);
        await caller;
        return calls;
      };
      expect(await within(1_000)).toBeGreaterThan(85);
      for (const until of [1_000, 2_000, 3_000]) {
        bucket.pause(time.trueNow + 1_000, "too many");
        bucket.pause(time.trueNow + 900, "too many");
        await time.advance(until);
      }
      expect(await within(1_000)).toBeLessThan(30);
      await time.advance(90_000);
      expect(await within(1_000)).toBeGreaterThan(85);
    });

    describe("while a call waits for a place among those in flight", () => {
      const day = { unit: "calls", most: 10, renews: "rolling", liveReserve: 0 } as const;
      const waiting = async () => {
        const time = new VirtualTime(0);
        const bucket = openBucket([], time.clock(), { width: 1, day });
        await bucket.begin("default", 1);
        const left: number[] = [];
        const next = bucket.begin("default", 1).then(
          () => left.push(time.trueNow),
          (error: unknown) => error,
        );
        return { time, bucket, left, next };
      };

      test.each(["by another call's refusal", "by the answer that gives it the place"])(
        "%s keeps it back until then",
        async (how) => {
          const { time, bucket, left, next } = await waiting();
          const silence = { until: 5_000, reason: "the vendor's words" };
          if (how.includes("another")) bucket.pause(silence.until, silence.reason);
          bucket.end("default", how.includes("another") ? undefined : { silence });
          await time.advance(4_999);
          expect(left).toEqual([]);
          await time.advance(1);
          await next;
          expect(left).toEqual([5_000]);
        },
      );

      test("for long refuses it, which costs nothing of the day and takes the place from nobody", async () => {
        const { time, bucket, next } = await waiting();
        bucket.end("default", { silence: { until: 50_000, reason: "the vendor's words" } });
        expect(await next).toMatchObject({ failure: { kind: "rate_limited", until: 50_000 } });
        expect(bucket.day?.standing()?.left).toBe(9);
        await time.advance(50_000);
        await bucket.begin("default", 1);
        expect(bucket.day?.standing()?.left).toBe(8);
      });

      test("refuses it after 20 s where no call comes to its end, which is no silence of the vendor's", async () => {
        const { time, bucket, left, next } = await waiting();
        await time.advance(20_000);
        expect(await next).toMatchObject({ failure: { kind: "rate_limited", standing: true } });
        bucket.end("default", undefined);
        await bucket.begin("default", 1);
        expect(left).toEqual([]);
        expect(bucket.day?.standing()?.left).toBe(8);
      });
    });

    test("keeps the later of two times", async () => {
      const time = new VirtualTime(0);
      const bucket = openBucket([], time.clock());
      bucket.pause(50_000, "long");
      bucket.pause(1_000, "short");
      await time.advance(2_000);
      await expect(bucket.take("default")).rejects.toThrow("long");
    });

    test("does not stay so for as long as the clock is set back", async () => {
      const time = new VirtualTime();
      const clock = time.clock();
      const bucket = openBucket([], clock);
      bucket.pause(clock.now() + 30_000, "thirty seconds");
      time.jump(-10 * 86_400_000);
      await expect(bucket.take("default")).rejects.toThrow("thirty seconds");
      await time.advance(30_001);
      await bucket.take("default");
    });
  });
});
