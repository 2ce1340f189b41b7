/** Two shipped mappings over a made-up year, compared, applied and taken back, each ended in the middle; 5,000 mails: npm run year:runs. */
import { expect, test } from "vitest";
import { runRuns } from "./runs.ts";

const preset = (name: string): string => new URL(`../../config/presets/${name}`, import.meta.url).pathname;

test("diff, apply and undo are what the truths of the two mappings say, killed, stopped and beside a daemon", async () => {
  const run = await runRuns({
    seed: 2,
    count: 40,
    destination: "local",
    mapping: preset("support-inbox.yaml"),
    to: preset("sales-inbox.yaml"),
    cohort: "all",
    ends: { apply: [[0.3, "SIGKILL"]], undo: [[0.3, "SIGINT"]] },
    daemon: { apply: false, undo: true },
  });
  expect(run.diff.there).toEqual(run.diff.truth);
  expect(run.mismatches).toEqual({ year: [], applied: [], undone: [] });
  expect(run.ended.filter((line) => line.startsWith("SIGKILL"))).not.toEqual([]);
  expect(run.applied.made.some(({ kind, adopted }) => kind === "deal" && !adopted)).toBe(true);
  // What a person filled in since is still there, and listed.
  expect(run.touched.length).toBeGreaterThan(0);
  for (const id of run.touched)
    expect(run.undone.left.map(({ why }) => why).join()).toContain(`${id} was changed since`);
  expect(run.complaints).toEqual([]);
}, 300_000);
