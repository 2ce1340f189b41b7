/** A daemon that was made to end in a hurry starts again, with all that it acknowledged. */
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, expect, test } from "vitest";
import { mailwright } from "./command.ts";
import { type Home, makeHome, type RunningDaemon, startDaemon } from "./daemon.ts";
import { sendMail } from "./smtp-client.ts";

const homes: Home[] = [];
const daemons: RunningDaemon[] = [];
afterEach(async () => {
  for (const daemon of daemons.splice(0)) await daemon.kill("SIGKILL");
  for (const place of homes.splice(0)) await place.remove();
});

async function start(place: Home): Promise<RunningDaemon> {
  const daemon = await startDaemon(place);
  daemons.push(daemon);
  return daemon;
}

/** A daemon with one acknowledged mail. */
async function withMail(): Promise<{ place: Home; daemon: RunningDaemon; ledger: string }> {
  const place = await makeHome([{ id: "crm", type: "local" }]);
  homes.push(place);
  const daemon = await start(place);
  const data = "From: Ann <ann@example.com>\r\nMessage-ID: <kept@example.com>\r\nSubject: kept\r\n\r\nhello\r\n";
  const sent = await sendMail(daemon.smtpPort, { from: "ann@example.com", to: ["deals@in.test"], data });
  expect(sent.kind).toBe("acknowledged");
  return { place, daemon, ledger: join(place.dataDir, "ledger.sqlite") };
}

async function messages(place: Home): Promise<number> {
  const ran = await mailwright(["events", "list", "--json", "--config", place.config]);
  return (ran.json() as unknown[]).length;
}

/** A client in the middle of its mail: what a daemon that drains has to wait for. */
async function holdDrain({ smtpPort }: RunningDaemon): Promise<() => void> {
  const socket = connect(smtpPort, "127.0.0.1");
  socket.on("error", () => undefined);
  const replies = createInterface({ input: socket })[Symbol.asyncIterator]();
  const until = async (code: string): Promise<void> => {
    for (let line = await replies.next(); ; line = await replies.next()) {
      if (line.done === true) throw new Error(`the daemon never said ${code}`);
      if (line.value.startsWith(`${code} `)) return;
    }
  };
  const dialogue = ["220", "EHLO c.test", "250", "MAIL FROM:<b@example.com>", "250", "RCPT TO:<deals@in.test>", "250"];
  for (const turn of [...dialogue, "DATA", "354"]) {
    if (/^\d/.test(turn)) await until(turn);
    else socket.write(`${turn}\r\n`);
  }
  socket.write("Subject: half a mail\r\n");
  return () => socket.destroy();
}

test("a second SIGTERM while it drains ends it at once, and the next start goes on", async () => {
  const { place, daemon, ledger } = await withMail();
  const letGo = await holdDrain(daemon);
  const exited = once(daemon.process, "exit");
  daemon.process.kill("SIGTERM");
  const stopping = () => daemon.lines.some(({ msg }) => String(msg).startsWith("stopping"));
  const { stdout } = daemon.process;
  if (stdout === null) throw new Error("the daemon has no output");
  while (!stopping()) await once(stdout, "data");
  daemon.process.kill("SIGTERM");
  expect(await exited).toEqual([1, null]);
  letGo();
  expect(readFileSync(join(place.dataDir, ".ledger.sqlite.marker"), "utf8")).toContain('"state":"open"');
  expect(existsSync(`${ledger}-wal`)).toBe(true);
  const again = await start(place);
  expect(await messages(place)).toBe(1);
  expect(await again.kill("SIGTERM")).toBe(0);
  expect(existsSync(`${ledger}-wal`)).toBe(false);
});

test("a write-ahead log that is removed after kill -9 is missed", async () => {
  const { place, daemon, ledger } = await withMail();
  await daemon.kill("SIGKILL");
  rmSync(`${ledger}-wal`);
  await expect(start(place)).rejects.toThrow(/write-ahead log .* is gone/);
});
