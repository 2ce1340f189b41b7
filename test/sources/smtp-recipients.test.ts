/** Whose mail is taken: recipients, senders and parameters of the envelope (threats.md 1.1 and 1.2). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readMail, readRcpt } from "../../src/sources/smtp/address.ts";
import { ManualClock, settle } from "./fakes.ts";
import { RawClient } from "./raw-client.ts";
import { inbox, startSmtp } from "./smtp-fixture.ts";

async function atRcpt(settings: Parameters<typeof startSmtp>[0] = {}, mail = "MAIL FROM:<a@b.test>") {
  const started = await startSmtp(settings);
  const client = await RawClient.greeted(started.port);
  expect(await client.command(mail)).toMatchObject({ code: 250, status: "2.1.0" });
  return { ...started, client };
}

describe("no open relay", () => {
  const refused: readonly [path: string, code: number, status: string][] = [
    ["nobody@in.acme.test", 550, "5.1.1"],
    ["inbox@acme.test", 550, "5.7.1"],
    ["inbox@sub.in.acme.test", 550, "5.7.1"],
    ["victim@elsewhere.test", 550, "5.7.1"],
    ["inbox%elsewhere.test@in.acme.test", 550, "5.7.1"],
    ["inbox%in.acme.test@elsewhere.test", 550, "5.7.1"],
    ["elsewhere.test!inbox@in.acme.test", 550, "5.7.1"],
    ["@relay.test:inbox@in.acme.test", 550, "5.7.1"],
    ["@relay.test,@in.acme.test:victim@elsewhere.test", 550, "5.7.1"],
    ["inbox@[127.0.0.1]", 550, "5.7.1"],
    ["inbox@[IPv6:::1]", 550, "5.7.1"],
    ['"inbox%x"@in.acme.test', 550, "5.7.1"],
    ["postmaster", 550, "5.7.1"],
    ["inbox@in.acme.test@elsewhere.test", 501, "5.1.3"],
    ["victim@elsewhere.test@in.acme.test", 501, "5.1.3"],
    ['"victim@elsewhere.test"@in.acme.test', 501, "5.1.3"],
    ['"in box"@in.acme.test', 501, "5.1.3"],
    ["inbox", 501, "5.1.3"],
    ["inbox@", 501, "5.1.3"],
    ["@in.acme.test", 501, "5.1.3"],
    ["inbox@in.acme.test.", 501, "5.1.3"],
    ["inbox@.in.acme.test", 501, "5.1.3"],
    ["inbox@in..acme.test", 501, "5.1.3"],
    ["inbox@in.acme.test/../x", 501, "5.1.3"],
    ["inbox@[not-an-ip]", 501, "5.1.3"],
    ["", 501, "5.1.3"],
    [`${"a".repeat(300)}@in.acme.test`, 501, "5.1.3"],
    [`inbox@${"a.".repeat(125)}test`, 501, "5.1.3"],
    ["in\0box@in.acme.test", 501, "5.1.3"],
    ["in\rbox@in.acme.test", 501, "5.1.3"],
    ["inbox@in.acme.test> NOTIFY=NEVER <", 555, "5.5.4"],
    ["inbox@in.acme.test>, <victim@elsewhere.test", 501, "5.1.3"],
  ];
  test.each(refused)("RCPT TO with path %j is %i %s, and DATA after it 503", async (path, code, status) => {
    const { client, intake } = await atRcpt();
    expect(await client.command(`RCPT TO:<${path}>`)).toMatchObject({ code, status });
    expect(await client.command("DATA")).toMatchObject({ code: 503, status: "5.5.1" });
    expect(intake.begun).toBe(0);
  });

  test.each(["a%b@in.acme.test", "b!a@in.acme.test", "@r.test:a@in.acme.test", "a@[127.0.0.1]", "a@[IPv6:::1]"])(
    "RCPT TO:<%s> is 550 5.7.1 even where the route table would take everything",
    async (path) => {
      const { port } = await startSmtp({}, { route: () => ({ kind: "accepted", tenant: "acme" }) });
      const client = await RawClient.greeted(port);
      await client.command("MAIL FROM:<a@b.test>");
      expect(await client.command("RCPT TO:<postmaster>")).toMatchObject({ code: 250 });
      expect(await client.command(`RCPT TO:<${path}>`)).toMatchObject({ code: 550, status: "5.7.1" });
    },
  );

  const withToken = `sales+t.${"a2".repeat(20)}@in.acme.test`;
  test.each([
    "inbox@in.acme.test",
    "INBOX@IN.ACME.TEST",
    "sales+us-east@in.acme.test",
    "desk@in.globex.test",
    withToken,
    withToken.toUpperCase(),
  ])("RCPT TO:<%s> is 250 2.1.5, and comes to the intake as written", async (path) => {
    const { client, intake } = await atRcpt();
    expect(await client.command(`RCPT TO:<${path}>`)).toMatchObject({ code: 250, status: "2.1.5" });
    await client.command("DATA");
    expect(await client.command("x\r\n.")).toMatchObject({ code: 250 });
    expect(intake.taken[0]?.envelopes[0]).toMatchObject({ routes: [path], smtp: { rcpt_to: [path] } });
  });

  test("a refused recipient beside a good one does not hold the good one up", async () => {
    const { client, intake } = await atRcpt();
    await client.command("RCPT TO:<victim@elsewhere.test>");
    await client.command(`RCPT TO:<${inbox}>`);
    await client.command("DATA");
    expect(await client.command("x\r\n.")).toMatchObject({ code: 250 });
    expect(intake.taken[0]?.envelopes[0]?.smtp?.rcpt_to).toEqual([inbox]);
  });

  test("the same recipient twice is one", async () => {
    const { client, intake } = await atRcpt();
    await client.command(`RCPT TO:<${inbox}>`);
    await client.command(`RCPT TO:<${inbox}>`);
    await client.command("DATA");
    await client.command("x\r\n.");
    expect(intake.taken[0]?.envelopes[0]?.routes).toEqual([inbox]);
  });

  test("nothing of one transaction reaches the next: RSET, EHLO and the end of a message forget it", async () => {
    const { client } = await atRcpt();
    for (const end of ["RSET", "EHLO again.test"]) {
      await client.command(`RCPT TO:<${inbox}>`);
      await client.command(end);
      expect(await client.command("DATA")).toMatchObject({ code: 503 });
      expect(await client.command(`RCPT TO:<${inbox}>`)).toMatchObject({ code: 503 });
      await client.command("MAIL FROM:<a@b.test>");
    }
    await client.command(`RCPT TO:<${inbox}>`);
    await client.command("DATA");
    await client.command("x\r\n.");
    expect(await client.command("DATA")).toMatchObject({ code: 503 });
  });
});

describe("harvesting", () => {
  test("RCPT commands over the cap are 452 4.5.3, refused ones counted; those before it stand", async () => {
    const { client, intake } = await atRcpt({ limits: { recipients: 3 } });
    const codes = [];
    for (const name of ["inbox", "nobody", "sales", "inbox"]) {
      codes.push((await client.command(`RCPT TO:<${name}@in.acme.test>`)).code);
    }
    expect(codes).toEqual([250, 550, 250, 452]);
    expect(await client.command("RCPT TO:<sales+b@in.acme.test>")).toMatchObject({ code: 452, status: "4.5.3" });
    await client.command("DATA");
    expect(await client.command("x\r\n.")).toMatchObject({ code: 250 });
    expect(intake.taken[0]?.envelopes[0]?.routes).toEqual(["inbox@in.acme.test", "sales@in.acme.test"]);
  });

  test("5,000 pipelined recipients get an answer each, 100 of them real ones", async () => {
    const { client } = await atRcpt();
    await client.send(Array.from({ length: 5000 }, (_, i) => `RCPT TO:<sales+${i}@in.acme.test>\r\n`).join(""));
    const counted = new Map<number, number>();
    for (let i = 0; i < 5000; i += 1) {
      const { code } = await client.reply();
      counted.set(code, (counted.get(code) ?? 0) + 1);
    }
    expect([...counted]).toEqual([
      [250, 100],
      [452, 4900],
    ]);
  });

  test("after 5 refused recipients every answer is late, for good and bad addresses alike", async () => {
    const clock = new ManualClock();
    const { port } = await startSmtp({ limits: { tarpit_ms: 1000 } }, { clock });
    const client = await RawClient.greeted(port);
    await client.command("MAIL FROM:<a@b.test>");
    for (const name of ["a", "b", "c", "d", "e"]) {
      expect(await client.command(`RCPT TO:<${name}@in.acme.test>`)).toMatchObject({ code: 550 });
    }
    expect(await client.command(`RCPT TO:<${inbox}>`)).toMatchObject({ code: 250 });
    await client.send("RCPT TO:<f@in.acme.test>\r\n");
    for (const answer of [550, 250, 550]) {
      await settle();
      expect(client.unread).toBe("");
      await clock.advance(999);
      expect(client.unread).toBe("");
      await clock.advance(1);
      expect(await client.reply()).toMatchObject({ code: answer });
      await client.send(answer === 550 ? `RCPT TO:<${inbox}>\r\n` : "RCPT TO:<victim@elsewhere.test>\r\n");
    }
  });
});

describe("MAIL", () => {
  const table: readonly [line: string, code: number, status: string][] = [
    ["MAIL FROM:<>", 250, "2.1.0"],
    ["mail from:<a@b.test>", 250, "2.1.0"],
    ["MAIL FROM: <a@b.test>", 250, "2.1.0"],
    ["MAIL FROM:<a@b.test> SIZE=1048576 BODY=8BITMIME SMTPUTF8", 250, "2.1.0"],
    ["MAIL FROM:<a@b.test> body=7bit", 250, "2.1.0"],
    ["MAIL FROM:<printer.@b.test>", 250, "2.1.0"],
    ["MAIL FROM:<two..dots@b.test>", 250, "2.1.0"],
    ["MAIL FROM:<a@[192.0.2.1]>", 250, "2.1.0"],
    ["MAIL FROM:<@relay.test:a@b.test>", 250, "2.1.0"],
    [`MAIL FROM:<${"v".repeat(200)}@b.test>`, 250, "2.1.0"],
    ["MAIL FROM:<a@xn--mnchen-3ya.test>", 250, "2.1.0"],
    ["MAIL FROM:<a@b.test> SIZE=1048577", 552, "5.3.4"],
    ["MAIL FROM:<a@b.test> SIZE=99999999999999999999", 552, "5.3.4"],
    ["MAIL FROM:<a@b.test> SIZE=-1", 501, "5.5.4"],
    ["MAIL FROM:<a@b.test> SIZE=", 501, "5.5.4"],
    ["MAIL FROM:<a@b.test> SIZE", 501, "5.5.4"],
    ["MAIL FROM:<a@b.test> SIZE=1 SIZE=2", 501, "5.5.4"],
    ["MAIL FROM:<a@b.test> BODY=BINARYMIME", 501, "5.5.4"],
    ["MAIL FROM:<a@b.test> BODY", 501, "5.5.4"],
    ["MAIL FROM:<a@b.test> SMTPUTF8=yes", 501, "5.5.4"],
    ["MAIL FROM:<a@b.test> FOO=BAR", 555, "5.5.4"],
    ["MAIL FROM:<a@b.test> __proto__=x", 555, "5.5.4"],
    ["MAIL FROM:<a@b.test> constructor", 555, "5.5.4"],
    ["MAIL FROM:<a@b.test> RET=FULL", 555, "5.5.4"],
    ["MAIL FROM:<a@b.test> AUTH=<>", 555, "5.5.4"],
    ["MAIL FROM:<a@b.test> REQUIRETLS", 555, "5.5.4"],
    ["MAIL FROM:<a@b.test>SIZE=1", 501, "5.1.7"],
    ["MAIL FROM:a@b.test", 501, "5.1.7"],
    ["MAIL FROM:<a@b.test", 501, "5.1.7"],
    ["MAIL FROM:<a>", 501, "5.1.7"],
    ["MAIL FROM:<a@b.test\0>", 501, "5.1.7"],
    ["MAIL FROM:<a\r@b.test>", 501, "5.1.7"],
    ['MAIL FROM:<"a b"@b.test>', 501, "5.1.7"],
    ['MAIL FROM:<"a@b"@b.test>', 501, "5.1.7"],
    [`MAIL FROM:<${"v".repeat(300)}@b.test>`, 501, "5.1.7"],
    ["MAIL", 501, "5.1.7"],
    ["MAIL TO:<a@b.test>", 501, "5.1.7"],
    ["MAIL FROM:<a@m\xc3\xbcnchen.test>", 553, "5.6.7"],
    ["MAIL FROM:<\xe9@b.test>", 553, "5.6.7"],
    ["MAIL FROM:<a@m\xc3\xbcnchen.test> SMTPUTF8", 250, "2.1.0"],
    ["MAIL FROM:<\xe9@b.test> SMTPUTF8", 501, "5.1.7"],
    ["MAIL FROM:<a\xe2\x80\x8b@b.test> SMTPUTF8", 501, "5.1.7"],
    ["MAIL FROM:<a\xe2\x80\xae@b.test> SMTPUTF8", 501, "5.1.7"],
  ];
  test.each(table)("%j is %i %s", async (line, code, status) => {
    const { port } = await startSmtp();
    const client = await RawClient.greeted(port);
    expect(await client.command(line)).toMatchObject({ code, status });
    expect(await client.command("NOOP")).toMatchObject({ code: 250 });
  });

  test("a refused MAIL leaves nothing behind for the next one", async () => {
    const { port } = await startSmtp();
    const client = await RawClient.greeted(port);
    await client.command("MAIL FROM:<a@b.test> SMTPUTF8 FOO=BAR");
    await client.command("MAIL FROM:<a@b.test>");
    expect(await client.command("RCPT TO:<\xcf\x80@in.acme.test>")).toMatchObject({ code: 553, status: "5.6.7" });
  });

  test("the envelope says what was asked for, and the null sender is null", async () => {
    const { client, intake } = await atRcpt({}, "MAIL FROM:<> BODY=8BITMIME SIZE=10");
    await client.command(`RCPT TO:<${inbox}>`);
    await client.command("DATA");
    expect(await client.command("x\r\n.")).toMatchObject({ code: 250 });
    expect(intake.taken[0]?.envelopes[0]?.smtp).toEqual({
      remote_ip: "127.0.0.1",
      helo: "client.test",
      tls: null,
      mail_from: null,
      rcpt_to: [inbox],
      smtputf8: false,
      body: "8bitmime",
    });
  });
});

describe("RCPT", () => {
  const greek = Buffer.from("RCPT TO:<πωλήσεις@in.acme.test>");

  test("a non-ASCII recipient is 553 5.6.7 without SMTPUTF8 and taken with it", async () => {
    const plain = await atRcpt();
    expect(await plain.client.command(greek)).toMatchObject({ code: 553, status: "5.6.7" });
    const { client, intake } = await atRcpt({}, "MAIL FROM:<a@b.test> SMTPUTF8");
    expect(await client.command(greek)).toMatchObject({ code: 250 });
    await client.command("DATA");
    await client.command("x\r\n.");
    expect(intake.taken[0]?.envelopes[0]?.routes).toEqual(["πωλήσεις@in.acme.test"]);
  });

  test.each(["NOTIFY=NEVER", "ORCPT=rfc822;a@b.test", "FOO=BAR"])("with %s is 555 5.5.4", async (parameter) => {
    const { client } = await atRcpt();
    expect(await client.command(`RCPT TO:<${inbox}> ${parameter}`)).toMatchObject({ code: 555, status: "5.5.4" });
  });
});

describe("whatever the line holds", () => {
  const line = (verb: string) =>
    fc.oneof(
      fc
        .uint8Array({ maxLength: 300 })
        .map((bytes) => Buffer.concat([Buffer.from(`${verb}:<`), bytes, Buffer.from(">")])),
      fc
        .string({ unit: "grapheme", maxLength: 80 })
        .map((text) => Buffer.from(`${verb}:<${text}@in.acme.test> SMTPUTF8`)),
    );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is in there is what is tested
  const clean = /^[^\u0000-\u0020<>\u007f-\u009f\u200b\u202a-\u202e\ufeff]{1,254}$/;

  test("a recipient that is read is short, clean, and has one @ and no forwarding form", () => {
    fc.assert(
      fc.property(line("RCPT TO"), fc.boolean(), (bytes, smtputf8) => {
        const read = readRcpt(bytes, smtputf8);
        if (!read.ok) return;
        expect(read.value).toMatch(clean);
        if (read.value.toLowerCase() !== "postmaster") expect(read.value).toMatch(/^[^@%!]+@[^@[%!]+$/);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is a range
        if (!smtputf8) expect(read.value).toMatch(/^[\u0000-\u007f]*$/);
      }),
    );
  });

  test("a sender that is read is null or short and clean", () => {
    fc.assert(
      fc.property(line("MAIL FROM"), (bytes) => {
        const read = readMail(bytes, 1000);
        if (read.ok && read.value.path !== null) expect(read.value.path).toMatch(clean);
      }),
    );
  });
});
