import { describe, expect, test } from "vitest";
import { plantedFaults } from "./plants.ts";
import { runSeeds, told } from "./seeds.ts";
import { vendorNames } from "./vendor.ts";

/** HubSpot has the thousand worlds of simulation.test.ts. More of the others: node scripts/simulate.ts --vendor close --seeds 1000. */
const others = vendorNames.filter((name) => name !== "hubspot");
const seeds = 30;

describe.each(others)("the whole road with %s at its end", { timeout: 300_000 }, (vendor) => {
  test(`keeps every promise in worlds 1 to ${seeds}`, async () => {
    const runs = await runSeeds({ from: 1, count: seeds, vendor });
    expect(runs.failures.map(told).join("\n")).toBe("");
    const taken = ["an unknown outcome was taken up", "an unknown call was found to have happened", "orderly stop"];
    expect(taken.filter((what) => !runs.coverage.has(what))).toEqual([]);
  });

  test("is seen to be wrong where failures are taken for success", async () => {
    const fault = plantedFaults.find(({ what }) => what === "failures at the CRM taken for success");
    if (fault === undefined) throw new Error("the list of faults has changed");
    let caught: string | undefined;
    await runSeeds({
      from: 1,
      count: 100,
      vendor,
      plant: fault.plant,
      progress({ violations }) {
        caught ??= violations.find((violation) => fault.caughtAs.test(violation));
        return caught === undefined;
      },
    });
    expect(caught).toBeDefined();
  });
});
