import { expect, test } from "vitest";
import { hubspotKills, zohoKills } from "./kill-vendors.ts";
import { type KillOutcome, type KillRun, runKills } from "./kills.ts";

/** 57 kills here; the long form, at any vendor's stand-in: `node scripts/kills.ts --cycles 500 --vendor close`. */
const base = { mailsPerCycle: 8, moments: ["random", "after_250", "before_answer"] } as const;
const runs: readonly (KillRun & { title: string })[] = [
  { ...base, title: "where HubSpot keeps our key single", seed: 11, cycles: 24, vendor: hubspotKills("yes") },
  {
    ...base,
    title: "where HubSpot stores our key but does not keep it single",
    seed: 12,
    cycles: 15,
    vendor: hubspotKills("no"),
  },
  {
    ...base,
    title: "where HubSpot lets us have no property on emails at all",
    seed: 13,
    cycles: 15,
    vendor: hubspotKills("propertiesForbidden"),
  },
  { ...base, title: "at Zoho, whose token has to be there in the next life", seed: 14, cycles: 3, vendor: zohoKills },
];

// Side by side: where a create has to be proved absent, most of a run is waiting.
test.concurrent.each(runs)("$cycles kills lose and double nothing $title", async (run) => {
  const outcome = await runKills(run);
  expectExactlyOnce(outcome);
  expect(Object.values(outcome.kills).reduce((sum, kills) => sum + kills, 0)).toBe(run.cycles);
});

function expectExactlyOnce(outcome: KillOutcome): void {
  const { lost, doubled, mangled, phantom } = outcome;
  expect({ lost, doubled, mangled, phantom }).toEqual({ lost: [], doubled: [], mangled: [], phantom: [] });
  // On a machine so busy that lives end before a parse does, one or another mail is in hand at five kills.
  expect(outcome.unread.length).toBeLessThan(outcome.acknowledged / 20);
  expect(outcome.files.wrong).toEqual([]);
  expect(outcome.files.rows).toBeGreaterThan(10);
  expect(outcome.activities + outcome.visible.size).toBe(outcome.acknowledged);
  expect(outcome.contacts.made).toBeLessThanOrEqual(12);
}
