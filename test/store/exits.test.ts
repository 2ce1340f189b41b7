/** However a process or its ledger's thread ends, the next one starts; and what was taken away by hand is still missed. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { openLedger } from "../../src/store/index.ts";
import { openKeeper } from "../../src/store/keeper.ts";
import { versionOf } from "../../src/store/migrate.ts";
import { markerPath } from "../../src/store/presence.ts";
import { rawOpen } from "./damage.ts";
import { testFolder } from "./folder.ts";

const program = new URL("./children/leave.ts", import.meta.url).pathname;
type Thread = "worker" | "calling";

function begin(path: string, thread: Thread, how: string, under: readonly string[] = []): ChildProcess {
  const [file = "", ...args] = [...under, process.execPath, program, path, thread, how];
  return spawn(file, args, { stdio: ["ignore", "pipe", "ignore"] });
}

/** Its exit code; null when a signal ended it. */
async function leave(...how: Parameters<typeof begin>): Promise<number | null> {
  const child = begin(...how);
  child.stdout?.once("data", () => child.kill("SIGKILL"));
  const [code] = (await once(child, "exit")) as [number | null];
  return code;
}

async function kept(path: string, thread: Thread): Promise<readonly (string | undefined)[]> {
  const ledger = await openLedger({ path, thread });
  try {
    return (await ledger.find({ limit: 1_000 })).map(({ eventId }) => eventId);
  } finally {
    await ledger.close();
  }
}

describe("a ledger that a daemon has", () => {
  it("is closed in order by commands that end at the same moment", async () => {
    const path = testFolder().file("ledger.sqlite");
    const daemon = await openLedger({ path, thread: "calling" });
    const command = new URL("./children/come-and-go.ts", import.meta.url).pathname;
    const commands = [1, 2, 3].map(() => spawn(process.execPath, [command, path, "100"], { stdio: "ignore" }));
    const codes = await Promise.all(commands.map(async (child) => (await once(child, "exit"))[0] as number));
    expect(codes).toEqual([0, 0, 0]);
    expect(readFileSync(markerPath(path), "utf8")).toContain('"state":"open"');
    await daemon.close();
    expect(readdirSync(dirname(path)).sort()).toEqual([".ledger.sqlite.marker", "ledger.sqlite"]);
  });
});

describe("a ledger that was not closed", () => {
  it.each([
    ["worker", "process.exit", 3],
    ["worker", "an uncaught exception", 1],
    ["worker", "a kill", null],
    ["worker", "a kill after the ledger's thread ended", null],
    ["worker", "a kill after the ledger's thread crashed", null],
    ["calling", "process.exit", 3],
    ["calling", "an uncaught exception", 1],
    ["calling", "nothing left to do", 0],
    ["calling", "a kill", null],
  ] as const)("is opened again, whole, after its process (%s thread) ended by %s", async (thread, how, code) => {
    const path = testFolder().file("ledger.sqlite");
    expect(await leave(path, thread, how)).toBe(code);
    for (const next of ["worker", "calling"] as const) expect(await kept(path, next)).toEqual(["event-kept"]);
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  const noLimits = spawnSync("prlimit", ["--version"]).status !== 0;
  it.skipIf(noLimits).each(["worker", "calling"] as const)(
    "is opened again after the disk failed under it, the connection was given up, and the process was killed (%s thread)",
    async (thread) => {
      const path = testFolder().file("ledger.sqlite");
      const limit = ["prlimit", "--fsize=2000000"];
      expect(await leave(path, thread, "a kill after the disk failed", limit)).toBe(null);
      expect(await kept(path, "worker")).toContain("event-kept");
    },
  );

  it("keeps the log of a killed process when the next program is too old for it", async () => {
    const path = testFolder().file("ledger.sqlite");
    expect(await leave(path, "worker", "a kill")).toBe(null);
    const versioned = (change: (known: number) => number): void => {
      const keeper = openKeeper(path);
      keeper.hold();
      rawOpen(path, (db) => db.pragma(`user_version = ${change(versionOf(db))}`));
      keeper.release();
    };
    versioned((known) => known + 90);
    await expect(openLedger({ path, thread: "worker" })).rejects.toMatchObject({ code: "newer" });
    versioned((known) => known - 90);
    expect(await kept(path, "worker")).toEqual(["event-kept"]);
  });

  it.each([[["-wal"]], [["-wal", "-shm"]]])("is refused when its %s was removed by hand after a kill", async (ends) => {
    const folder = testFolder();
    const path = folder.file("ledger.sqlite");
    expect(await leave(path, "worker", "a kill")).toBe(null);
    copyFileSync(`${path}-wal`, folder.file("log"));
    for (const end of ends) rmSync(`${path}${end}`);
    for (const thread of ["worker", "calling"] as const) {
      await expect(openLedger({ path, thread })).rejects.toMatchObject({
        code: "damaged",
        message: expect.stringContaining("write-ahead log"),
      });
    }
    copyFileSync(folder.file("log"), `${path}-wal`);
    expect(await kept(path, "worker")).toEqual(["event-kept"]);
  });
});
