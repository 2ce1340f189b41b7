import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, type writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Log } from "../../src/model/ports.ts";
import { openLog } from "../../src/watch/log.ts";
import { openRedactor } from "../../src/watch/redact.ts";
import { openSink } from "../../src/watch/sink.ts";

type Line = Record<string, unknown>;

function kept(level: "debug" | "info" | "warn" | "error" = "debug", redactor = openRedactor()) {
  const written: string[] = [];
  const clock = { now: () => Date.UTC(2026, 10, 24, 12) };
  const log = openLog({ level, write: (line) => written.push(line), redactor, clock });
  return { log, written, lines: () => written.map((line) => JSON.parse(line) as Line) };
}

describe("a line of the log", () => {
  test("is one object of JSON with level, time, fields and message", () => {
    const { log, written } = kept();
    log.info({ event_id: "0193", attempts: 2, tls: null, ok: true, none: undefined }, "step confirmed");
    expect(written).toEqual([
      '{"level":"info","time":"2026-11-24T12:00:00.000Z","event_id":"0193","attempts":2,"tls":null,"ok":true,"msg":"step confirmed"}\n',
    ]);
  });

  test("carries the fields of the log it was written with", () => {
    const { log, lines } = kept();
    log.with({ event_id: "0193" }).with({ lane: "acme/crm" }).warn({ attempts: 1 }, "again");
    expect(lines()[0]).toMatchObject({ event_id: "0193", lane: "acme/crm", attempts: 1 });
  });

  test("is written only from its level on", () => {
    const { log, lines } = kept("warn");
    log.debug({}, "no");
    log.info({}, "no");
    log.with({}).info({}, "no");
    log.warn({}, "yes");
    log.error({}, "yes");
    expect(lines().map(({ level }) => level)).toEqual(["warn", "error"]);
  });

  test("stays one line whatever its values hold", () => {
    const { log, written } = kept();
    log.info({ a: 'x\n{"level":"error"}\u2028y' }, "first\nsecond %s %d %j");
    expect(written.join("").split("\n")).toHaveLength(2);
    expect(JSON.parse(written[0] ?? "")).toMatchObject({ msg: "first\\u000asecond %s %d %j" });
  });

  test("has one level, time and message, also when a field is named so", () => {
    const { log, written } = kept();
    log.info({ level: "fake", time: 1, msg: "fake" }, "true");
    expect(written[0]?.match(/"(?:level|time|msg)":/g)).toHaveLength(3);
    expect(JSON.parse(written[0] ?? "")).toMatchObject({ level: "info", msg: "true", level_: "fake", msg_: "fake" });
  });

  test("does not take a hostile field name for something else", () => {
    const { log, written } = kept();
    log.info(JSON.parse('{"__proto__":"x","constructor":"y"}'), "m");
    expect(written[0]).toContain('"__proto__":"x","constructor":"y"');
  });

  test("tells an error with its kind, code, frames and causes, all redacted", () => {
    const { log, lines } = kept();
    const root = Object.assign(new Error("connect to jane@example.com failed"), { code: "ECONNREFUSED" });
    const error = new TypeError("HubSpot said: Bearer abcdefgh.123", {
      cause: new AggregateError([root], "all failed"),
    });
    log.error({ err: error }, "no answer");
    expect(lines()[0]?.err).toMatchObject({
      type: "TypeError",
      message: "HubSpot said: Bearer ***",
      stack: expect.stringMatching(/^at .*log\.test\.ts/),
      causes: [
        { message: "all failed", causes: [{ message: "connect to ***@example.com failed", code: "ECONNREFUSED" }] },
      ],
    });
  });

  test("survives an error that is its own cause", () => {
    const { log, lines } = kept();
    const error = new Error("round");
    error.cause = error;
    log.error({ err: error }, "x");
    expect(lines()).toHaveLength(1);
  });
});

