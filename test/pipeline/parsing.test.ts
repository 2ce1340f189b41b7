import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import type { Log, LogFields } from "../../src/model/ports.ts";
import { childFlags, startChild } from "../../src/pipeline/parsing/child.ts";
import { frame, frameKinds, messageFrames, readFrames } from "../../src/pipeline/parsing/frames.ts";
import type { Job } from "../../src/pipeline/parsing/job.ts";
import { newSeat, nextFor, type Seat, type Timer } from "../../src/pipeline/parsing/seat.ts";
import { cacheFlags } from "../../src/pipeline/parsing/writing.ts";
import { openParsePool, type ParsePool, type ParsePoolOptions } from "../../src/pipeline/parsing.ts";

const src = join(import.meta.dirname, "..", "..", "src");
const scripted = join(import.meta.dirname, "fixtures", "scripted-parser.ts");
const deadlineMs = 30_000;
/** Of three MiB. */
const deadlineOfLarge = 33_000;
const watchMs = 250;
const patienceMs = 300;
const startDeadlineMs = 120_000;

/** A folder for one test. */
function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "mailwright-parsing-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

const pools: ParsePool[] = [];
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close();
});

interface Ended {
  readonly reason: string;
  readonly inFlight: number;
}

/** Deadlines, patience and memory checks fire when the test says so, restarts at once. */
function handTimers() {
  const waiting = new Set<{ ms: number; call: () => void }>();
  let changed: () => void = () => undefined;
  const timer: Timer = (ms, call) => {
    const entry = { ms, call };
    if ([deadlineMs, deadlineOfLarge, patienceMs, watchMs, startDeadlineMs].includes(ms)) {
      waiting.add(entry);
      changed();
      return () => void waiting.delete(entry);
    }
    const restart = setImmediate(call);
    return () => clearImmediate(restart);
  };
  const fire = async (ms: number): Promise<void> => {
    let entry = [...waiting].find((one) => one.ms === ms);
    while (entry === undefined) {
      await new Promise<void>((resolve) => {
        changed = resolve;
      });
      entry = [...waiting].find((one) => one.ms === ms);
    }
    waiting.delete(entry);
    entry.call();
  };
  const waits = (ms: number): number => [...waiting].filter((one) => one.ms === ms).length;
  return { timer, fire, waits };
}

const silent = (): void => undefined;
const quietLog: Log = { debug: silent, info: silent, warn: silent, error: silent, with: () => quietLog };

async function openPool(options: Partial<ParsePoolOptions> = {}) {
  const ended: Ended[] = [];
  const log: Log = {
    debug: silent,
    info: silent,
    error: silent,
    warn: (fields: LogFields) => void ended.push({ reason: String(fields.reason), inFlight: Number(fields.in_flight) }),
    with: () => log,
  };
  const timers = handTimers();
  const pool = await openParsePool({ children: 2, log, timer: timers.timer, ...options });
  pools.push(pool);
  return { pool, ended, ...timers };
}

async function* once(text: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield typeof text === "string" ? Buffer.from(text) : text;
}
const mail = (subject: string, body = "hello") => `From: a@b.example\r\nSubject: ${subject}\r\n\r\n${body}\r\n`;
/** Longer than what the pool keeps of a message. */
async function* long(subject: string, body: string, bytes = 600_000): AsyncGenerator<Uint8Array> {
  yield Buffer.from(mail(subject, body));
  const line = Buffer.alloc(50_000, "all work and no play makes a long mail\r\n");
  for (let sent = 0; sent < bytes; sent += line.length) yield line;
}

