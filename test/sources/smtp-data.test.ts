/** What becomes of a message: acknowledgement, refusals, sizes, tenants, pressure (threats.md 1.2). */
import { describe, expect, test } from "vitest";
import { NotAccepted, type Refusal } from "../../src/model/source.ts";
import { FakeIntake, ManualClock, settle } from "./fakes.ts";
import { RawClient } from "./raw-client.ts";
import { inbox, startSmtp } from "./smtp-fixture.ts";

describe("the acknowledgement", () => {
  test("names the event", async () => {
    const { port, intake } = await startSmtp();
    intake.accept = async (raw) => {
      for await (const _ of raw);
      return [{ eventId: "0198c0de", tenant: "acme", outcome: "new" }];
    };
    const client = await RawClient.greeted(port);
    expect((await client.deliver("x", inbox)).lines).toEqual(["250 2.0.0 Ok: queued as 0198c0de"]);
  });

  test("one transaction for several tenants is one accept with an envelope each, and none sees the other's recipients", async () => {
    const { port, intake } = await startSmtp();
    const client = await RawClient.greeted(port);
    const reply = await client.deliver("x", inbox, "desk@in.globex.test", "sales@in.acme.test");
    expect(intake.taken).toHaveLength(1);
    const [acme, globex] = intake.taken[0]?.envelopes ?? [];
    expect(intake.taken[0]?.envelopes).toHaveLength(2);
    expect(acme).toMatchObject({ tenant: "acme", routes: [inbox, "sales@in.acme.test"] });
    expect(acme?.smtp?.rcpt_to).toEqual([inbox, "sales@in.acme.test"]);
    expect(globex).toMatchObject({ tenant: "globex", routes: ["desk@in.globex.test"] });
    expect(globex?.smtp?.rcpt_to).toEqual(["desk@in.globex.test"]);
    expect(reply.lines[0]).toMatch(/^250 2\.0\.0 Ok: queued as acme-\w+ globex-\w+$/);
  });

  test("many messages go over one connection, pipelined", async () => {
    const { port, intake } = await startSmtp();
    const client = await RawClient.greeted(port);
    const one = `MAIL FROM:<a@b.test>\r\nRCPT TO:<${inbox}>\r\nDATA\r\n`;
    await client.send(`${one}first\r\n.\r\n${one}second\r\n.\r\nQUIT\r\n`);
    expect(await client.rest()).toMatch(/^(250 .*\r\n250 .*\r\n354 .*\r\n250 2\.0\.0 Ok.*\r\n){2}221 .*\r\n$/);
    expect(intake.taken.map(({ bytes }) => bytes.toString())).toEqual(["first\r\n", "second\r\n"]);
  });

  test("is logged with the event's id and no address; what was counted can be read", async () => {
    const { port, ports } = await startSmtp();
    const client = await RawClient.greeted(port);
    await client.deliver("Subject: secret\r\n\r\nsecret", inbox);
    await client.command("RCPT TO:<x@y.test>");
    const loud = ports.log.lines.filter(({ level }) => level !== "debug");
    expect(loud.map(({ message }) => message)).toEqual(["smtp: listening", "smtp: message accepted"]);
    expect(loud[1]?.fields).toMatchObject({ tenant: "acme", outcome: "new", bytes: 27, tls: null });
    expect(JSON.stringify(loud)).not.toMatch(/secret|inbox|sender|elsewhere/);
    expect(Object.fromEntries(ports.metrics.counts)).toEqual({
      smtp_connections_total: 1,
      "smtp_messages_total accepted": 1,
      "smtp_rejections_total 503 5.5.1": 1,
    });
    expect(ports.metrics.gauges.get("smtp_open_connections")).toBe(1);
    expect(ports.metrics.observed.get("smtp_receive_seconds")).toHaveLength(1);
    client.leave();
    await client.closed;
    await settle();
    expect(ports.metrics.gauges.get("smtp_open_connections")).toBe(0);
  });
});

