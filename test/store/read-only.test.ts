import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { openLedger, openStoredMails } from "../../src/store/index.ts";
import { message } from "./contract/world.ts";
import { filledLedger } from "./damage.ts";
import { testFolder } from "./folder.ts";

const walk = { tenant: "acme", limit: 7 };

describe("a walk over stored messages", () => {
  test("meets each of a tenant once, in order, with what is kept of it", async () => {
    const path = await filledLedger(testFolder(), 30);
    const mails = openStoredMails(path);
    const until = mails.newest();
    const seen = [];
    for (let after = 0; ; ) {
      const page = mails.page({ ...walk, after, until });
      seen.push(...page);
      after = page.at(-1)?.seq ?? until;
      if (page.length < walk.limit) break;
    }
    expect(seen.map(({ messageId }) => messageId)).toEqual(Array.from({ length: 30 }, (_, n) => `<m${n}@example.net>`));
    expect(seen.filter(({ prepared }) => prepared)).toHaveLength(20);
    expect(seen.filter(({ sealedEvent }) => sealedEvent !== undefined)).toHaveLength(20);
    expect(mails.count({ tenant: "acme", until })).toBe(30);
    expect(mails.count({ tenant: "other", until })).toBe(0);
    expect(mails.page({ ...walk, tenant: "other", after: 0, until })).toEqual([]);
    mails.close();
  });

  test("works beside a writer, sees what that commits, and can write nothing itself", async () => {
    const path = await filledLedger(testFolder(), 3);
    const ledger = await openLedger({ path, thread: "calling" });
    const mails = openStoredMails(path);
    expect(mails.newest()).toBe(3);
    await ledger.accept([message("late")]);
    expect(mails.newest()).toBe(4);
    await ledger.close();
    expect(mails.page({ ...walk, after: 3, until: 9 })).toHaveLength(1);
    mails.close();
    // Whoever comes next finds an orderly ledger.
    const again = await openLedger({ path, thread: "calling" });
    expect((await again.stats(5_000)).received).toBeGreaterThan(0);
    await again.close();
  });

  test("refuses what is no ledger, and one of another version, with what to do", async () => {
    const folder = testFolder();
    const path = await filledLedger(folder, 1);
    const db = new Database(path);
    db.pragma("user_version = 999");
    db.close();
    expect(() => openStoredMails(path)).toThrow(/written by a newer Mailwright \(version 999/);
    const older = new Database(path);
    older.pragma("user_version = 1");
    older.close();
    expect(() => openStoredMails(path)).toThrow(/older Mailwright .*start the daemon/);
    const foreign = folder.file("other.sqlite");
    new Database(foreign).exec("CREATE TABLE a (b)").close();
    expect(() => openStoredMails(foreign)).toThrow("is no Mailwright ledger");
    expect(() => openStoredMails(folder.file("none.sqlite"))).toThrow("cannot be opened");
  });
});