describe("the parse pool", () => {
  test("parses short and long messages, many at once", async () => {
    const { pool, ended } = await openPool();
    const subjects = Array.from({ length: 60 }, (_, i) => `message ${i}`);
    const parsed = await Promise.all(
      subjects.map((subject, i) => pool.parse(i % 10 === 0 ? long(subject, "long") : once(mail(subject)), 1)),
    );
    expect(parsed.map(({ message }) => message.subject)).toEqual(subjects);
    expect(parsed.every(({ parse_status }) => parse_status === "ok")).toBe(true);
    expect(ended).toEqual([]);
  });

  test("reads a calendar, whose reader a child loads with the first one", async () => {
    const { pool } = await openPool({ children: 1 });
    const event = "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1\nEND:VEVENT\nEND:VCALENDAR\n";
    const parsed = await pool.parse(once(`From: a@b.example\nContent-Type: text/calendar\n\n${event}`), 1);
    expect(parsed.calendar.map(({ method, uid }) => [method, uid])).toEqual([["REQUEST", "1"]]);
  });

  test("gives an event for a message of no bytes, and the headers alone when asked", async () => {
    const { pool } = await openPool();
    expect(await pool.parse(once(""), 0)).toMatchObject({ parse_status: "ok", message: { text: "" } });
    const found = await pool.headersOnly(long("only this", "x"), "three attempts did not end");
    expect(found).toMatchObject({
      parse_status: "failed",
      message: { subject: "only this", text: null },
      anomalies: [{ code: "parse_failed", detail: "three attempts did not end" }],
    });
  });

  test("a message to which the answer cannot be read is tried again, and its headers are read; no promise stays open", async () => {
    const { pool, ended } = await openPool({ entry: scripted });
    const [odd, honest] = await Promise.all([
      pool.parse(once(mail("odd", "BABBLE")), 1),
      pool.parse(once(mail("honest")), 1),
    ]);
    expect(odd).toMatchObject({ parse_status: "failed", message: { subject: "odd" } });
    expect(honest).toMatchObject({ parse_status: "ok" });
    expect(ended.map(({ reason }) => reason)).toEqual([
      "the parser gave an answer that cannot be read",
      "the parser gave an answer that cannot be read",
    ]);
  });

  test("a message that kills its parser is tried twice, then its headers are read; those behind it are not touched", async () => {
    const { pool, ended } = await openPool({ entry: scripted });
    const [poison, ...others] = await Promise.all([
      pool.parse(once(mail("poison", "DIE")), 1),
      ...Array.from({ length: 8 }, (_, i) => pool.parse(once(mail(`honest ${i}`)), 1)),
    ]);
    expect(poison).toMatchObject({
      parse_status: "failed",
      message: { subject: "poison", from: { email: "a@b.example" } },
    });
    expect(poison?.anomalies[0]).toEqual({
      code: "parse_failed",
      detail: "the parser ended: exit code 7: killed by a mail [2J",
    });
    expect(others.map(({ parse_status }) => parse_status)).toEqual(Array.from({ length: 8 }, () => "ok"));
    expect(ended).toHaveLength(2);
    // The first time others were behind it in the pipe; the second time it was alone.
    expect(ended.map(({ inFlight }) => inFlight)).toEqual([3, 1]);
  });

  test("a message that kills whatever reads it still gives an event", async () => {
    const { pool, ended } = await openPool({ entry: scripted });
    const found = await pool.parse(once(mail("x", "DIE-ALWAYS")), 1);
    expect(found).toMatchObject({ parse_status: "failed", message: { subject: null, from: null } });
    expect(ended).toHaveLength(3);
  });

  test("a long message is read again from its source for the second try", async () => {
    const { pool, ended } = await openPool({ entry: scripted });
    let reads = 0;
    const found = await pool.parse(() => long("again", ++reads === 1 ? "DIE" : "fine"), 1);
    expect(found).toMatchObject({ parse_status: "ok", message: { subject: "again" } });
    expect([reads, ended.length]).toEqual([2, 1]);
  });

  test("a long message whose source cannot be read again gives its headers", async () => {
    const { pool } = await openPool({ entry: scripted });
    expect(await pool.parse(long("once", "DIE"), 1)).toMatchObject({
      parse_status: "failed",
      message: { subject: "once" },
    });
  });

  test("a parser that works past the deadline is killed, and says so in the event", async () => {
    const { pool, fire } = await openPool({ entry: scripted });
    const pending = pool.parse(once(mail("slow", "SPIN")), 1);
    await fire(deadlineMs);
    await fire(deadlineMs);
    const found = await pending;
    expect(found.message.subject).toBe("slow");
    expect(found.anomalies[0]).toEqual({ code: "parse_failed", detail: "the parser was stopped after 30000 ms" });
  });

  test("a large message may take a second more for each MiB", async () => {
    const { pool, fire } = await openPool({ entry: scripted });
    const pending = pool.parse(once(mail("large", "SPIN")), 3.5 * 2 ** 20);
    await fire(deadlineOfLarge);
    await fire(deadlineOfLarge);
    expect((await pending).anomalies[0]).toMatchObject({ detail: "the parser was stopped after 33000 ms" });
  });

  test("what stands behind a slow message goes to the other child, and does not wait for the deadline", async () => {
    const { pool, ended, fire } = await openPool({ entry: scripted });
    const slow = pool.parse(once(mail("slow", "SPIN")), 1);
    const others = Array.from({ length: 12 }, (_, i) => pool.parse(once(mail(`honest ${i}`)), 1));
    await fire(patienceMs);
    // With the slow one still being worked on: no deadline has been fired.
    expect((await Promise.all(others)).map(({ message }) => message.subject)).toEqual(
      others.map((_, i) => `honest ${i}`),
    );
    expect((await pool.parse(once(mail("later")), 1)).message.subject).toBe("later");
    expect(ended).toEqual([]);
    await fire(deadlineMs);
    await fire(deadlineMs);
    expect((await slow).parse_status).toBe("failed");
    // Each time it was the only one that was still waited for there.
    expect(ended).toHaveLength(2);
  });

  test("where every message is slow, the answers that come are taken, and none is worked on again and again", async () => {
    const { pool, waits, fire } = await openPool({ entry: scripted });
    const mails = Array.from({ length: 8 }, (_, i) => pool.parse(once(mail(`message ${i}`, "SLOW")), 1));
    let over = false;
    const all = Promise.all(mails).finally(() => {
      over = true;
    });
    // A machine on which each of them takes longer than patience lasts: it is over as often as a child turns to one.
    let turns = 0;
    while (!over && turns < 100) {
      if (waits(patienceMs) > 0) {
        await fire(patienceMs);
        turns++;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await all).map(({ message }) => message.subject)).toEqual(mails.map((_, i) => `message ${i}`));
    expect(turns).toBeLessThan(3 * mails.length);
  });

  test("a busy parser's memory is watched once, however many messages come while it is looked at", async () => {
    const { pool, fire, waits } = await openPool();
    for (let round = 0; round < 20; round++) {
      const parsed = Array.from({ length: 12 }, () => pool.parse(once("Subject: x\r\n\r\nhello\r\n"), 24));
      if (waits(watchMs) > 0) await fire(watchMs);
      await Promise.all(parsed);
    }
    expect(waits(watchMs)).toBeLessThanOrEqual(2);
  });

  test.skipIf(process.platform !== "linux")("a parser that takes too much memory is killed", async () => {
    const { pool, fire } = await openPool({ entry: scripted, maxResidentBytes: 1024 });
    const pending = pool.parse(once(mail("fat", "SPIN")), 1);
    await fire(watchMs);
    await fire(watchMs);
    const found = await pending;
    expect(found.anomalies[0]?.detail).toMatch(/^the parser was stopped at \d+ MiB of memory$/);
  });

  test("what a parser did not want to read of a message is not missing from the room for the next", async () => {
    const { pool, ended } = await openPool();
    async function* refused(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(mail("refused"));
      for (let i = 0; i < 40; i++) yield Buffer.alloc(64 * 1024, "--\r\n");
    }
    for (let round = 0; round < 20; round++) expect((await pool.parse(refused(), 1)).parse_status).toBe("partial");
    const sent = [0, 1].map((i) => pool.parse(long(`honest ${i}`, "x", 4_000_000), 1));
    expect((await Promise.all(sent)).map(({ parse_status }) => parse_status)).toEqual(["partial", "partial"]);
    expect(ended).toEqual([]);
  });

  test("raw bytes that cannot be read reject, and the pool goes on", async () => {
    const { pool, ended } = await openPool();
    async function* broken(bytes: number): AsyncGenerator<Uint8Array> {
      yield* long("broken", "x", bytes);
      throw new Error("EIO: the disk");
    }
    await expect(pool.parse(broken(10), 1)).rejects.toThrow("EIO");
    await expect(pool.parse(broken(900_000), 1)).rejects.toThrow("EIO");
    await expect(pool.headersOnly(broken(10))).rejects.toThrow("EIO");
    expect((await pool.parse(once(mail("next")), 1)).message.subject).toBe("next");
    expect(ended).toEqual([]);
  });

  test("closing rejects what is in flight and what comes after, and ends the children", async () => {
    const { pool } = await openPool({ entry: scripted });
    const pending = pool.parse(once(mail("slow", "SPIN")), 1);
    const refused = expect(pending).rejects.toThrow("the parse pool was closed");
    await new Promise((resolve) => setImmediate(resolve));
    await pool.close();
    await refused;
    await expect(pool.parse(once(mail("late")), 1)).rejects.toThrow("the parse pool was closed");
  });

  test("does not open where no child can start, and says why", async () => {
    await expect(openPool({ entry: join(tmpdir(), "mailwright-no-such-parser.js") })).rejects.toThrow(
      /no parser child could be started: .*exit code 1/,
    );
  });

  test("does not wait for ever for children that hang while they start", async () => {
    const { timer, fire } = handTimers();
    const entry = join(import.meta.dirname, "fixtures", "silent-parser.ts");
    const opening = openParsePool({ children: 2, log: quietLog, timer, entry });
    const refused = expect(opening).rejects.toThrow(/no parser child could be started: .*not ready after 120 s/);
    let fired = 0;
    let isRefused = false;
    const seen = refused.then(() => {
      isRefused = true;
    });
    // One child may die a fourth time before the other has died a third time.
    while (!isRefused) await Promise.race([fire(startDeadlineMs).then(() => fired++), seen]);
    expect(fired).toBeGreaterThanOrEqual(2 * 3);
  });

  test("100 MiB of attachment pass through a child of less than 256 MiB", async () => {
    const { pool } = await openPool({ maxResidentBytes: 256 * 1024 * 1024, timer: realTimers });
    async function* big(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\n");
      yield Buffer.from("Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n");
      const lines = Buffer.alloc(65_520, `${"QUJD".repeat(19)}\r\n`);
      for (let i = 0; i < 1600; i++) yield lines;
      yield Buffer.from("--b--\r\n");
    }
    const found = await pool.parse(big(), 1);
    expect(found).toMatchObject({
      parse_status: "ok",
      message: { text: "hello", attachments: [{ content_type: "application/zip" }] },
    });
    expect(found.message.attachments[0]?.size).toBe((1600 * 65_520 * 57) / 78);
  });
});

