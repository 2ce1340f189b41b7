/** `mailwright quarantine` and `mailwright mailboxes`: what was given up is listed with its UID and reason, and tried again when asked. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openGround } from "../../src/main.ts";
import { loadSettings } from "../../src/settings/index.ts";
import { recordingLog } from "../destinations/fixtures.ts";
import { command, shapedBy } from "./stage.ts";

let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "mailwright-quarantine-"));
  const imap = ["sales", "help"].map((id) => ({ id, host: "imap.acme.test", user: `${id}@acme.test`, password: "p" }));
  const file = {
    data_dir: "./data",
    tenants: [{ id: "acme", imap, destinations: [{ id: "crm", type: "local" }] }],
  };
  writeFileSync(join(dir, "m.yaml"), JSON.stringify(file));
  const settings = loadSettings(join(dir, "m.yaml"), {});
  const ground = await openGround(settings, { thread: "calling", log: recordingLog().log });
  const { ledger } = ground;
  for (const id of ["sales", "help"]) {
    const account = `acme/${id}`;
    const lease = await ledger.holdAccount({ account, now: 1_000, until: 2_000, selectors: "INBOX" });
    if (lease === undefined) throw new Error("the account is held");
    const fresh = { path: "INBOX", mailboxId: null, uidValidity: 7, uidNext: 11, firstUid: 11, since: 900, now: 1_000 };
    const folder = await ledger.openFolder({ account, token: lease.token, ...fresh });
    if (folder === undefined) continue;
    if (id === "help") {
      const europe = await ledger.openFolder({ account, token: lease.token, ...fresh, path: "Sales.Europe" });
      if (europe === undefined) throw new Error("the lease was lost");
      const passed = [{ uid: 0xffff_ffff, state: "quarantined", reason: "too large" } as const];
      const news = { folder: europe.id, at: 5_000, uidNext: 0xffff_ffff, modSeq: null, passed };
      await ledger.folderNews({ account, token: lease.token, ...news });
      continue;
    }
    const passed = [{ uid: 12, state: "quarantined", reason: "it has 9 bytes\u001b[31m" } as const];
    const news = { folder: folder.id, at: 5_000, uidNext: 14, modSeq: null, lastUid: 13, passed };
    await ledger.folderNews({ account, token: lease.token, ...news });
    await ledger.giveUp({ folder: folder.id, uid: 3, reason: "it breaks the connection", attempts: 5, at: 6_000 });
  }
  await ledger.blockAccount({ account: "acme/help", at: 8_000, reason: "the login was refused" });
  await ground.close();
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const run = (...args: string[]) => command([...args, "--config", join(dir, "m.yaml")]);

it("lists mailboxes with how far they were read, and who cannot log in", async () => {
  const rows = await shapedBy(run, "mailboxes list", []);
  expect(rows).toMatchObject([
    { account: "acme/help", configured: true, blocked: { reason: "the login was refused" } },
    { account: "acme/sales", blocked: null, folders: [{ folder: "INBOX", last_uid: 13, behind: 0, quarantined: 2 }] },
  ]);
  expect((await run("mailboxes", "list")).out).toMatch(/acme\/help: nobody can log in since 1970.*refused/);
});

it("lists what was given up, by UID, with the reason, and nothing that a screen should not see", async () => {
  expect(await shapedBy(run, "quarantine list", [])).toMatchObject([
    { account: "acme/help", folder: "Sales.Europe", uid: 0xffff_ffff, old: false },
    { account: "acme/sales", folder: "INBOX", uid: 3, attempts: 5, old: true },
    { account: "acme/sales", folder: "INBOX", uid: 12, old: false },
  ]);
  const help = ["--account", "help"];
  expect(await shapedBy(run, "quarantine list", [...help, "--folder", "inbox"])).toEqual([]);
  const shown = await run("quarantine", "list", "--account", "sales", "--limit", "1");
  expect([shown.out, shown.err]).toEqual([
    expect.stringMatching(/breaks the connection/),
    expect.stringMatching(/--limit/),
  ]);
  expect((await run("quarantine", "list")).out).not.toContain("\u001b[31m");
});

it("lets one or all be tried again, and names what it does not know", async () => {
  const unknown = await run("quarantine", "retry", "--account", "sales", "--folder", "Nowhere");
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringMatching(/Nowhere/)]);
  expect((await run("quarantine", "retry", "--account", "sales", "--uid", "12")).err).toMatch(/--folder/);
  const one = ["--account", "sales", "--folder", "INBOX", "--uid", "12"];
  expect(await shapedBy(run, "quarantine retry", one)).toEqual({ account: "acme/sales", live: 1, old: 0 });
  expect((await run("quarantine", "retry", "--account", "sales")).err).toMatch(/older than the watch.*backfill/);
  expect(await shapedBy(run, "quarantine list", ["--account", "sales"])).toEqual([]);
});

it("takes the largest of UIDs, of a folder by its name as we or its server write it", async () => {
  for (const name of ["Sales/Europe", "Sales.Europe"])
    expect(await shapedBy(run, "quarantine list", ["--folder", name])).toMatchObject([{ folder: "Sales.Europe" }]);
  const one = ["--account", "help", "--folder", "Sales/Europe", "--uid"];
  expect((await run("quarantine", "retry", ...one, "4294967296")).err).toMatch(/from 1 to 4294967295/);
  expect(await shapedBy(run, "quarantine retry", [...one, "4294967295"])).toMatchObject({ live: 1 });
});