const refusals: readonly [Refusal["kind"], number, string][] = [
  ["too_large", 552, "5.3.4"],
  ["loop", 554, "5.4.6"],
  ["busy", 452, "4.3.1"],
  ["store_failed", 451, "4.3.0"],
];

describe("refusals by the intake", () => {
  test.each(refusals)("%s is %i %s after the dot, and the talk goes on", async (kind, code, status) => {
    const { port, intake } = await startSmtp();
    intake.after = () => Promise.reject(new NotAccepted({ kind, reason: "no <inbox@in.acme.test> today" }));
    const client = await RawClient.greeted(port);
    const reply = await client.deliver("x", inbox);
    expect(reply).toMatchObject({ code, status });
    expect(reply.lines[0]).not.toContain("today"); // what ails us is for the log, not for the peer
    intake.after = () => {};
    expect(await client.deliver("x", inbox)).toMatchObject({ code: 250 });
  });

  test.each(refusals)("%s before a byte was read is answered only after the dot", async (kind, code, status) => {
    const { port, intake } = await startSmtp();
    intake.before = () => Promise.reject(new NotAccepted({ kind, reason: "no" }));
    const client = await RawClient.greeted(port);
    await client.begin(inbox);
    await client.send("half a message\r\n");
    await settle();
    expect(client.unread).toBe("");
    await client.send(`${"x".repeat(300_000)}\r\n.\r\n`);
    expect(await client.reply()).toMatchObject({ code, status });
  });

  test("a defect is 451 4.3.0, never 450 and never 5xx", async () => {
    const { port, intake } = await startSmtp();
    intake.after = () => Promise.reject(new Error("boom"));
    const client = await RawClient.greeted(port);
    expect(await client.deliver("x", inbox)).toMatchObject({ code: 451, status: "4.3.0" });
  });

  test.each([
    ["busy", 452, "4.3.1"],
    ["store_failed", 451, "4.3.0"],
  ] as const)("pressure (%s) is %i %s already at MAIL, and gone when it is gone", async (kind, code, status) => {
    const { port, intake } = await startSmtp();
    const client = await RawClient.greeted(port);
    intake.refusal = { kind, reason: "locked" };
    expect(await client.command("MAIL FROM:<a@b.test>")).toMatchObject({ code, status });
    expect(await client.command(`RCPT TO:<${inbox}>`)).toMatchObject({ code: 503 });
    intake.refusal = undefined;
    expect(await client.deliver("x", inbox)).toMatchObject({ code: 250 });
  });

  test("the declared size is asked about at MAIL", async () => {
    const { port, intake } = await startSmtp();
    const client = await RawClient.greeted(port);
    await client.command("MAIL FROM:<a@b.test> SIZE=4711");
    await client.command("RSET");
    await client.command("MAIL FROM:<a@b.test>");
    expect(intake.declared).toEqual([4711, undefined]);
  });

  test("a pressure check that fails is 451 4.3.0 at MAIL", async () => {
    const { port, intake, ports } = await startSmtp();
    intake.pressure = () => Promise.reject(new Error("no disk to ask"));
    const client = await RawClient.greeted(port);
    expect(await client.command("MAIL FROM:<a@b.test>")).toMatchObject({ code: 451, status: "4.3.0" });
    expect(ports.log.lines.filter(({ level }) => level === "error")).toHaveLength(1);
  });

  test("a store that hangs after the dot is 451 4.3.0 when its time is up, and the talk goes on", async () => {
    const clock = new ManualClock();
    const { port, intake } = await startSmtp({ limits: { accept_seconds: 30 } }, { clock });
    const read = Promise.withResolvers<void>();
    intake.after = () => {
      read.resolve();
      return new Promise<void>(() => {});
    };
    const client = await RawClient.greeted(port);
    await client.begin(inbox);
    await client.send("x\r\n.\r\n");
    await read.promise;
    await settle();
    await clock.advance(29_000);
    expect(client.unread).toBe("");
    await clock.advance(2_000);
    expect(await client.reply()).toMatchObject({ code: 451, status: "4.3.0" });
    intake.after = () => {};
    expect(await client.deliver("x", inbox)).toMatchObject({ code: 250 });
  });

  test("a store that never reads is given up on as well, counted from the dot", async () => {
    const clock = new ManualClock();
    const { port, intake } = await startSmtp({ limits: { accept_seconds: 30 } }, { clock });
    const accept = intake.accept;
    const begun = Promise.withResolvers<void>();
    intake.accept = () => {
      begun.resolve();
      return new Promise(() => {});
    };
    const client = await RawClient.greeted(port);
    await client.begin(inbox);
    await begun.promise;
    await client.send("x\r\n.\r\n");
    await settle();
    await clock.advance(32_000);
    expect(await client.reply()).toMatchObject({ code: 451, status: "4.3.0" });
    intake.accept = accept;
    expect(await client.deliver("x", inbox)).toMatchObject({ code: 250 });
  });

  test("a store that was given up on in the middle of a message hears so, and never takes its beginning for the whole", async () => {
    const clock = new ManualClock();
    const { port, intake } = await startSmtp({ limits: { accept_seconds: 30 } }, { clock });
    const begun = Promise.withResolvers<AsyncIterator<Uint8Array>>();
    intake.accept = (raw) => {
      begun.resolve(raw[Symbol.asyncIterator]());
      return new Promise(() => {});
    };
    const client = await RawClient.greeted(port);
    await client.begin(inbox);
    const bytes = await begun.promise;
    await client.send("the beginning\r\n");
    expect(await bytes.next()).toMatchObject({ done: false });
    await client.send("the end\r\n.\r\n");
    await settle();
    await clock.advance(32_000);
    expect(await client.reply()).toMatchObject({ code: 451, status: "4.3.0" });
    await expect(bytes.next()).rejects.toThrow("given up");
    await expect(bytes.next()).rejects.toThrow("given up");
  });
});