describe("the next message for a child", () => {
  const job = (kind: "whole" | "stream", deaths = 0) => ({ bytes: { kind }, deaths }) as unknown as Job;
  const [short, long, suspect] = [job("whole"), job("stream"), job("whole", 1)];
  const seat = (jobs: readonly Job[] = [], more: Partial<Seat> = {}): Seat => ({
    ...newSeat(),
    ready: true,
    // Others of the same kind, not the very ones that wait.
    sent: jobs.map((one) => ({ job: { ...one }, elsewhere: false })),
    ...more,
  });
  const starting = seat([], { ready: false });
  const holding = seat([], { sent: [{ job: short, elsewhere: true }] });
  const broken = seat([], { ready: false, falseStarts: 2 });

  test.each<[string, readonly Seat[], readonly Job[], readonly [number, number] | undefined]>([
    ["the oldest, to the child with the least to do", [seat([short, short]), seat([short])], [short, short], [0, 1]],
    ["none while all have their hands full", [seat([short, short, short]), seat([long])], [short], undefined],
    ["none to a child that is late", [seat([short], { late: true }), seat([short, short, short])], [short], undefined],
    ["a long one to a child that has nothing", [seat([short]), seat()], [long, short], [0, 1]],
    [
      "behind a long one that waits for a child, the next, to another",
      [seat([short, short]), seat([short])],
      [long, short],
      [1, 0],
    ],
    [
      "none behind two long ones that wait for two children",
      [seat([short]), seat([short])],
      [long, long, short],
      undefined,
    ],
    ["not one that a child died of, while that child is started again", [starting, seat()], [suspect, short], [1, 1]],
    ["that one too where the other child cannot be started", [broken, seat()], [suspect, short], [0, 1]],
    ["that one to a child of its own", [seat([short]), seat()], [suspect], [0, 1]],
    ["not one of which the child has a copy already", [holding], [short, job("whole")], [1, 0]],
    ["that one to another child, though it has more to do", [holding, seat([short, short])], [short], [0, 1]],
  ])("is %s", (_, seats, queue, expected) => {
    const next = nextFor(seats, queue);
    expect(next && [next.at, seats.indexOf(next.seat)]).toEqual(expected);
  });
});

