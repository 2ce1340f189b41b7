/** What one client, and all together, may use of the SMTP listener: each limit with its reply (threats.md 1.1 to 1.3). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Admission, clientKey } from "../../src/sources/smtp/limits.ts";
import { smtp } from "../../src/sources/smtp.ts";
import { FakeIntake, ManualClock, settle } from "./fakes.ts";
import { RawClient } from "./raw-client.ts";
import { inbox, startSmtp } from "./smtp-fixture.ts";

const closedWith = (code: string) => new RegExp(`^${code.replaceAll(".", "\\.")} [^\\r\\n]*\\r\\n$`);

describe("connections", () => {
  test("over the total are 421 4.7.0 and closed; a place is free again when one leaves", async () => {
    const { port, ports } = await startSmtp({ limits: { connections: 2 } });
    const first = await RawClient.greeted(port);
    await RawClient.greeted(port);
    const third = await RawClient.open(port);
    expect(await third.rest()).toMatch(closedWith("421 4.7.0"));
    expect(await first.command("QUIT")).toMatchObject({ code: 221 });
    await first.closed;
    await settle();
    expect(await (await RawClient.open(port)).reply()).toMatchObject({ code: 220 });
    expect(ports.metrics.counts.get("smtp_rejections_total 421 4.7.0")).toBe(1);
    expect(ports.metrics.counts.get("smtp_connections_total")).toBe(4);
  });

  test("over a client's share are 421 4.7.0, while another address is greeted", async () => {
    const { port } = await startSmtp({ limits: { connections_per_ip: 2 } });
    await RawClient.greeted(port);
    await RawClient.greeted(port);
    expect(await (await RawClient.open(port)).rest()).toMatch(closedWith("421 4.7.0"));
    expect(await (await RawClient.open(port, "127.0.0.2")).reply()).toMatchObject({ code: 220 });
  });

  test("made too often are 421 4.7.0 until the minute allows one more", async () => {
    const clock = new ManualClock();
    const { port } = await startSmtp({ limits: { connection_rate_per_minute: 3 } }, { clock });
    for (let i = 0; i < 3; i += 1) (await RawClient.greeted(port)).close();
    expect(await (await RawClient.open(port)).rest()).toMatch(closedWith("421 4.7.0"));
    expect(await (await RawClient.open(port, "127.0.0.2")).reply()).toMatchObject({ code: 220 });
    await clock.advance(20_000);
    expect(await (await RawClient.open(port)).reply()).toMatchObject({ code: 220 });
    expect(await (await RawClient.open(port)).rest()).toMatch(closedWith("421 4.7.0"));
  });

  test("200 of them against 20 places: the others hear 421, and afterwards all is as before", async () => {
    const { port } = await startSmtp({ limits: { connections: 20 } });
    const clients = await Promise.all(Array.from({ length: 200 }, () => RawClient.open(port)));
    const codes = await Promise.all(clients.map(async (client) => (await client.reply()).code));
    expect(codes.filter((code) => code === 220)).toHaveLength(20);
    expect(codes.filter((code) => code === 421)).toHaveLength(180);
    for (const client of clients) client.leave();
    await Promise.all(clients.map((client) => client.closed));
    await settle();
    expect(await (await RawClient.greeted(port)).deliver("x", inbox)).toMatchObject({ code: 250 });
  });

  test("a client is its IPv4 address, or in IPv6 its /64", () => {
    expect(clientKey("192.0.2.7")).toBe("192.0.2.7");
    expect(clientKey("::ffff:192.0.2.7")).toBe("192.0.2.7");
    expect(clientKey("2001:db8:1:2::1")).toBe("2001:db8:1:2::/64");
    expect(clientKey("2001:0DB8:1:2:ffff:1:2:3")).toBe("2001:db8:1:2::/64");
    expect(clientKey("2001:db8::1")).toBe("2001:db8:0:0::/64");
    expect(clientKey("::1")).toBe("0:0:0:0::/64");
    expect(clientKey("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
  });

  test("places add up whatever comes and goes: never over a cap, never lost", () => {
    const limits = smtp.settings.parse({
      limits: { connections: 5, connections_per_ip: 2, connection_rate_per_minute: 0 },
    }).limits;
    const ip = fc.constantFrom("192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2");
    fc.assert(
      fc.property(fc.array(fc.oneof(ip, fc.nat({ max: 5 }))), (steps) => {
        const admission = new Admission(limits, new ManualClock());
        const held: { key: string; release(): void }[] = [];
        for (const step of steps) {
          if (typeof step === "number") {
            const [gone] = held.splice(step, 1);
            gone?.release();
            gone?.release(); // a second release counts for nothing
            continue;
          }
          const key = clientKey(step);
          const room = held.length < 5 && held.filter((place) => place.key === key).length < 2;
          const place = admission.admit(step);
          expect(place.ok).toBe(room);
          if (place.ok) held.push({ key, release: place.release });
          expect(admission.open).toBe(held.length);
        }
      }),
    );
  });
});

describe("commands", () => {
  test("over 2 KiB are 500 5.5.2, and 421 4.7.0 after 10 of them", async () => {
    const { port } = await startSmtp();
    const client = await RawClient.greeted(port);
    expect(await client.command(`NOOP ${"x".repeat(2043)}`)).toMatchObject({ code: 250 });
    for (let i = 0; i < 10; i += 1) {
      expect(await client.command(`NOOP ${"x".repeat(2044)}`)).toMatchObject({ code: 500, status: "5.5.2" });
    }
    await client.send(`NOOP ${"x".repeat(2044)}\r\n`);
    expect(await client.rest()).toMatch(closedWith("421 4.7.0"));
  });

  test("over 16 KiB, or without an end, are 421 4.7.0 and closed", async () => {
    const { port } = await startSmtp();
    const client = await RawClient.greeted(port);
    for (let sent = 0; sent < 50_000_000 && client.unread === ""; sent += 65_536) {
      await client.send("x".repeat(65_536)).catch(() => {});
      await settle(2);
    }
    expect(await client.rest()).toMatch(closedWith("421 4.7.0"));
  });

  test("that nobody knows are 500 5.5.2, and 421 4.7.0 after 10", async () => {
    const { port } = await startSmtp();
    const client = await RawClient.greeted(port);
    await client.send(Array.from({ length: 30 }, (_, i) => `NONSENSE ${i}\r\n`).join(""));
    expect(await client.rest()).toMatch(/^(500 5\.5\.2 [^\r\n]*\r\n){10}421 4\.7\.0 [^\r\n]*\r\n$/);
  });

  test("a message taken wipes the slate: a relay with the odd error is not cut off", async () => {
    const { port } = await startSmtp();
    const client = await RawClient.greeted(port);
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 10; i += 1) expect(await client.command("NONSENSE")).toMatchObject({ code: 500 });
      expect(await client.deliver("x", inbox)).toMatchObject({ code: 250 });
    }
  });

  test("that move no mail may be as many again after a message", async () => {
    const { port } = await startSmtp({ limits: { commands: 3 } });
    const client = await RawClient.greeted(port);
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 2; i += 1) expect(await client.command("RSET")).toMatchObject({ code: 250 });
      expect(await client.deliver("x", inbox)).toMatchObject({ code: 250 });
    }
    for (const code of [250, 250, 250, 421]) expect(await client.command("NOOP")).toMatchObject({ code });
  });

  test("that move no mail are 421 4.7.0 after 1,000, pipelined or not", async () => {
    const { port } = await startSmtp();
    const client = await RawClient.greeted(port);
    await client.send("NOOP\r\n".repeat(100_000)).catch(() => {});
    const said = await client.rest();
    expect(said.match(/^250 /gm)).toHaveLength(999); // the EHLO was the first of the thousand
    expect(said.split("\r\n").at(-2)).toMatch(/^421 4\.7\.0 /);
  });
});

describe("time", () => {
  test("a session ends 421 4.4.2 after its time, however busy it is", async () => {
    const clock = new ManualClock();
    const { port } = await startSmtp({ limits: { session_seconds: 600 } }, { clock });
    const client = await RawClient.greeted(port);
    for (let s = 30; s < 600; s += 30) {
      await clock.advance(30_000);
      expect(await client.command("NOOP")).toMatchObject({ code: 250 });
    }
    await clock.advance(30_000);
    expect(await client.rest()).toMatch(closedWith("421 4.4.2"));
  });

  test("a command that drips in is 421 4.4.2 after 60 s, though a byte comes every second", async () => {
    const clock = new ManualClock();
    const { port } = await startSmtp({}, { clock });
    const client = await RawClient.greeted(port);
    let seconds = 0;
    for (; seconds < 120 && client.unread === ""; seconds += 1) {
      await client.send("N").catch(() => {});
      await settle();
      await clock.advance(1000);
      await settle();
    }
    expect(seconds).toBe(60);
    expect(await client.rest()).toMatch(closedWith("421 4.4.2"));
  });

  test("silence is 421 4.4.2 after the idle time, before the greeting's answer as well", async () => {
    const clock = new ManualClock();
    const { port } = await startSmtp({ limits: { idle_seconds: 20 } }, { clock });
    const client = await RawClient.open(port);
    await client.reply();
    await clock.advance(19_000);
    expect(client.unread).toBe("");
    await clock.advance(1_000);
    expect(await client.rest()).toMatch(closedWith("421 4.4.2"));
  });

  test("the idle time is halved while over 80 % of the places are taken", async () => {
    const clock = new ManualClock();
    const { port } = await startSmtp({ limits: { idle_seconds: 20, connections: 10 } }, { clock });
    const clients = [];
    for (let i = 0; i < 8; i += 1) clients.push(await RawClient.greeted(port));
    await settle();
    await clock.advance(11_000);
    expect(clients.map((client) => client.unread).join("")).toBe("");
    clients.push(await RawClient.greeted(port)); // the ninth
    await settle();
    await clock.advance(1_000);
    expect(await clients[0]?.rest()).toMatch(closedWith("421 4.4.2"));
    await settle();
    expect(await clients[8]?.command("NOOP")).toMatchObject({ code: 250 });
  });

  test("message data below 500 bytes a second over 30 s is 421 4.4.2, and the store hears of an error", async () => {
    const clock = new ManualClock();
    const { port, intake, ports } = await startSmtp({}, { clock });
    const client = await RawClient.greeted(port, undefined, true); // will not leave by itself
    await client.begin(inbox);
    let seconds = 0;
    for (; seconds < 120 && client.unread === ""; seconds += 1) {
      await client.send("slow").catch(() => {});
      await settle();
      await clock.advance(1000);
      await settle();
    }
    expect(seconds).toBe(30);
    expect(await client.reply()).toMatchObject({ code: 421, status: "4.4.2" });
    expect(intake.broken).toHaveLength(1);
    expect(intake.taken).toHaveLength(0);
    expect(ports.metrics.counts.get("smtp_messages_total aborted")).toBe(1);
  });

  test("message data just above the floor is taken, however long that lasts", async () => {
    const clock = new ManualClock();
    const { port, intake } = await startSmtp({}, { clock });
    const client = await RawClient.greeted(port);
    await client.begin(inbox);
    for (let seconds = 0; seconds < 180; seconds += 1) {
      await client.send(`${"x".repeat(598)}\r\n`);
      await settle();
      await clock.advance(1000);
    }
    expect(await client.command(".")).toMatchObject({ code: 250 });
    expect(intake.taken[0]?.bytes).toHaveLength(180 * 600);
  });

  test.each(["before its first byte", "after some bytes"])(
    "a slow store of ours (%s) is not held against the sender",
    async (when) => {
      const clock = new ManualClock();
      const { port, intake } = await startSmtp({ limits: { idle_seconds: 40 } }, { clock });
      const begun = Promise.withResolvers<void>();
      const go = Promise.withResolvers<void>();
      const accept = intake.accept;
      intake.accept = async (raw, envelopes) => {
        const bytes = raw[Symbol.asyncIterator]();
        if (when === "after some bytes") await bytes.next();
        begun.resolve();
        await go.promise;
        return await accept({ [Symbol.asyncIterator]: () => bytes }, envelopes);
      };
      const client = await RawClient.greeted(port);
      await client.begin(inbox);
      await client.send("x\r\n".repeat(10));
      await begun.promise;
      await clock.advance(120_000);
      expect(client.unread).toBe("");
      go.resolve();
      await settle();
      expect(await client.command(".")).toMatchObject({ code: 250 });
    },
  );

  test("a refused message is drained under the same floor", async () => {
    const clock = new ManualClock();
    const { port } = await startSmtp({}, { clock, intake: new FakeIntake(1000) });
    const client = await RawClient.greeted(port);
    await client.begin(inbox);
    await client.send("x".repeat(1500));
    await settle();
    await clock.advance(31_000);
    expect(await client.rest()).toMatch(closedWith("421 4.4.2"));
  });

  test("while replies are not read nothing more is read, and the idle time ends it", async () => {
    const clock = new ManualClock();
    const limits = { idle_seconds: 20, commands: 10_000_000 };
    const { port, ports } = await startSmtp({ limits }, { clock });
    const client = await RawClient.greeted(port);
    client.socket.pause();
    let pending = 0;
    for (let i = 0; i < 200; i += 1) {
      pending += 1;
      client.socket.write("HELP\r\n".repeat(30_000), () => {
        pending -= 1;
      });
    }
    // Until nothing moves any more: the kernel's buffers are full in both directions.
    for (let last = -1; last !== pending; await settle(200)) last = pending;
    expect(pending).toBeGreaterThan(0);
    await settle(2000);
    await clock.advance(1_000);
    await clock.advance(20_000);
    expect(ports.metrics.counts.get("smtp_rejections_total 421 4.4.2")).toBe(1);
    client.close();
  });
});
