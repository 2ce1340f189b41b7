import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { attemptsWithin, retryDelayMs } from "../../src/pipeline/backoff.ts";

const hour = 3_600_000;
const firstDelay = fc.integer({ min: 1, max: 2 * hour });
const window = fc.integer({ min: hour, max: 366 * 24 * hour });

/** What the delays between so many attempts add up to, with the jitter given. */
function spanOf(attempts: number, firstDelayMs: number, unit: number): number {
  let span = 0;
  for (let failed = 1; failed < attempts; failed++) span += retryDelayMs(failed, unit, firstDelayMs);
  return span;
}

describe("retries", () => {
  test("span at least the window even when every delay gets the least jitter", () => {
    fc.assert(
      fc.property(firstDelay, window, (firstDelayMs, windowMs) => {
        expect(spanOf(attemptsWithin(windowMs, firstDelayMs), firstDelayMs, 0)).toBeGreaterThanOrEqual(windowMs);
      }),
      { numRuns: 200 },
    );
  });

  test("are not more than the window needs", () => {
    fc.assert(
      fc.property(firstDelay, window, (firstDelayMs, windowMs) => {
        expect(spanOf(attemptsWithin(windowMs, firstDelayMs) - 1, firstDelayMs, 0)).toBeLessThan(windowMs);
      }),
      { numRuns: 200 },
    );
  });

  test("at the default settings go on for 72 hours", () => {
    const attempts = attemptsWithin(72 * hour, 5_000);
    expect(spanOf(attempts, 5_000, 0)).toBeGreaterThanOrEqual(72 * hour);
    expect(attempts).toBeLessThan(100);
  });

  test("come later and later, never more than an hour and a half apart, and jitter only adds", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, unit) => {
          const least = retryDelayMs(attempt, 0, 5_000);
          const delay = retryDelayMs(attempt, unit, 5_000);
          expect(delay).toBeGreaterThanOrEqual(least);
          expect(delay).toBeLessThanOrEqual(1.5 * least + 1);
          expect(retryDelayMs(attempt + 1, 0, 5_000)).toBeGreaterThanOrEqual(least);
          expect(delay).toBeLessThanOrEqual(1.5 * hour);
        },
      ),
    );
  });

  test("end even where the first delay is set to nothing", () => {
    expect(attemptsWithin(72 * hour, 0)).toBeLessThan(1_000);
    expect(retryDelayMs(1, 0, 0)).toBeGreaterThan(0);
  });
});
