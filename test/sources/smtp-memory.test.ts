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

test("a message of 150 MiB raises the peak by less than 64 MiB", async () => {
  const script = new URL("./discard-server.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill());
  const lines = createInterface(child.stdout);
  const { port = 0 } = await heard(lines);
  const client = await RawClient.greeted(port);
  expect(await client.deliver("warm up\r\n".repeat(20_000), inbox)).toMatchObject({ code: 250 });
  const before = await measure(child, lines);
  const block = Buffer.alloc(1024 * 1024, `${"x".repeat(76)}\r\n`);
  await client.begin(inbox);
  for (let mebibytes = 0; mebibytes < 150; mebibytes += 1) await client.send(block);
  expect(await client.command("\r\n.")).toMatchObject({ code: 250 });
  const after = await measure(child, lines);
  expect((after.bytes ?? 0) - (before.bytes ?? 0)).toBe(150 * 1024 * 1024 + 2);
  expect((after.peakMiB ?? Number.POSITIVE_INFINITY) - (before.peakMiB ?? 0)).toBeLessThan(64);
  child.stdin.end();
  await once(child, "exit");
});
