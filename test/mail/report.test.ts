import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deliveryStatus } from "../../src/mail/report/delivery-status.ts";
import { disposition } from "../../src/mail/report/disposition.ts";
import { feedback } from "../../src/mail/report/feedback.ts";
import { fieldGroups, recipientAddress } from "../../src/mail/report/groups.ts";
import { idInText, returnedId } from "../../src/mail/report/returned.ts";
import { enhancedCode, isHard, smtpCodeOf, statusOfWords } from "../../src/mail/report/status.ts";
import { readWords, type Wording } from "../../src/mail/report/words.ts";
import type { Peek } from "../../src/mail/structure.ts";

const bytes = (text: string): Buffer => Buffer.from(text, "utf8");
const status = (text: string) => deliveryStatus([bytes(text)]);
const peek = (contentType: string, text: string): Peek => ({
  kind: "report",
  contentType,
  method: null,
  charset: null,
  attached: true,
  bytes: bytes(text),
});

describe("groups of fields", () => {
  test.each<[string, string, string[][]]>([
    ["stand between blank lines", "A: 1\nB: 2\n\nA: 3\n", [["1"], ["3"]]],
    ["may be indented by blanks alone", "A: 1\r\n  \r\nA: 2\r\n", [["1"], ["2"]]],
    ["are unfolded and decoded", "A: =?utf-8?q?gr=C3=BC=C3=9Fe?=\n  twice\n", [["grüße twice"]]],
    ["leave out lines that are no field", "hello\nA: 1\n", [["1"]]],
    ["begin anew at a second recipient", "Final-Recipient: x\nA: 1\nFinal-Recipient: y\nA: 2", [["1"], ["2"]]],
    ["keep one recipient's two forms together", "Original-Recipient: x\nFinal-Recipient: y\nA: 1", [["1"]]],
    ["may be in base64", Buffer.from("A: 1\nB: 2 and more to say\n").toString("base64"), [["1"]]],
    ["are none in nothing", "\n\n", []],
  ])("%s", (_, text, values) => {
    expect(fieldGroups(bytes(text)).map((group) => group.all("a", 9))).toEqual(values);
  });

  test("are a thousand at most, of two hundred fields", () => {
    expect(fieldGroups(bytes("A: 1\n\n".repeat(5000)))).toHaveLength(1000);
    expect(fieldGroups(bytes("Final-Recipient: x\n".repeat(5000)))).toHaveLength(1000);
    expect(fieldGroups(bytes("A: 1\n".repeat(5000)))[0]?.all("a", 5000)).toHaveLength(200);
  });

  test.each([
    ["rfc822; ana@shop.example", "ana@shop.example"],
    ["rfc822;<ana@shop.example>", "ana@shop.example"],
    ["ana@shop.example", "ana@shop.example"],
    ["RFC822; ana+2Bnews@shop.example", "ana+news@shop.example"],
    ["rfc822; ana+22@shop.example", "ana+22@shop.example"],
    ["utf-8; j\\x{F6}rg@shop.example", "jörg@shop.example"],
    ["utf-8; \\x{0}\\x{D800}@shop.example", "\\x{0}\\x{D800}@shop.example"],
    ["x400; /C=DE/S=Ana/", "/C=DE/S=Ana/"],
    ["", ""],
  ])("the recipient %s is %s", (field, address) => {
    expect(recipientAddress(field)).toBe(address);
  });
});

