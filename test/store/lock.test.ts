/** One daemon per data folder, whatever happens to it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { lockDataFolder, StoreFailed } from "../../src/store/index.ts";
import { testFolder } from "./folder.ts";

const child = new URL("./children/hold-lock.ts", import.meta.url).pathname;

describe("the lock of a data folder", () => {
  it("lets one in and tells the second so", () => {
    const { path } = testFolder();
    const lock = lockDataFolder(path);
    let failed: unknown;
    try {
      lockDataFolder(path);
    } catch (error) {
      failed = error;
    }
    expect(failed).toBeInstanceOf(StoreFailed);
    expect(failed).toMatchObject({ code: "locked" });
    expect(String(failed)).toContain(path);
    lock.release();
    lock.release();
    lockDataFolder(path).release();
    expect(statSync(`${path}/daemon.lock`).mode & 0o777).toBe(0o600);
  });

  it("keeps another process out, and is free again the moment that one is killed", async () => {
    const { path } = testFolder();
    const holder = spawn(process.execPath, ["--expose-gc", child, path], { stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(holder, "exit");
    const [said] = (await once(holder.stdout, "data")) as [Buffer];
    expect(said.toString()).toBe("locked\n");
    expect(() => lockDataFolder(path)).toThrow(/Another Mailwright daemon/);
    holder.kill("SIGKILL");
    await exited;
    lockDataFolder(path).release();
  });
});
