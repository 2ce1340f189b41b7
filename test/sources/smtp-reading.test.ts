/** What sockets bring is read into memory that is used again: every message has its own bytes all the same. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { keepableBytes } from "../../src/model/source.ts";
import { Parser } from "../../src/sources/smtp/parser.ts";
import { readInto, type Terms } from "../../src/sources/smtp/reading.ts";
import { Reception } from "../../src/sources/smtp/reception.ts";
import { FakeIntake, settle } from "./fakes.ts";
import { RawClient } from "./raw-client.ts";
import { certificate, inbox, startSmtp } from "./smtp-fixture.ts";

/** Lines of random text, different from the start. */
function body(bytes: number): string {
  const text = randomBytes(bytes).toString("base64");
  return text.replace(/.{76}/g, "$&\r\n").slice(0, bytes);
}

/** An intake that holds each chunk until somebody lets it go on, as a slow disk would. */
class SlowIntake extends FakeIntake {
  override accept = async (raw: AsyncIterable<Uint8Array>, envelopes: Parameters<FakeIntake["accept"]>[1]) => {
    const copies: Buffer[] = [];
    for await (const chunk of raw) {
      const early = Buffer.from(chunk);
      await settle(3);
      expect(Buffer.compare(early, Buffer.from(chunk))).toBe(0);
      copies.push(early);
    }
    this.taken.push({ bytes: Buffer.concat(copies), envelopes });
    return envelopes.map(({ tenant }) => ({ eventId: "event", tenant, outcome: "new" as const }));
  };
}

/** An intake that keeps what it may (model/source.ts), as the real one does. */
class KeepingIntake extends FakeIntake {
  override accept = async (raw: AsyncIterable<Uint8Array>, envelopes: Parameters<FakeIntake["accept"]>[1]) => {
    const kept: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of raw) {
      kept.push(size < keepableBytes ? chunk : Uint8Array.from(chunk));
      size += chunk.length;
      await settle(3);
    }
    this.taken.push({ bytes: Buffer.concat(kept), envelopes });
    return envelopes.map(({ tenant }) => ({ eventId: "event", tenant, outcome: "new" as const }));
  };
}

async function accepted(): Promise<{ ours: Socket; theirs: Socket }> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const place = server.address();
  const connected = once(server, "connection");
  const theirs = connect({ host: "127.0.0.1", port: typeof place === "object" && place ? place.port : 0 });
  const [ours] = (await connected) as [Socket];
  onTestFinished(() => {
    ours.destroy();
    theirs.destroy();
    server.close();
  });
  return { ours, theirs };
}

describe("a socket of a server", () => {
  test("can be read into memory of ours by this Node", async () => {
    const { ours, theirs } = await accepted();
    const heard: { text: string; terms: Terms }[] = [];
    const hearer = {
      bulk: false,
      heard: (bytes: Buffer, terms: Terms) => void heard.push({ text: bytes.toString(), terms }),
    };
    expect(readInto(ours, hearer)).toBe(true);
    const ended = once(ours, "end");
    theirs.write("one");
    await expect.poll(() => heard).toEqual([{ text: "one", terms: "borrowed" }]);
    hearer.bulk = true;
    theirs.write("two");
    await expect.poll(() => heard.length).toBe(2);
    theirs.end("three");
    await ended;
    expect(heard.map(({ text }) => text)).toEqual(["one", "two", "three"]);
    expect(typeof heard[2]?.terms).toBe("function");
  });

  test("stands still while it is paused, and loses nothing", async () => {
    const { ours, theirs } = await accepted();
    let heard = 0;
    readInto(ours, {
      bulk: false,
      heard(bytes) {
        heard += bytes.length;
        ours.pause();
      },
    });
    theirs.write(Buffer.alloc(500_000));
    await settle(50);
    expect(heard).toBeLessThanOrEqual(64 * 1024);
    const on = setInterval(() => ours.resume(), 1);
    onTestFinished(() => clearInterval(on));
    await expect.poll(() => heard, { timeout: 10_000 }).toBe(500_000);
  });
});