describe("delivery reports", () => {
  const one = (fields: string) => status(`Final-Recipient: rfc822; sam@shop.example\n${fields}\n`).recipients[0];

  test.each<[string, string, object]>([
    ["the five actions", "Action: Relayed (to a system without reports)", { action: "relayed" }],
    ["an action that is missing, by its status", "Status: 4.4.7", { action: "delayed" }],
    [
      "an action that is missing, by the answer",
      "Diagnostic-Code: smtp; 451 try later",
      { action: "delayed", status: null },
    ],
    ["an action of success that is missing", "Status: 2.1.5", { action: "delivered", hard: false }],
    ["an action that nobody defined", "Action: bounced\nStatus: 5.1.1", { action: "failed", hard: true }],
    ["a status with a comment", "Action: failed\nStatus: 5.1.1 (bad mailbox)", { status: "5.1.1" }],
    [
      "a status of one digit too few, and a better diagnostic",
      "Action: failed\nStatus: 5.1\nDiagnostic-Code: smtp; 550 5.2.1 off",
      { status: "5.2.1" },
    ],
    [
      "a diagnostic without its type",
      "Action: failed\nDiagnostic-Code: 550 no such user",
      { diagnostic: "550 no such user", smtp_code: 550 },
    ],
    [
      "an address in a diagnostic that looks like codes",
      "Action: failed\nDiagnostic-Code: smtp; 550 host 192.0.2.5 said no",
      { status: null, smtp_code: 550 },
    ],
    [
      "several lines of an answer",
      "Action: failed\nDiagnostic-Code: smtp; 550-5.7.1 first\n 550 5.7.1 second",
      { diagnostic: "550-5.7.1 first 550 5.7.1 second", status: "5.7.1", smtp_code: 550 },
    ],
  ])("%s", (_, fields, expected) => {
    expect(one(fields)).toMatchObject(expected);
  });

  test.each<[string, string | null, string | null, boolean]>([
    ["failed", "5.1.1", null, true],
    ["failed", "5.1.10", null, true],
    ["failed", "5.2.1", null, true],
    ["failed", "5.0.0", null, true],
    ["failed", "5.0.0", "550 mailbox full", false],
    ["failed", "5.0.0", "554 5.7.1 no", false],
    ["failed", "5.2.2", "550 no such user", false],
    ["failed", "5.2.3", null, false],
    ["failed", "5.3.4", null, false],
    ["failed", "5.4.4", null, false],
    ["failed", "5.6.1", null, false],
    ["failed", "5.7.26", null, false],
    ["failed", "5.1.8", null, false],
    ["failed", "4.2.2", null, false],
    ["failed", null, "550 user unknown", true],
    ["failed", null, "no words that help", false],
    ["delayed", "5.1.1", null, false],
    ["delivered", "2.0.0", null, false],
  ])("%s with %s and %j: hard is %s", (action, code, diagnostic, hard) => {
    expect(isHard(action, code, diagnostic)).toBe(hard);
  });

  test.each([
    ["552 sam's mailbox is full", "5.2.2"],
    ["Message too large", "5.3.4"],
    ["554 blocked by our spam filter", "5.7.1"],
    ["No such user here", "5.1.1"],
    ['unknown user: "sam"', "5.1.1"],
    ["User sam (sam@shop.example) not listed in Domino Directory", "5.1.1"],
    ["Unbekannter Empfänger: Adresse unbekannt", "5.1.1"],
    ["Domain name not found", "5.1.2"],
    ["connection timed out", "4.4.1"],
    ["Verification failed for <deals@acme.example>", "5.1.8"],
    ["Hello", null],
  ])("the words %s mean %s", (words, code) => {
    expect(statusOfWords(words)).toBe(code);
  });

  test.each<[string, string | null, number | null]>([
    ["550 5.1.1 no", "5.1.1", 550],
    ["#5.1.1", "5.1.1", null],
    ["10.5.1.1", null, null],
    ["5.1.1.1 refused", null, null],
    ["version 15.20.4930", null, null],
    ["4711 items at 5504", null, null],
    ["550-5.1.10 no", "5.1.10", 550],
    ["699 no", null, null],
  ])("of %s the codes are %s and %s", (text, code, smtp) => {
    expect([enhancedCode(text), smtpCodeOf(text)]).toEqual([code, smtp]);
  });

  const token = fc.stringMatching(/^[a-z0-9]{1,12}$/);
  const recipient = fc.record({
    final: fc.tuple(token, token).map(([local, domain]) => `${local}@${domain}.example`),
    action: fc.constantFrom(
      "failed" as const,
      "delayed" as const,
      "delivered" as const,
      "relayed" as const,
      "expanded" as const,
    ),
    status: fc.tuple(fc.constantFrom(2, 4, 5), fc.nat(9), fc.nat(30)).map((parts) => parts.join(".")),
    smtp_code: fc.option(fc.constantFrom(421, 450, 550, 552, 554)),
    words: fc.stringMatching(/^[a-z]{1,12}( [a-z]{1,12}){0,3}$/),
    remote: fc.option(token.map((name) => `${name}.example`)),
  });

  test("a composed report gives back what was composed, folded anywhere and with any line ends", () => {
    const report = fc.record({
      recipients: fc.array(recipient, { minLength: 1, maxLength: 8 }),
      mta: fc.option(token.map((name) => `${name}.example`)),
      id: fc.option(token),
      eol: fc.constantFrom("\n", "\r\n"),
      fold: fc.boolean(),
    });
    fc.assert(
      fc.property(report, ({ recipients, mta, id, eol, fold }) => {
        const gap = fold ? `${eol}\t ` : " ";
        const groups = [
          [
            ...(mta === null ? [] : [`Reporting-MTA:${gap}dns; ${mta}`]),
            ...(id === null ? [] : [`Original-Envelope-Id: ${id}`]),
          ],
          ...recipients.map((one) => [
            `Final-Recipient:${gap}rfc822;${one.final}`,
            `Action: ${one.action}`,
            `Status:${gap}${one.status}`,
            ...(one.smtp_code === null ? [] : [`Diagnostic-Code: smtp;${gap}${one.smtp_code} ${one.words}`]),
            ...(one.remote === null ? [] : [`Remote-MTA: dns;${gap}${one.remote}`]),
          ]),
        ];
        const found = status(groups.map((lines) => lines.join(eol)).join(eol + eol));
        expect(found.reportingMta).toBe(mta);
        expect(found.envelopeId).toBe(id);
        expect(found.recipients.map(({ hard, original, ...rest }) => rest)).toEqual(
          recipients.map((one) => ({
            final: one.final,
            action: one.action,
            status: one.status,
            smtp_code: one.smtp_code,
            diagnostic: one.smtp_code === null ? null : `${one.smtp_code} ${one.words}`,
            remote_mta: one.remote,
          })),
        );
      }),
    );
  });

  test("any bytes end in an answer", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (raw) => {
        const buffer = Buffer.from(raw);
        expect(deliveryStatus([buffer]).recipients.length).toBeLessThanOrEqual(1000);
        disposition([buffer]);
        feedback([buffer]);
        returnedId([peek("message/rfc822", buffer.toString("latin1"))]);
      }),
    );
  });
});