const realTimers: Timer = (ms, call) => {
  const timer = setTimeout(call, ms);
  return () => clearTimeout(timer);
};

describe("a parser child", () => {
  const inChild = (code: string) =>
    spawnSync(process.execPath, [...childFlags(64), "--eval", code], { encoding: "utf8", env: {} });

  test.each([
    [
      "write a file",
      `require("node:fs").writeFileSync(${JSON.stringify(join(tmpdir(), "mailwright-child-wrote"))}, "x")`,
    ],
    ["start a process", 'require("node:child_process").execFileSync("/bin/true")'],
    ["start a worker", 'new (require("node:worker_threads").Worker)("1", { eval: true })'],
    ["read /etc/passwd", 'require("node:fs").readFileSync("/etc/passwd")'],
    [
      "list the folder above the code",
      `require("node:fs").readdirSync(${JSON.stringify(join(import.meta.dirname, "..", ".."))})`,
    ],
    ["load an addon", 'process.dlopen({ exports: {} }, "/lib/x.node")'],
    ["open the inspector", 'require("node:inspector").open(0)'],
    ["make code from strings", 'new Function("return 1")()'],
  ])("cannot %s", (_, code) => {
    const { status, stderr } = inChild(code);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/ERR_ACCESS_DENIED|ERR_DLOPEN_DISABLED|EvalError/);
    expect(existsSync(join(tmpdir(), "mailwright-child-wrote"))).toBe(false);
  });

  test("can do what is allowed: these are its own flags and nothing else", () => {
    expect(inChild("process.stdout.write(String(1 + 1))")).toMatchObject({ status: 0, stdout: "2" });
    expect(inChild("process.stdout.write(JSON.stringify(process.env))").stdout).toBe("{}");
  });

  test("that may keep compiled code can write it, and nothing any more once it has given that up", () => {
    const cache = temporary();
    const inFolder = (name: string) => JSON.stringify(join(cache, name));
    const code = `
      import { existsSync, writeFileSync } from "node:fs";
      import { giveUpWriting } from ${JSON.stringify(join(src, "pipeline/parsing/writing.ts"))};
      writeFileSync(${inFolder("before")}, "x");
      giveUpWriting();
      for (const file of [${inFolder("before")}, ${inFolder("after")}, "/tmp/mailwright-child-wrote"]) {
        try {
          writeFileSync(file, "x");
          console.log("wrote " + file);
        } catch (error) {
          console.log(error.code);
        }
      }`;
    const flags = [...childFlags(64), ...cacheFlags(cache), "--input-type=module", "--eval", code];
    const { stdout, stderr } = spawnSync(process.execPath, flags, {
      encoding: "utf8",
      env: { NODE_COMPILE_CACHE: cache },
    });
    expect({ stdout, stderr }).toEqual({ stdout: "ERR_ACCESS_DENIED\n".repeat(3), stderr: "" });
    expect(existsSync(join(cache, "before"))).toBe(true);
  });

  test("keeps its code in the folder that it is given, and starts from there the next time", async () => {
    const cache = temporary();
    const kept = () => readdirSync(cache, { recursive: true }).sort();
    const startAndEnd = () =>
      new Promise<string>((resolve) => {
        const events = { ready: () => child.end(), answer: () => undefined, gone: resolve };
        const child = startChild({ maxHeapMb: 64, cache }, events);
      });
    expect(await startAndEnd()).toBe("exit code 0");
    const first = kept();
    expect(first.length).toBeGreaterThan(100);
    expect(await startAndEnd()).toBe("exit code 0");
    expect(kept()).toEqual(first);
  });

  test("ends by itself when its input ends, as it does when the daemon is killed", async () => {
    const gone = await new Promise<string>((resolve) => {
      const child = startChild({ maxHeapMb: 64 }, { ready: () => child.end(), answer: () => undefined, gone: resolve });
    });
    expect(gone).toBe("exit code 0");
  });
});

describe("frames", () => {
  test("come out as they went in, however the pipe cuts them", () => {
    const raw = Buffer.alloc(150_000, "abc");
    const sent = Buffer.concat([
      frame(frameKinds.ready),
      messageFrames({ mode: "parse", reason: "" }, raw),
      frame(frameKinds.drop),
    ]);
    for (const size of [1, 4, 7, 1000, 65_536, sent.length]) {
      const kinds: number[] = [];
      const chunks: Buffer[] = [];
      const read = readFrames((kind, payload) => {
        kinds.push(kind);
        if (kind === frameKinds.chunk) chunks.push(Buffer.from(payload));
      });
      for (let at = 0; at < sent.length; at += size) read(sent.subarray(at, at + size));
      expect(kinds).toEqual([10, 1, 2, 2, 2, 3, 4]);
      expect(Buffer.concat(chunks).equals(raw)).toBe(true);
    }
  });

  test("that are too long are refused, before they are waited for", () => {
    const read = readFrames(() => undefined);
    expect(() => read(Buffer.from([0xff, 0xff, 0xff, 0xff, 2]))).toThrow("a frame of 4294967295 bytes");
  });
});
