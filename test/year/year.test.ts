/** A made-up year of mail ends at the CRM as its story says; 5,000 mails and more: npm run year. */
import { describe, expect, test } from "vitest";
import type { Mismatch } from "./compare.ts";
import { runYear, type YearRun } from "./run.ts";
import { yearOf } from "./story.ts";
import { whats } from "./told.ts";

const preset = (name: string): string => new URL(`../../config/presets/${name}`, import.meta.url).pathname;

/** Readable where a test fails: the class, the mail, the truth and what is there. */
const told = (run: YearRun): string[] =>
  run.lanes.flatMap(({ lane, mismatches }) =>
    mismatches
      .slice(0, 10)
      .map(({ class: name, mail, truth, there }: Mismatch) =>
        [`${lane}: ${name}`, ...[mail, truth, there].map((one) => JSON.stringify(one))].join("\n  "),
      ),
  );

function expectTruth(run: YearRun): void {
  expect(told(run)).toEqual([]);
  expect(run.complaints).toEqual([]);
  for (const { coverage, reasons } of run.lanes) {
    expect(coverage).toBeGreaterThanOrEqual(0.99);
    for (const reason of reasons.keys()) expect(reason).toMatch(/^(?:skipped|held) \S/);
  }
}

describe("a year of mail", () => {
  test("is the same for the same seed, and has every kind of mail in it", () => {
    const [one, again, other] = [1, 1, 2].map((seed) => yearOf({ seed, count: 650 }));
    expect(again?.mails.map(({ id, told }) => [id, told])).toEqual(one?.mails.map(({ id, told }) => [id, told]));
    expect(other?.mails[0]?.id).not.toBe(one?.mails[0]?.id);
    const long = yearOf({ seed: 3, count: 3_000 });
    expect(new Set(long.mails.map(({ told }) => told.what))).toEqual(new Set(whats));
  });

  test("makes at the built-in CRM and at HubSpot the contacts, companies, deals and activities of its story, by the sales mapping", async () => {
    const run = await runYear({ seed: 2, count: 420, destination: "both", mapping: preset("sales-inbox.yaml") });
    expectTruth(run);
    const calls = [...run.calls.values()].reduce((sum, count) => sum + count, 0);
    process.stderr.write(`year: ${(calls / run.mails).toFixed(2)} calls at HubSpot for each mail\n`);
    // At least the one that logs it; and no more than a contact, a company and a deal take beside it.
    expect(calls / run.mails).toBeLessThan(4);
  }, 300_000);

  test("makes those of its story by the support mapping, too", async () => {
    expectTruth(await runYear({ seed: 5, count: 120, destination: "local", mapping: preset("support-inbox.yaml") }));
  }, 300_000);

  test("is planned the same, in whatever order mails come that have nothing to do with each other", async () => {
    const mapping = preset("sales-inbox.yaml");
    expectTruth(await runYear({ seed: 11, count: 150, destination: "local", mapping, disorder: true }));
  }, 300_000);
});
