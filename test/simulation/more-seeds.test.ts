import { describe, expect, test } from "vitest";
import { plantedFaults } from "./plants.ts";
import { runSeeds, told } from "./seeds.ts";

describe("the simulation", { timeout: 300_000 }, () => {
  test("keeps every promise in worlds 1001 to 1300", async () => {
    const runs = await runSeeds({ from: 1_001, count: 300 });
    expect(runs.failures.map(told).join("\n")).toBe("");
  });

  test.each(plantedFaults)("catches $what", async ({ plant, caughtAs }) => {
    let caught: string | undefined;
    await runSeeds({
      from: 1,
      count: 400,
      plant,
      progress({ violations }) {
        caught ??= violations.find((violation) => caughtAs.test(violation));
        return caught === undefined;
      },
    });
    expect(caught).toBeDefined();
  });
});
