/** A backup is a whole ledger, made beside a daemon that goes on working. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { backupLedger, openLedger, verifyLedger } from "../../src/store/index.ts";
import { message } from "./contract/world.ts";
import { damagePages, filledLedger, pagesOf, rawOpen } from "./damage.ts";
import { testFolder } from "./folder.ts";

describe("backup", () => {
  it("copies a ledger that is being written, in one file that opens by itself", async () => {
    const folder = testFolder();
    const path = folder.file("ledger.sqlite");
    const ledger = await openLedger({ path, thread: "worker" });
    await ledger.accept(Array.from({ length: 200 }, (_, n) => message(`a${n}`)));
    let writing = true;
    const writer = (async () => {
      for (let n = 0; writing; n++) await ledger.accept([message(`b${n}`)]);
    })();
    const done = await backupLedger(path, folder.file("copy.sqlite"));
    writing = false;
    await writer;
    await ledger.close();
    expect(done.messages).toBeGreaterThanOrEqual(200);
    expect(done.bytes).toBe(statSync(done.file).size);
    expect(statSync(done.file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder.path).filter((name) => name.startsWith("copy"))).toEqual(["copy.sqlite"]);
    expect(verifyLedger(done.file)).toBe(done.messages);
    const restored = await openLedger({ path: done.file, thread: "calling" });
    expect((await restored.stats(0)).messages).toBe(done.messages);
    expect(await restored.accept([message("a7")])).toMatchObject([{ outcome: "duplicate" }]);
    await restored.close();
  });

  it("never overwrites a file, and leaves nothing behind when it fails", async () => {
    const folder = testFolder();
    const path = await filledLedger(folder, 60);
    await backupLedger(path, folder.file("copy.sqlite"));
    await expect(backupLedger(path, folder.file("copy.sqlite"))).rejects.toThrow(/never overwrites/);
    await expect(backupLedger(folder.file("nothing.sqlite"), folder.file("other.sqlite"))).rejects.toThrow(/no file/);
    damagePages(path, pagesOf(path, "delivery").slice(0, 1));
    await expect(backupLedger(path, folder.file("other.sqlite"))).rejects.toMatchObject({ code: "damaged" });
    expect(existsSync(folder.file("other.sqlite"))).toBe(false);
    expect(readdirSync(folder.path).filter((name) => name.includes(".part"))).toEqual([]);
  });

  it("tells a whole ledger from a damaged, a foreign and a newer one", async () => {
    const path = await filledLedger(testFolder(), 60);
    expect(verifyLedger(path)).toBe(60);
    rawOpen(path, (db) => db.pragma("user_version = 99"));
    expect(() => verifyLedger(path)).toThrow(/newer/);
    rawOpen(path, (db) => db.pragma("application_id = 99"));
    expect(() => verifyLedger(path)).toThrow(/not a Mailwright ledger/);
    damagePages(path, [1]);
    expect(() => verifyLedger(path)).toThrow(/damaged/);
  });
});
