import { describe, expect, onTestFinished, test, vi } from "vitest";
import { smtp } from "../../src/sources/smtp.ts";
import { ManualClock, settle } from "./fakes.ts";
import { RawClient } from "./raw-client.ts";
import { certificate, inbox, startSmtp } from "./smtp-fixture.ts";

const offered = ["250-mx.acme.test", "250-PIPELINING", "250-8BITMIME", "250-SMTPUTF8", "250-ENHANCEDSTATUSCODES"];

describe("EHLO", () => {
  test("without a certificate the whole answer is this, and STARTTLS is not known", async () => {
    const { port } = await startSmtp();
    const client = await RawClient.open(port);
    expect((await client.reply()).lines).toEqual(["220 mx.acme.test ESMTP"]);
    expect((await client.command("EHLO client.test")).lines).toEqual([...offered, "250 SIZE 1048576"]);
    expect(await client.command("STARTTLS")).toMatchObject({ code: 500, status: "5.5.2" });
    expect(await client.command("NOOP")).toMatchObject({ code: 250, status: "2.0.0" });
  });

  test("with a certificate STARTTLS is there, and gone again once it is in use", async () => {
    const { port } = await startSmtp({ tls: certificate("localhost") });
    const client = await RawClient.open(port);
    await client.reply();
    expect((await client.command("EHLO client.test")).lines).toEqual([...offered, "250-STARTTLS", "250 SIZE 1048576"]);
    await client.startTls();
    expect((await client.command("EHLO client.test")).lines).toEqual([...offered, "250 SIZE 1048576"]);
  });

  test("HELO is answered by the name alone", async () => {
    const { port } = await startSmtp();
    const client = await RawClient.open(port);
    await client.reply();
    expect((await client.command("HELO client.test")).lines).toEqual(["250 mx.acme.test"]);
    expect(await client.deliver("hello", inbox)).toMatchObject({ code: 250 });
  });
});

describe("commands that are not for an MX", () => {
  const table: readonly [command: string, code: number, status: string][] = [
    ["AUTH LOGIN", 500, "5.5.2"],
    ["AUTH PLAIN AGEAYg==", 500, "5.5.2"],
    ["EXPN staff", 500, "5.5.2"],
    ["BDAT 5 LAST", 500, "5.5.2"],
    ["ETRN example.test", 500, "5.5.2"],
    ["TURN", 500, "5.5.2"],
    ["WIZ please", 500, "5.5.2"],
    ["SHELL", 500, "5.5.2"],
    ["KILL", 500, "5.5.2"],
    ["LHLO client.test", 500, "5.5.2"],
    ["XCLIENT ADDR=10.0.0.1", 550, "5.7.0"],
    ["XFORWARD ADDR=10.0.0.1", 550, "5.7.0"],
    ["VRFY inbox@in.acme.test", 252, "2.1.5"],
    ["VRFY nobody@in.acme.test", 252, "2.1.5"],
    ["HELP", 214, "2.0.0"],
    ["NOOP", 250, "2.0.0"],
    ["RSET", 250, "2.0.0"],
    ["RCPT TO:<inbox@in.acme.test>", 503, "5.5.1"],
    ["DATA", 503, "5.5.1"],
  ];
  test.each(table)("%s is answered %i %s, and the talk goes on", async (command, code, status) => {
    const { port } = await startSmtp();
    const client = await RawClient.greeted(port);
    expect(await client.command(command)).toMatchObject({ code, status });
    expect(await client.command("NOOP")).toMatchObject({ code: 250 });
  });

  test("MAIL before EHLO is 503 5.5.1", async () => {
    const { port } = await startSmtp();
    const client = await RawClient.open(port);
    await client.reply();
    expect(await client.command("MAIL FROM:<a@b.test>")).toMatchObject({ code: 503, status: "5.5.1" });
  });

  test("MAIL twice is 503 5.5.1, and the first one stands", async () => {
    const { port, intake } = await startSmtp();
    const client = await RawClient.greeted(port);
    await client.command("MAIL FROM:<first@b.test>");
    expect(await client.command("MAIL FROM:<second@b.test>")).toMatchObject({ code: 503, status: "5.5.1" });
    await client.command(`RCPT TO:<${inbox}>`);
    await client.command("DATA");
    await client.send("x");
    await client.command("\r\n.");
    expect(intake.taken[0]?.envelopes[0]?.smtp?.mail_from).toBe("first@b.test");
  });

  test("QUIT is answered 221 2.0.0 and nothing behind it runs", async () => {
    const { port, intake } = await startSmtp();
    const client = await RawClient.greeted(port);
    await client.send(`QUIT\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<${inbox}>\r\nDATA\r\nx\r\n.\r\n`);
    expect(await client.rest()).toMatch(/^221 2\.0\.0 [^\r\n]*\r\n$/);
    expect(intake.begun).toBe(0);
  });
});