describe("size", () => {
  const limit = 100_000;

  test("a message of exactly the limit is taken", async () => {
    const { port, intake } = await startSmtp({}, { intake: new FakeIntake(limit) });
    const client = await RawClient.greeted(port);
    expect(await client.deliver(`${"a\r\n".repeat(33_332)}bb`, inbox)).toMatchObject({ code: 250 });
    expect(intake.taken[0]?.bytes).toHaveLength(limit);
  });

  test("a byte more is 552 5.3.4 after the dot, whatever was declared, and the store never saw over the limit", async () => {
    const intake = new FakeIntake(limit);
    let seen = 0;
    intake.accept = async (raw) => {
      for await (const chunk of raw) seen += chunk.length;
      throw new Error("the end must not come");
    };
    const { port } = await startSmtp({}, { intake });
    const client = await RawClient.greeted(port);
    await client.command("MAIL FROM:<a@b.test> SIZE=5");
    await client.command(`RCPT TO:<${inbox}>`);
    await client.command("DATA");
    await client.send("a".repeat(limit + 1));
    await settle();
    expect(client.unread).toBe("");
    expect(await client.command("\r\n.")).toMatchObject({ code: 552, status: "5.3.4" });
    expect(seen).toBeLessThanOrEqual(limit);
    expect(await client.command("NOOP")).toMatchObject({ code: 250 });
  });

  test("over twice the limit it is 552 5.3.4 at once, and the connection closed", async () => {
    const { port, intake } = await startSmtp({}, { intake: new FakeIntake(limit) });
    const client = await RawClient.greeted(port);
    await client.begin(inbox);
    for (let sent = 0; sent <= 4 * limit && client.unread === ""; sent += 10_000) {
      await client.send("a".repeat(10_000)).catch(() => {});
      await settle(2);
    }
    expect(await client.reply()).toMatchObject({ code: 552, status: "5.3.4" });
    await client.closed;
    expect(intake.taken).toHaveLength(0);
    expect(intake.broken).toHaveLength(1);
  });
});