describe("planted canaries", () => {
  const secret = "canary-5f1c7e";
  const address = "canary.person@customer.example";
  const shapes = (log: Log, canary: string) => {
    log.info({ field: canary }, "a field");
    log.info({ field: `text ${canary} text` }, `in the message: ${canary}`);
    log.with({ bound: canary }).warn({}, "bound");
    log.error({ err: new Error(canary, { cause: new Error(`cause ${canary}`) }) }, "in an error");
    log.error({ err: Object.assign(new Error("x"), { name: canary, code: canary }) }, "in its name and code");
    log.debug({ message_id: `<x.${canary}` }, "in a Message-ID");
  };

  test("a registered secret shows in no line", () => {
    const redactor = openRedactor();
    redactor.registerSecret(secret);
    const { log, written } = kept("debug", redactor);
    shapes(log, secret);
    expect(written.length).toBe(6);
    expect(written.join("")).not.toContain(secret);
  });

  test("an address shows in no field but the Message-ID's", () => {
    const { log, written } = kept();
    shapes(log, address);
    const [other, ids] = [
      written.filter((line) => !line.includes("message_id")),
      written.filter((line) => line.includes("message_id")),
    ];
    expect(other.join("")).not.toContain("canary.person");
    expect(other.join("")).toContain("customer.example");
    expect(ids).toHaveLength(1);
  });
});

describe("the descriptor that lines are put on", () => {
  test("has the line when the call returns, so that no way out loses one", () => {
    const dir = mkdtempSync(join(tmpdir(), "mailwright-log-"));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const file = join(dir, "log");
    const fd = openSync(file, "w");
    onTestFinished(() => closeSync(fd));
    openLog({ level: "info", fd, redactor: openRedactor() }).error({}, "the last word");
    expect(readFileSync(file, "utf8")).toMatch(/"msg":"the last word"}\n$/);
  });

  test.skipIf(!existsSync("/dev/full"))("may be full without ending the daemon", () => {
    const fd = openSync("/dev/full", "w");
    onTestFinished(() => closeSync(fd));
    const log = openLog({ level: "info", fd, redactor: openRedactor() });
    for (let round = 0; round < 5; round += 1) log.error({}, "nobody reads this");
  });

  /** Writes what it is told to, in bytes per call, or throws the code it is told to. */
  function scripted(script: (number | string)[]) {
    let text = "";
    const write = ((_fd: number, bytes: Uint8Array) => {
      const next = script.shift() ?? bytes.length;
      if (typeof next === "string") throw Object.assign(new Error(next), { code: next });
      text += Buffer.from(bytes.subarray(0, next)).toString();
      return Math.min(next, bytes.length);
    }) as typeof writeSync;
    return { sink: openSink(1, write), text: () => text };
  }

  test("is told how many lines were lost, once it takes some again", () => {
    const { sink, text } = scripted(["ENOSPC", "ENOSPC", 1_000]);
    for (const line of ["a\n", "b\n", "c\n"]) sink.write(line);
    expect(text()).toBe(
      '{"level":"warn","lost_lines":2,"msg":"lines of this log could not be written and are lost"}\nc\n',
    );
  });

  test("gets the rest of a line that it took in part", () => {
    const { sink, text } = scripted([3, "EAGAIN", 2]);
    sink.write('{"a":1}\n');
    expect(text()).toBe('{"a":1}\n');
  });

  test("gets a new line after one that was torn", () => {
    const { sink, text } = scripted([3, "EIO"]);
    sink.write('{"a":1}\n');
    sink.write('{"b":2}\n');
    expect(
      text()
        .split("\n")
        .filter(Boolean)
        .slice(1)
        .map((line) => JSON.parse(line) as Line),
    ).toMatchObject([{ lost_lines: 1 }, { b: 2 }]);
  });

  test("is left alone for good when its reader has gone", () => {
    const { sink, text } = scripted(["EPIPE"]);
    sink.write("a\n");
    sink.write("b\n");
    expect(text()).toBe("");
  });

  test("is waited for once when its reader is slow, not at every line", () => {
    const script: string[] = Array.from({ length: 60 }, () => "EAGAIN");
    const { sink, text } = scripted(script);
    sink.write("a\n");
    const after = script.length;
    expect(after).toBeLessThan(20);
    sink.write("b\n");
    expect(script.length).toBe(after - 1);
    script.length = 0;
    sink.write("c\n");
    expect(text()).toMatch(/"lost_lines":2.*\nc\n$/);
  });
});
