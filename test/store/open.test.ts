/** What a file must be before anything is promised on top of it: ours, whole, not newer, and not missing where there was one. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { openLedger, StoreFailed } from "../../src/store/index.ts";
import { type Migration, migrate, newestVersion, readMigrations, versionOf } from "../../src/store/migrate.ts";
import { markerPath } from "../../src/store/presence.ts";
import { openConnection, pragmasOf } from "../../src/store/sqlite/connection.ts";
import { ledgerKind } from "../../src/store/sqlite.ts";
import { message } from "./contract/world.ts";
import { damagePages, filledLedger, rawOpen } from "./damage.ts";
import { testFolder } from "./folder.ts";

const refusal = async (path: string, thread: "calling" | "worker" = "calling"): Promise<StoreFailed> => {
  const failed = await openLedger({ path, thread }).then(
    async (ledger) => {
      await ledger.close();
      return undefined;
    },
    (error: unknown) => error,
  );
  if (!(failed instanceof StoreFailed)) throw new Error(`expected a refusal, got ${String(failed)}`);
  return failed;
};

describe("a new ledger", () => {
  it("is for its owner alone, folder and files", async () => {
    const folder = testFolder();
    const path = folder.file("data/ledger.sqlite");
    const ledger = await openLedger({ path, thread: "calling" });
    await ledger.accept([message("a")]);
    const mode = (file: string) => (statSync(file).mode & 0o777).toString(8);
    expect([folder.file("data"), path, `${path}-wal`, `${path}-shm`, markerPath(path)].map(mode)).toEqual([
      "700",
      "600",
      "600",
      "600",
      "600",
    ]);
    await ledger.close();
  });

  it("reads back every setting that makes a commit durable", () => {
    const path = testFolder().file("ledger.sqlite");
    for (let time = 0; time < 2; time++) {
      const db = openConnection({ path, kind: ledgerKind, check: "quick", busyTimeoutMs: 5_000 });
      expect(pragmasOf(path).map(([name]) => [name, db.pragma(name, { simple: true })])).toEqual([
        ["journal_mode", "wal"],
        ["synchronous", 2],
        ["foreign_keys", 1],
        ["trusted_schema", 0],
        ["cell_size_check", 1],
        ["auto_vacuum", 2],
      ]);
      expect(db.pragma("busy_timeout", { simple: true })).toBe(5_000);
      expect(db.pragma("application_id", { simple: true })).toBe(0x4d574c47);
      expect(versionOf(db)).toBe(newestVersion(ledgerKind.migrations));
      db.close();
    }
  });

  it("goes on from a file that was made and never written, as a kill in the first moment leaves it", async () => {
    const path = testFolder().file("ledger.sqlite");
    writeFileSync(path, "");
    const ledger = await openLedger({ path, thread: "calling" });
    expect((await ledger.stats(0)).messages).toBe(0);
    await ledger.close();
  });

  it("narrows the mode of a file that others could read", async () => {
    const path = testFolder().file("ledger.sqlite");
    await (await openLedger({ path, thread: "calling" })).close();
    const { chmodSync } = await import("node:fs");
    chmodSync(path, 0o644);
    await (await openLedger({ path, thread: "calling" })).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});

describe("a ledger that is refused", () => {
  it("says which program's database it is not", async () => {
    const path = testFolder().file("ledger.sqlite");
    const other = new Database(path);
    other.exec("CREATE TABLE theirs (x); PRAGMA application_id = 77; PRAGMA user_version = 3");
    other.close();
    const failed = await refusal(path);
    expect(failed).toMatchObject({ code: "foreign", mayBeDurable: false });
    expect(failed.message).toContain(path);
    expect(failed.message).toContain("application id 77");
    expect(failed.message).toContain("version 3");
  });

  it("names both versions when it is newer than the program", async () => {
    const path = testFolder().file("ledger.sqlite");
    await (await openLedger({ path, thread: "calling" })).close();
    rawOpen(path, (db) => db.pragma("user_version = 99"));
    const failed = await refusal(path);
    expect(failed.code).toBe("newer");
    expect(failed.message).toMatch(new RegExp(`version 99.*up to ${newestVersion(ledgerKind.migrations)}`));
  });

  it.each(["calling", "worker"] as const)(
    "names the file, the damage and `mailwright recover` (%s thread)",
    async (thread) => {
      const folder = testFolder();
      const path = await filledLedger(folder, 300);
      damagePages(path, [40, 41]);
      const failed = await refusal(path, thread);
      expect(failed.code).toBe("damaged");
      expect(failed.message).toContain(path);
      expect(failed.message).toContain("mailwright recover");
    },
  );

  it("is refused for damage anywhere in it, before it takes a write", async () => {
    const folder = testFolder();
    const path = await filledLedger(folder, 120);
    const pages = statSync(path).size / 4096;
    const copy = folder.file("copy.sqlite");
    const undetected: number[] = [];
    // Every page but the pointer maps and free pages, which hold no data of ours.
    for (let page = 1; page <= pages; page += 7) {
      copyFileSync(path, copy);
      damagePages(copy, [page]);
      const failed = await openLedger({ path: copy, thread: "calling" }).then(
        (ledger) => ledger.close().then(() => undefined),
        (error: unknown) => error,
      );
      if (!(failed instanceof StoreFailed && failed.code === "damaged")) undetected.push(page);
      rmSync(copy, { force: true });
    }
    expect(undetected).toEqual([]);
  }, 60_000);

  it("is refused for a garbage header", async () => {
    const path = await filledLedger(testFolder(), 10);
    damagePages(path, [1]);
    expect((await refusal(path)).code).toBe("damaged");
  });

  it("is refused when it was cut short", async () => {
    const path = await filledLedger(testFolder(), 200);
    truncateSync(path, 4096 * 20);
    expect((await refusal(path)).code).toBe("damaged");
  });

  it("is not made anew where there has been one: missing, or emptied", async () => {
    const folder = testFolder();
    const path = await filledLedger(folder, 3);
    truncateSync(path, 0);
    expect(await refusal(path)).toMatchObject({ code: "missing" });
    rmSync(path);
    const failed = await refusal(path);
    expect(failed.code).toBe("missing");
    expect(failed.message).toContain("mailwright recover");
    expect(existsSync(path)).toBe(false);
  });

  it.each(["spool", "blobs"])("is not made anew beside mail in %s", async (name) => {
    const folder = testFolder();
    mkdirSync(folder.file(name));
    writeFileSync(folder.file(`${name}/mail`), "sealed");
    expect(await refusal(folder.file("ledger.sqlite"))).toMatchObject({ code: "missing" });
  });

  it("misses its write-ahead log when the process before was killed", async () => {
    const folder = testFolder();
    const path = folder.file("ledger.sqlite");
    const ledger = await openLedger({ path, thread: "calling" });
    await ledger.accept([message("a")]);
    // As a kill leaves it: the log is there, the marker says open.
    for (const end of ["", "-wal"]) copyFileSync(`${path}${end}`, folder.file(`kept${end}`));
    const marker = readFileSync(markerPath(path), "utf8");
    await ledger.close();
    for (const end of ["", "-wal"]) copyFileSync(folder.file(`kept${end}`), `${path}${end}`);
    writeFileSync(markerPath(path), marker);
    rmSync(`${path}-wal`);
    const failed = await refusal(path);
    expect(failed.code).toBe("damaged");
    expect(failed.message).toContain("write-ahead log");
    copyFileSync(folder.file("kept-wal"), `${path}-wal`);
    const again = await openLedger({ path, thread: "calling" });
    expect((await again.stats(0)).messages).toBe(1);
    await again.close();
  });
});

describe("a command beside a daemon", () => {
  it("does not make the daemon's ledger look closed when it ends, nor open when the daemon has ended before it", async () => {
    const path = testFolder().file("ledger.sqlite");
    const state = () => /"state":"(\w+)"/.exec(readFileSync(markerPath(path), "utf8"))?.[1];
    const daemon = await openLedger({ path, thread: "worker" });
    await daemon.accept([message("a")]);
    const command = await openLedger({ path, thread: "calling" });
    expect((await command.stats(0)).messages).toBe(1);
    await command.accept([message("b")]);
    await command.close();
    expect(state()).toBe("open");
    expect((await daemon.stats(0)).messages).toBe(2);
    const late = await openLedger({ path, thread: "calling" });
    await late.stats(0);
    await daemon.close();
    expect(state()).toBe("open");
    await late.close();
    expect(state()).toBe("closed");
    expect(existsSync(`${path}-wal`)).toBe(false);
  });
});

describe("migrations", () => {
  const two: readonly Migration[] = [
    { version: 1, name: "001_a.sql", sql: "CREATE TABLE a (x)" },
    { version: 2, name: "002_b.sql", sql: "CREATE TABLE b (x); INSERT INTO b VALUES (1)" },
  ];

  it("run from whatever version the file has, and not again", () => {
    const db = new Database(testFolder().file("x.sqlite"));
    migrate(db, two.slice(0, 1), 5);
    expect(versionOf(db)).toBe(1);
    migrate(db, two, 5);
    migrate(db, two, 5);
    expect(versionOf(db)).toBe(2);
    expect(db.prepare("SELECT count(*) FROM b").pluck().get()).toBe(1);
    expect(db.pragma("application_id", { simple: true })).toBe(5);
    db.close();
  });

  it("leave the file at the version before a step that fails", () => {
    const db = new Database(testFolder().file("x.sqlite"));
    const broken = [
      ...two.slice(0, 1),
      { version: 2, name: "002_b.sql", sql: "CREATE TABLE b (x); SELECT nonsense FROM nowhere" },
    ];
    expect(() => migrate(db, broken, 5)).toThrow();
    expect(versionOf(db)).toBe(1);
    expect(db.prepare("SELECT name FROM sqlite_schema").pluck().all()).toEqual(["a"]);
    db.close();
  });

  it("are numbered without gaps", () => {
    const folder = testFolder();
    writeFileSync(folder.file("001_a.sql"), "");
    writeFileSync(folder.file("003_c.sql"), "");
    expect(() => readMigrations(new URL(`file://${folder.path}/`))).toThrow(/number 2/);
    expect(ledgerKind.migrations.map(({ version }) => version)).toEqual(
      ledgerKind.migrations.map((_, index) => index + 1),
    );
  });
});
