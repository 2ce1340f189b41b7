/** Memory stays flat however big the message is: measured in a process of its own. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { RawClient } from "./raw-client.ts";
import { inbox } from "./smtp-fixture.ts";

type Child = ChildProcessByStdio<Writable, Readable, null>;

async function heard(lines: Interface): Promise<Record<string, number>> {
  const [line] = await once(lines, "line");
  return JSON.parse(String(line));
}

async function measure(child: Child, lines: Interface): Promise<Record<string, number>> {
  child.stdin.write("?\n");
  return await heard(lines);
}

async function discard(flags: readonly string[]) {
  const script = new URL("./discard-server.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [...flags, script], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill());
  const lines = createInterface(child.stdout);
  const { port = 0 } = await heard(lines);
  const client = await RawClient.greeted(port);
  const block = Buffer.alloc(1024 * 1024, `${"x".repeat(76)}\r\n`);
  /** Sends a message of so many MiB; how much the process has had at most by then, in MiB. */
  const peakAfter = async (mebibytes: number): Promise<number> => {
    const before = await measure(child, lines);
    await client.begin(inbox);
    for (let sent = 0; sent < mebibytes; sent += 1) await client.send(block);
    expect(await client.command("\r\n.")).toMatchObject({ code: 250 });
    const after = await measure(child, lines);
    expect((after.bytes ?? 0) - (before.bytes ?? 0)).toBe(mebibytes * block.length + 2);
    return after.peakMiB ?? Number.POSITIVE_INFINITY;
  };
  return { peakAfter };
}

// Measured: 80 MiB with Node's own settings, of which V8 lets 64 be dead buffers before it looks; 20 MiB where it looks more often.
test.each([
  { flags: [], bar: 112 },
  { flags: ["--max-semi-space-size=1"], bar: 48 },
])(
  "a message of 150 MiB costs less than $bar MiB, and one of 450 MiB no more (node $flags)",
  async ({ flags, bar }) => {
    const { peakAfter } = await discard(flags);
    const idle = await peakAfter(1);
    const large = await peakAfter(150);
    expect(large - idle).toBeLessThan(bar);
    expect((await peakAfter(450)) - large).toBeLessThan(32);
  },
);