describe("the greeting", () => {
  test("with delay 0 no timer stands between the connection and its 220", async () => {
    const { port } = await startSmtp({}, { clock: new ManualClock() });
    const timers = vi.spyOn(globalThis, "setTimeout");
    onTestFinished(() => timers.mockRestore());
    const client = await RawClient.open(port);
    expect(await client.reply()).toMatchObject({ code: 220 });
    expect(timers).not.toHaveBeenCalled();
  });

  test("with a delay it waits that long, and a patient client is served", async () => {
    const clock = new ManualClock();
    const { port } = await startSmtp({ greeting_delay_ms: 100 }, { clock });
    const client = await RawClient.open(port);
    await settle();
    await clock.advance(99);
    expect(client.unread).toBe("");
    await clock.advance(1);
    expect(await client.reply()).toMatchObject({ code: 220 });
  });

  test.each([
    "EHLO early.test\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    `EHLO a\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<${inbox}>\r\n`,
  ])("a client that talks first (%j) gets 421 4.7.0 and is closed", async (talk) => {
    const { port } = await startSmtp({ greeting_delay_ms: 100 }, { clock: new ManualClock() });
    const client = await RawClient.open(port);
    await client.send(talk);
    expect(await client.rest()).toMatch(/^421 4\.7\.0 [^\r\n]*\r\n$/);
  });

  test("half a command before the greeting is talking first too", async () => {
    const clock = new ManualClock();
    const { port } = await startSmtp({ greeting_delay_ms: 100 }, { clock });
    const client = await RawClient.open(port);
    await client.send("EH");
    await settle();
    await clock.advance(100);
    expect(await client.rest()).toMatch(/^421 4\.7\.0 [^\r\n]*\r\n$/);
  });

  test.each([
    "GET / HTTP/1.1",
    "POST /mail HTTP/1.0",
    "CONNECT 127.0.0.1:25 HTTP/1.1",
    "get http://x/ HTTP/1.1",
    "PUT /",
  ])("an HTTP request (%s) after the greeting gets 421 4.7.0 and is closed", async (line) => {
    const { port, intake } = await startSmtp();
    const client = await RawClient.open(port);
    await client.reply();
    await client.send(`${line}\r\nHost: x\r\n\r\nEHLO a\r\nMAIL FROM:<a@b.test>\r\n`);
    expect(await client.rest()).toMatch(/^421 4\.7\.0 [^\r\n]*\r\n$/);
    expect(intake.begun).toBe(0);
  });
});

describe("settings", () => {
  test("an empty section is a complete configuration", () => {
    expect(smtp.settings.parse({})).toMatchObject({
      host: "0.0.0.0",
      port: 2525,
      greeting_delay_ms: 0,
      bare_newline: "accept",
      limits: { connections: 1000, connections_per_ip: 20, recipients: 100, command_bytes: 2048, errors: 10 },
    });
  });

  test("an unknown key is refused", () => {
    expect(smtp.settings.safeParse({ prot: 25 }).success).toBe(false);
    expect(smtp.settings.safeParse({ limits: { conections: 25 } }).success).toBe(false);
  });

  test("a port that is taken is a sentence that says what to do", async () => {
    const { port } = await startSmtp();
    await expect(startSmtp({ port })).rejects.toThrow(
      `smtp: cannot listen on 127.0.0.1 port ${port}: the port is taken. Stop`,
    );
  });
});
