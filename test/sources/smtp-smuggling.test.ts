/** One message stays one message, byte for byte, however its end is imitated or its bytes are cut (threats.md 1.1). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxLineBytes } from "../../src/sources/smtp/newlines.ts";
import { FakeIntake, settle } from "./fakes.ts";
import { RawClient } from "./raw-client.ts";
import { inbox, startSmtp } from "./smtp-fixture.ts";

const smuggled = `MAIL FROM:<evil@b.test>\r\nRCPT TO:<${inbox}>\r\nDATA\r\nSubject: smuggled\r\n\r\nx`;

describe("imitations of the end of data", () => {
  const forms: readonly [name: string, sent: string, kept?: string][] = [
    ["LF . LF", "\n.\n"],
    ["LF . CRLF", "\n.\r\n"],
    ["CRLF . LF", "\r\n.\n"],
    ["CR . CRLF", "\r.\r\n"],
    ["CR . CR", "\r.\r"],
    ["CRLF . CR", "\r\n.\r"],
    ["CR . LF", "\r.\n"],
    ["LF . CR", "\n.\r"],
    ["CRLF . CR CRLF", "\r\n.\r\r\n"],
    ["CRLF NUL . CRLF", "\r\n\0.\r\n"],
    ["CRLF . NUL CRLF", "\r\n.\0\r\n"],
    ["CRLF .. CRLF (a stuffed dot)", "\r\n..\r\n", "\r\n.\r\n"],
    ["CRLF ... CRLF (a stuffed double dot)", "\r\n...\r\n", "\r\n..\r\n"],
  ];
  test("there are thirteen of them", () => expect(forms).toHaveLength(13));

  test.each(forms)("%s does not end a message", async (_name, sent, kept = sent) => {
    const { port, intake } = await startSmtp();
    const client = await RawClient.greeted(port);
    await client.begin(inbox);
    await client.send(`Subject: one\r\n\r\nbefore${sent}${smuggled}\r\n.\r\n`);
    expect(await client.reply()).toMatchObject({ code: 250, status: "2.0.0" });
    expect(await client.command("NOOP")).toMatchObject({ code: 250 });
    expect(client.unread).toBe("");
    expect(intake.taken.map(({ bytes }) => bytes.toString("latin1"))).toEqual([
      `Subject: one\r\n\r\nbefore${kept}${smuggled}\r\n`,
    ]);
  });

  test.each([1, 2, 3, 4])("CRLF . CRLF ends it also when cut after %i bytes", async (cut) => {
    const { port, intake } = await startSmtp();
    const client = await RawClient.greeted(port);
    await client.begin(inbox);
    await client.send(`body${"\r\n.\r\n".slice(0, cut)}`);
    await settle();
    await client.send(`${"\r\n.\r\n".slice(cut)}NOOP\r\n`);
    expect(await client.reply()).toMatchObject({ code: 250 });
    expect(await client.reply()).toMatchObject({ code: 250 });
    expect(intake.taken[0]?.bytes.toString()).toBe("body\r\n");
  });

  test("a lone dot as the whole message is an empty message", async () => {
    const { port, intake } = await startSmtp();
    const client = await RawClient.greeted(port);
    await client.begin(inbox);
    expect(await client.command(".")).toMatchObject({ code: 250 });
    expect(intake.taken[0]?.bytes).toHaveLength(0);
  });

  test("a stuffed dot as the first line, alone in its packet, is content", async () => {
    const { port, intake } = await startSmtp();
    const client = await RawClient.greeted(port);
    await client.begin(inbox);
    await client.send("..");
    await settle();
    await client.send("\r\nMAIL FROM:<evil@b.test>\r\n.\r\n");
    expect(await client.reply()).toMatchObject({ code: 250 });
    expect(await client.command("NOOP")).toMatchObject({ code: 250 });
    expect(intake.taken[0]?.bytes.toString()).toBe(".\r\nMAIL FROM:<evil@b.test>\r\n");
  });
});

test("any bytes, cut anywhere, arrive as the same one message", async () => {
  const { port, intake } = await startSmtp();
  const client = await RawClient.greeted(port);
  const piece = fc.constantFrom("\r\n", "\r\n", ".", "..", "\r", "\n", "\0", "a", "From: x", "\xff\xfe");
  const cut = fc.nat({ max: 60 });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), fc.array(cut, { maxLength: 5 }), async (pieces, cuts) => {
      intake.taken.length = 0;
      const text = `x${pieces.join("")}`;
      const wire = Buffer.from(`${text.replaceAll("\r\n.", "\r\n..")}\r\n.\r\n`, "latin1");
      await client.begin(inbox);
      let from = 0;
      for (const at of [...cuts.sort((a, b) => a - b), wire.length]) {
        const to = Math.min(at, wire.length);
        await client.send(wire.subarray(from, to));
        await settle(3);
        from = Math.max(from, to);
      }
      expect(await client.reply()).toMatchObject({ code: 250 });
      // RFC 5321 §4.5.2 unstuffs at line starts; smtp-server takes a bare LF for a line end there, so "LF .." loses a dot.
      const kept = text.replace(/(?<!\r)\n\.\./g, "\n.");
      expect(intake.taken.map(({ bytes }) => bytes.toString("latin1"))).toEqual([`${kept}\r\n`]);
    }),
    { numRuns: 60 },
  );
});

describe("bare CR and bare LF", () => {
  const message = "Subject: unix\nlines\n\nbody\rmore";

  test("are stored exactly as they came, by default", async () => {
    const { port, intake } = await startSmtp();
    const client = await RawClient.greeted(port);
    expect(await client.deliver(message, inbox)).toMatchObject({ code: 250 });
    expect(intake.taken[0]?.bytes.toString()).toBe(`${message}\r\n`);
  });

  test("end commands, when it is an LF, by default", async () => {
    const { port } = await startSmtp();
    const client = await RawClient.greeted(port);
    await client.send("NOOP\nNOOP\n");
    expect(await client.reply()).toMatchObject({ code: 250 });
    expect(await client.reply()).toMatchObject({ code: 250 });
  });

  test.each([
    ["an LF", "a\nb"],
    ["a CR", "a\rb"],
    ["an LF at the very start", "\nb"],
    ["CR CR LF", "a\r\r\nb"],
    ["LF CR LF", "a\n\r\nb"],
  ])("are refused 550 5.6.11 on request: %s", async (_name, text) => {
    const { port, intake } = await startSmtp({ bare_newline: "refuse" });
    const client = await RawClient.greeted(port);
    expect(await client.deliver(text, inbox)).toMatchObject({ code: 550, status: "5.6.11" });
    expect(intake.taken).toHaveLength(0);
    expect(await client.deliver("proper\r\nlines", inbox)).toMatchObject({ code: 250 });
  });

  test("are seen across packets", async () => {
    const { port } = await startSmtp({ bare_newline: "refuse" });
    const client = await RawClient.greeted(port);
    await client.begin(inbox);
    await client.send("a line that is long enough to be handed on\r");
    await settle();
    await client.send("and goes on\r\n.\r\n");
    expect(await client.reply()).toMatchObject({ code: 550, status: "5.6.11" });
  });

  test("make a command 500 5.5.2 on request, wherever the line was cut, and also behind a message", async () => {
    const { port } = await startSmtp({ bare_newline: "refuse" });
    const client = await RawClient.greeted(port);
    await client.send("NOOP\nNOOP\r\nNO");
    await settle();
    await client.send("OP\nNOOP\r\n");
    const codes = [];
    for (let i = 0; i < 4; i += 1) codes.push((await client.reply()).code);
    expect(codes).toEqual([500, 250, 500, 250]);
    await client.begin(inbox);
    await client.send("x\r\n.\r\nNOOP\nNOOP\r\n");
    expect([(await client.reply()).code, (await client.reply()).code, (await client.reply()).code]).toEqual([
      250, 500, 250,
    ]);
  });
});

describe("long lines", () => {
  test("of 100,000 bytes are taken and kept", async () => {
    const { port, intake } = await startSmtp();
    const client = await RawClient.greeted(port);
    expect(await client.deliver("a".repeat(100_000), inbox)).toMatchObject({ code: 250 });
    expect(intake.taken[0]?.bytes).toHaveLength(100_002);
  });

  test("over 1 MiB are refused 554 5.6.0 after the dot, and the talk goes on", async () => {
    const { port, intake } = await startSmtp({}, { intake: new FakeIntake(8 * maxLineBytes) });
    const client = await RawClient.greeted(port);
    const lines = Buffer.concat([Buffer.from("Subject: x\r\n\r\n"), Buffer.alloc(maxLineBytes + 1, "a")]);
    expect(await client.deliver(lines, inbox)).toMatchObject({ code: 554, status: "5.6.0" });
    expect(intake.taken).toHaveLength(0);
    expect(await client.deliver("short", inbox)).toMatchObject({ code: 250 });
  });
});