describe("receipts and complaints", () => {
  test.each([
    ["manual-action/MDN-sent-manually; displayed", "displayed"],
    ["automatic-action/MDN-sent-automatically; deleted/error,expired", "deleted"],
    ["displayed", "displayed"],
    ["", "unknown"],
  ])("the disposition %j is %s", (value, expected) => {
    const fields = `Final-Recipient: rfc822; ana@shop.example\nDisposition: ${value}\nOriginal-Message-ID: q1@acme.example\n`;
    expect(disposition([bytes(fields)])).toEqual({
      disposition: expected,
      original_message_id: "<q1@acme.example>",
      final_recipient: "ana@shop.example",
    });
  });

  test("a feedback report gives its type, its agent, every recipient once and the address it came from", () => {
    const text =
      "Feedback-Type: Fraud\nUser-Agent: X/1\nOriginal-Rcpt-To: <a@shop.example>\nOriginal-Rcpt-To: a@shop.example\nSource-IP: dns; [192.0.2.1]\n";
    expect(feedback([bytes(text)])).toEqual({
      type: "fraud",
      user_agent: "X/1",
      original_rcpt: ["a@shop.example"],
      source_ip: "192.0.2.1",
    });
  });

  test("what is no feedback report is none", () => {
    expect(feedback([bytes("Hello: world\n")])).toBeNull();
    expect(disposition([bytes("Hello: world\n")])).toBeNull();
    expect(feedback([bytes("Feedback-Type:\nSource-IP: not an address\n")])).toMatchObject({
      type: "other",
      source_ip: null,
    });
  });
});

describe("the returned message", () => {
  test.each<[string, string, string, string | null]>([
    [
      "a message",
      "message/rfc822",
      "Subject: x\nMessage-ID:\n <q@acme.example>\n\nMessage-ID: <body@acme.example>\n",
      "<q@acme.example>",
    ],
    ["headers alone", "text/rfc822-headers", "Message-Id: <q@acme.example>", "<q@acme.example>"],
    ["a blank line before them", "message/rfc822", "\r\n\r\nMessage-ID: <q@acme.example>\r\n", "<q@acme.example>"],
    ["an id in the body only", "message/rfc822", "Subject: x\n\nMessage-ID: <body@acme.example>\n", null],
    ["another type", "text/plain", "Message-ID: <q@acme.example>\n", null],
  ])("is found in %s", (_, type, text, id) => {
    expect(returnedId([peek(type, text)])).toBe(id);
  });

  test.each([
    ["Hi\n\n  Message-ID: <q@acme.example>\n", "<q@acme.example>"],
    ["> Message-Id:\n>  <q@acme.example>\n", "<q@acme.example>"],
    ["no id at all", null],
  ])("is found in the text %j", (text, id) => {
    expect(idInText(text)).toBe(id);
  });
});

