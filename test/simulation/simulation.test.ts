import { describe, expect, test } from "vitest";
import { runSeeds, told, turnsToTake } from "./seeds.ts";
import { deadlyCalls } from "./weather.ts";

/** About 35 ms of one core each. The other half is in more-seeds.test.ts, for the other core; 10,000: node scripts/simulate.ts --seeds 10000. */
const seeds = 1_000;

describe("the whole road under crashes, failing disks, a failing CRM and a failing clock", { timeout: 900_000 }, () => {
  test(`keeps every promise in worlds 1 to ${seeds}, having died at every kind of call and taken every turn`, async () => {
    const runs = await runSeeds({ from: 1, count: seeds });
    expect(runs.failures.map(told).join("\n")).toBe("");
    const moments = deadlyCalls.flatMap((call) => [`died before ${call}`, `died after ${call}`]);
    expect([...moments, ...turnsToTake].filter((what) => !runs.coverage.has(what))).toEqual([]);
  });

  test("comes out the same for the same seed", async () => {
    const once = await runSeeds({ from: 77, count: 3 });
    const again = await runSeeds({ from: 77, count: 3 });
    expect([...again.coverage]).toEqual([...once.coverage]);
  });
});