describe("back-pressure", () => {
  test("a store that does not read makes the peer wait, instead of us holding its message", async () => {
    const { port, intake } = await startSmtp({}, { intake: new FakeIntake(1024 * 1024 * 1024) });
    const go = Promise.withResolvers<void>();
    intake.before = () => go.promise;
    let bytes = 0;
    intake.accept = async (raw, envelopes) => {
      await intake.before();
      for await (const chunk of raw) bytes += chunk.length;
      return envelopes.map(({ tenant }) => ({ eventId: "e", tenant, outcome: "new" as const }));
    };
    const client = await RawClient.greeted(port);
    await client.begin(inbox);
    const block = Buffer.alloc(1024 * 1024, "a line of text\r\n");
    // The kernel's buffers take a few MiB; a listener that reads on regardless takes all 64.
    let pending = 0;
    for (let i = 0; i < 64; i += 1) {
      pending += 1;
      client.socket.write(block, () => {
        pending -= 1;
      });
    }
    await settle(200);
    expect(pending).toBeGreaterThan(40);
    go.resolve();
    await client.send(".\r\n");
    expect(await client.reply()).toMatchObject({ code: 250 });
    expect(bytes).toBe(64 * 1024 * 1024);
  });

  test("500 connections at once each get their message through, and all places are free again", async () => {
    const { port, intake, ports } = await startSmtp();
    const clients = await Promise.all(
      Array.from({ length: 500 }, async (_, i) => {
        const client = await RawClient.greeted(port);
        const reply = await client.deliver(`message ${i}`, inbox);
        expect(reply.code).toBe(250);
        return client;
      }),
    );
    expect(ports.metrics.gauges.get("smtp_open_connections")).toBe(500);
    expect(new Set(intake.taken.map(({ bytes }) => bytes.toString())).size).toBe(500);
    for (const client of clients) client.leave();
    await Promise.all(clients.map((client) => client.closed));
    await settle();
    expect(ports.metrics.gauges.get("smtp_open_connections")).toBe(0);
  });
});

describe("a peer that vanishes in mid-message", () => {
  test.each(["reset", "leave"] as const)("(%s) leaves nothing but a count", async (how) => {
    const { port, intake, ports } = await startSmtp();
    const failed = Promise.withResolvers<void>();
    const accept = intake.accept;
    intake.accept = (raw, envelopes) => accept(raw, envelopes).finally(failed.resolve);
    const client = await RawClient.greeted(port);
    await client.begin(inbox);
    await client.send("a".repeat(100_000));
    client[how]();
    await failed.promise;
    await settle();
    expect(intake.taken).toHaveLength(0);
    expect(intake.broken).toHaveLength(1);
    expect(ports.metrics.counts.get("smtp_messages_total aborted")).toBe(1);
    expect([...ports.metrics.counts.keys()].filter((name) => name.startsWith("smtp_rejections_total"))).toEqual([]);
    expect(ports.log.lines.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
  });

  test("before the store began to read is seen all the same", async () => {
    const { port, intake } = await startSmtp();
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const failed = Promise.withResolvers<void>();
    intake.before = () => {
      begun.resolve();
      return go.promise;
    };
    const accept = intake.accept;
    intake.accept = (raw, envelopes) => accept(raw, envelopes).finally(failed.resolve);
    const client = await RawClient.greeted(port);
    await client.begin(inbox);
    await client.send("half");
    await begun.promise;
    client.reset();
    await client.closed;
    await settle();
    go.resolve();
    await failed.promise;
    expect(intake.taken).toHaveLength(0);
    expect(intake.broken).toHaveLength(1);
  });
});
