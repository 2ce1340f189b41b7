/** What was acknowledged is there after kill -9, at whatever moment it came. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { openLedger } from "../../src/store/index.ts";
import { testFolder } from "./folder.ts";

const child = new URL("./children/accept.ts", import.meta.url).pathname;

/** Runs the child until it has acknowledged `kills` lines, kills it, and resolves with every line it got out. */
async function killAfter(path: string, thread: string, from: number, lines: number): Promise<string[]> {
  const running = spawn(process.execPath, [child, path, String(from), thread], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(running.stdout, "close");
  let said = "";
  let seen = 0;
  running.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    seen += chunk.toString().split("\n").length - 1;
    if (seen >= lines) running.kill("SIGKILL");
  });
  await ended;
  // The last line may have been cut by the kill.
  return said.split("\n").slice(0, -1);
}

describe("a process that is killed while it accepts", () => {
  it.each(["worker", "calling"])(
    "keeps all that it acknowledged (%s thread)",
    async (thread) => {
      const path = testFolder().file("ledger.sqlite");
      const acknowledged = new Set<string>();
      for (const [round, lines] of [1, 37, 150, 400].entries()) {
        for (const eventId of await killAfter(path, thread, round * 100_000, lines)) acknowledged.add(eventId);
      }
      const ledger = await openLedger({ path, thread: "calling" });
      const kept = new Map((await ledger.find({ limit: 1_000_000 })).map((row) => [row.eventId, row]));
      expect([...acknowledged].filter((eventId) => !kept.has(eventId))).toEqual([]);
      for (const eventId of acknowledged) expect((await ledger.raw(eventId))?.length).toBe(3_000);
      expect((await ledger.stats(0)).messages).toBe(kept.size);
      expect(acknowledged.size).toBeGreaterThan(500);
      await ledger.close();
    },
    60_000,
  );
});