describe("many messages at once, through a store that takes its time", () => {
  test.each([3_000, 20_000, 70_000, 400_000])("of %i bytes: each has its own bytes", async (bytes) => {
    const intake = new SlowIntake(10_000_000);
    const { port } = await startSmtp({}, { intake });
    const sent = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const client = await RawClient.greeted(port);
        const messages = [body(bytes), body(bytes)];
        for (const message of messages) expect(await client.deliver(message, inbox)).toMatchObject({ code: 250 });
        return messages.map((message) => `${message}\r\n`);
      }),
    );
    const taken = intake.taken.map((message) => message.bytes.toString("latin1"));
    expect(taken.toSorted()).toEqual(sent.flat().toSorted());
  });

  test("with the next transaction in the same segment as the end of a large one", async () => {
    const intake = new SlowIntake(10_000_000);
    intake.pressure = () => undefined as never;
    const { port } = await startSmtp({}, { intake });
    const client = await RawClient.greeted(port);
    const [first, second] = [body(300_000), body(300_000)];
    const begin = `MAIL FROM:<a@b.test>\r\nRCPT TO:<${inbox}>\r\nDATA\r\n`;
    await client.send(`${begin}${first}\r\n.\r\n${begin}${second}\r\n.\r\nNOOP\r\n`);
    const codes = [];
    for (let reply = 0; reply < 9; reply += 1) codes.push((await client.reply()).code);
    expect(codes).toEqual([250, 250, 354, 250, 250, 250, 354, 250, 250]);
    expect(intake.taken.map((message) => message.bytes.toString("latin1"))).toEqual([`${first}\r\n`, `${second}\r\n`]);
  });

  test("from peers that wait for no answer: what may be kept stays as it was", async () => {
    const intake = new KeepingIntake(10_000_000);
    const { port } = await startSmtp({}, { intake });
    const begin = `MAIL FROM:<a@b.test>\r\nRCPT TO:<${inbox}>\r\nDATA\r\n`;
    const sent = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const client = await RawClient.greeted(port);
        const messages = Array.from({ length: 6 }, () => body(150_000));
        await client.send(messages.map((message) => `${begin}${message}\r\n.\r\n`).join(""));
        for (let reply = 0; reply < 4 * messages.length; reply += 1) await client.reply();
        return messages.map((message) => `${message}\r\n`);
      }),
    );
    const taken = new Set(intake.taken.map((message) => message.bytes.toString("latin1")));
    expect(sent.flat().filter((message) => !taken.has(message)).length).toBe(0);
  });

  test("under TLS", async () => {
    const intake = new SlowIntake(10_000_000);
    const { port } = await startSmtp({ tls: certificate("localhost") }, { intake });
    const client = await RawClient.greeted(port);
    await client.startTls();
    await client.command("EHLO client.test");
    const message = body(400_000);
    expect(await client.deliver(message, inbox)).toMatchObject({ code: 250 });
    expect(intake.taken[0]?.bytes.toString("latin1")).toBe(`${message}\r\n`);
  });
});

describe("a buffer that is lent", () => {
  test("is given back at once where it brings the beginning of a message, which may be kept", async () => {
    const parser = new Parser({ maxCommandLength: 1_000 });
    const reception = new Reception({
      maxBytes: 1_000_000,
      refuseBareNewlines: false,
      clock: { now: () => 0, sleep: async () => {} },
    });
    parser.oncommand = (_line, next) => {
      parser.startMessage(reception);
      next?.();
    };
    const lent = Buffer.from(`DATA\r\n${"x".repeat(20_000)}`);
    let back = 0;
    parser.take(lent, () => back++);
    expect(back).toBe(1);
    lent.fill("y");
    const { value } = await reception[Symbol.asyncIterator]().next();
    expect(Buffer.from(value ?? []).toString()).toBe("x".repeat(20_000));
  });
});
