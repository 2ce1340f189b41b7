/** Files go by age: first their rows, then their bytes, each tenant by its own. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Ledger } from "../../src/model/ledger.ts";
import { removeByAge } from "../../src/pipeline/retain-files.ts";
import { openLedger } from "../../src/store/index.ts";
import { VirtualTime } from "../simulation/clock.ts";
import { message, preparedOf, skip } from "../store/contract/world.ts";

const day = 24 * 3_600_000;
let ledger: Ledger;
let time: VirtualTime;

beforeEach(async () => {
  ledger = await openLedger({ path: ":memory:", thread: "calling" });
  time = new VirtualTime();
});
afterEach(() => ledger.close());

/** One mail of so many days ago, with one file of ten bytes. */
async function kept(name: string, daysAgo: number, status: "stored" | "quarantined", tenant = "acme"): Promise<void> {
  const now = time.trueNow;
  await ledger.accept([message(name, { tenant, receivedAt: now - daysAgo * day })]);
  const [attempt] = await ledger.attempt({ tenants: [tenant], room: 1, now, leaseMs: 1_000 });
  if (attempt === undefined) throw new Error("no attempt");
  const file = {
    id: name,
    partId: "2",
    filename: "offer.pdf",
    contentType: "application/pdf",
    detectedType: null,
    size: 10,
    sha256: name,
    inline: false,
  };
  await ledger.prepare([{ ...preparedOf(attempt, { [`${tenant}/crm`]: skip() }, { now }), files: [file] }]);
  const [work] = await ledger.filesToKeep({ tenants: [tenant], room: 1, now, leaseMs: 1_000 });
  const [row] = work?.files ?? [];
  if (work === undefined || row === undefined) throw new Error("nothing to keep");
  const inspection = { detectedType: null, findings: [] };
  const done = { id: name, status, reason: null, inspection, storeKey: `ref-${name}`, scan: row.scan };
  await ledger.filesKept({ eventId: work.eventId, lease: work.lease, now, kept: [done] });
}

const statuses = async () => (await ledger.files({ limit: 2_000 })).map(({ id, status }) => `${id} ${status}`).sort();
const ports = () => ({ ledger, clock: time.clock() });

describe("files by age", () => {
  test("go when they are older than their class allows, and a dry run only says what would", async () => {
    await kept("old", 91, "stored");
    await kept("young", 89, "stored");
    await kept("hidden", 31, "quarantined");
    const ages = { storedMs: 90 * day, quarantinedMs: 30 * day };
    expect(await removeByAge(() => ages, true, ports())).toMatchObject({ files: 2, bytes: 20 });
    expect(await statuses()).toEqual(["hidden quarantined", "old stored", "young stored"]);
    expect(await removeByAge(() => ages, false, ports())).toMatchObject({ files: 2, bytes: 20 });
    expect(await statuses()).toEqual(["hidden removed", "old removed", "young stored"]);
    expect((await ledger.filesToDelete({ limit: 9 })).map(({ storeKey }) => storeKey)).toEqual([
      "ref-hidden",
      "ref-old",
    ]);
    expect(await removeByAge(() => ages, false, ports())).toMatchObject({ files: 0, bytes: 0 });
  });

  test("go by the ages of their own tenant, and stay where none is set", async () => {
    await kept("ours", 50, "stored");
    await kept("theirs", 50, "stored", "umbrella");
    await kept("hidden", 500, "quarantined", "umbrella");
    const ages = (tenant: string) => ({ storedMs: (tenant === "acme" ? 90 : 30) * day, quarantinedMs: null });
    expect(await removeByAge(ages, false, ports())).toMatchObject({ files: 1, bytes: 10 });
    expect(await statuses()).toEqual(["hidden quarantined", "ours stored", "theirs removed"]);
  });

  test("go page by page", async () => {
    for (let n = 0; n < 501; n++) await kept(`f${n}`, 91, "stored");
    const ages = { storedMs: 90 * day, quarantinedMs: null };
    expect(await removeByAge(() => ages, false, ports())).toMatchObject({ files: 501, bytes: 5_010 });
  });
});
