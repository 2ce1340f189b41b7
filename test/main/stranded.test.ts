import { afterEach, beforeEach, expect, test } from "vitest";
import { strandedWork } from "../../src/main.ts";
import type { Ledger } from "../../src/model/ledger.ts";
import type { Settings } from "../../src/settings/index.ts";
import { openLedger } from "../../src/store/index.ts";
import { message, preparedOf, steps } from "../store/contract/world.ts";

let ledger: Ledger;
beforeEach(async () => {
  ledger = await openLedger({ path: ":memory:", thread: "calling" });
});
afterEach(() => ledger.close());

const settingsWith = (tenants: Record<string, string[]>): Pick<Settings, "tenants"> => ({
  tenants: Object.entries(tenants).map(([id, destinations]) => ({
    id,
    destinations: destinations.map((each) => ({ id: each })),
  })) as unknown as Settings["tenants"],
});

test("work of a destination and mail of a tenant that left the configuration are found, and nothing else", async () => {
  await ledger.accept([message("a"), message("b", { tenant: "umbrella" }), message("c", { tenant: "umbrella" })]);
  for (const lane of ["acme/one", "acme/two", "umbrella/crm"]) await ledger.pause({ lane, kind: "resume" });
  const [attempt] = await ledger.attempt({ tenants: ["acme"], room: 1, now: 2_000, leaseMs: 1_000 });
  if (attempt === undefined) throw new Error("nothing to prepare");
  await ledger.prepare([preparedOf(attempt, { "acme/one": steps("activity"), "acme/two": steps("activity") })]);

  expect(await strandedWork(ledger, settingsWith({ acme: ["one", "two"], umbrella: ["crm"] }))).toEqual([]);
  expect(await strandedWork(ledger, settingsWith({ acme: ["two"] }))).toEqual([
    { of: "acme/one", kind: "deliveries", waiting: 1, more: false },
    { of: "umbrella", kind: "messages", waiting: 2, more: false },
  ]);
});