describe("reports in words", () => {
  const wording = (text: string, more: Partial<Wording> = {}): Wording => ({
    fields: [],
    text,
    subject: "Undeliverable: your quote",
    from: null,
    to: [],
    report: false,
    ...more,
  });
  const recipients = (text: string) =>
    readWords(wording(text))?.bounce.recipients.map(({ final, action, status: code }) => [final, action, code]);

  test.each<[string, string, (string | null)[][]]>([
    [
      "brackets and a colon",
      "Delivery failed\n\n<a@x.example>:\n550 user unknown\n",
      [["a@x.example", "failed", "5.1.1"]],
    ],
    [
      "a bare line, the reason after a blank one",
      "Delivery failed\n\n  a@x.example\n\n  mailbox full\n",
      [["a@x.example", "failed", "5.2.2"]],
    ],
    [
      "a list",
      "Delivery failed\n\n1. a@x.example - mailbox full\n2. b@x.example - user unknown\n",
      [
        ["a@x.example", "failed", "5.2.2"],
        ["b@x.example", "failed", "5.1.1"],
      ],
    ],
    [
      "a sentence",
      "Your message could not be delivered to a@x.example because the user is unknown.\n",
      [["a@x.example", "failed", "5.1.1"]],
    ],
    ["a label in Chinese", "邮件无法投递\n收件人：a@x.example\n原因：邮箱已满\n", [["a@x.example", "failed", "5.2.2"]]],
    [
      "a status for machines that was pasted in",
      "Delivery failed\n\nFinal-Recipient: rfc822; a@x.example\nAction: delayed\nStatus: 4.2.2\n",
      [["a@x.example", "delayed", "4.2.2"]],
    ],
    [
      "a sentence in Chinese, without blanks",
      "邮件无法投递到a@x.example，因为收件人不存在。\n",
      [["a@x.example", "failed", "5.1.1"]],
    ],
    ["nobody", "This is the mail system at host x.example.\n", []],
    [
      "nobody from the returned message",
      "This is the mail system at host x.example.\n\n--- Below this line is a copy of the message.\n<c@x.example>:\n",
      [],
    ],
  ])("name whom they are about by %s", (_, text, expected) => {
    expect(recipients(text)).toEqual(expected);
  });

  test("are never about whoever gets them or sends them", () => {
    const mailbox = (email: string) => ({
      name: "",
      email,
      email_unicode: email,
      local: null,
      domain: null,
      raw: email,
      anomalies: [],
    });
    const found = readWords(
      wording("Delivery failed\n\n<deals@acme.example>:\n<Postmaster@x.example>:\n<a@x.example>:\nunknown user\n", {
        from: mailbox("postmaster@x.example"),
        to: [mailbox("Deals@Acme.example")],
      }),
    );
    expect(found?.bounce.recipients.map(({ final }) => final)).toEqual(["a@x.example"]);
  });

  test("that say that it is tried again are delays, unless it has been given up", () => {
    expect(recipients("Delivery failed for now, it will be retried.\n<a@x.example>: busy\n")?.[0]?.[1]).toBe("delayed");
    expect(
      recipients("It failed permanently and will be retried.\nDelivery failed\n<a@x.example>: busy\n")?.[0]?.[1],
    ).toBe("failed");
  });

  test("are looked for only where something sounds like a report", () => {
    const letter = { subject: "Your quote", text: "The courier says: delivery failed.\n" };
    expect(readWords(wording(letter.text, letter))).toBeUndefined();
    expect(readWords(wording(letter.text, { ...letter, report: true }))?.sign).toBe("other: delivery failed");
    expect(readWords(wording("Lunch?", { report: true }))).toBeUndefined();
    expect(readWords(wording("Your parcel: delivery failed. Pick it up at the shop.\n"))).toBeUndefined();
  });

  test("any text ends in an answer", () => {
    const piece = fc.constantFrom(
      "<a@b.example>:",
      "550 5.1.1",
      "Message-ID: <x@y>",
      "delivery failed",
      "\n",
      "\n\n",
      " ",
      "@",
      "Final-Recipient:",
      "收件人",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 60 }), (pieces) => {
        const found = readWords(wording(pieces.join(""), { report: true }));
        expect(found === undefined || found.bounce.recipients.length <= 1000).toBe(true);
      }),
    );
  });
});
