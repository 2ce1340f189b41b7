import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { splitHeader } from "../../src/mail/header.ts";
import { headerFacts } from "../../src/mail/message.ts";
import { parse } from "../../src/mail/parse.ts";

/**
 * What mailparser 3.14.2 makes of these headers is wrong, and says nothing. One test for each defect that was measured. One character of
 * the text is one byte of the message.
 */
const parsed = (text: string) => parse(Buffer.from(text.replaceAll("\n", "\r\n"), "latin1"));
const read = async (text: string) => (await parsed(`${text}\n\nbody\n`)).message;
const codes = async (text: string) => (await parsed(`${text}\n\nbody\n`)).anomalies.map(({ code }) => code);
const utf8 = (text: string) => Buffer.from(text, "utf8").toString("latin1");

describe("wrong data, silently", () => {
  test.each([
    ["Date: Tue, 14 Jul 2026 09:15:00 CEST", "2026-07-14T07:15:00Z", "header"],
    ["Date: Fri, 3 Mar 95 08:00:00 JST", "1995-03-02T23:00:00Z", "header"],
    ["Date: tomorrow", null, "none"],
    ["Date:", null, "none"],
    ["Subject: undated", null, "none"],
    ["Received: from a by b; Tue, 14 Jul 2026 09:15:00 +0200\nDate: tomorrow", "2026-07-14T07:15:00Z", "received"],
    ["Received: from a by b; Tue, 14 Jul 2026 09:15:00 +0200", "2026-07-14T07:15:00Z", "received"],
  ])("a date is what the header says, and never the present time: %j", async (head, date, date_source) => {
    const found = await read(head);
    expect(found).toMatchObject({ date, date_source });
    const written = /^Date:(.*)$/m.exec(head)?.[1];
    expect(found.date_raw).toBe(written === undefined ? null : written.trim());
    expect((await codes(head)).includes("bad_date")).toBe(/^Date:(?: tomorrow)?$/m.test(head));
  });

  test("a domain in ASCII stays so, and one that mixes scripts is marked", async () => {
    expect((await read("From: ana@xn--mnchen-3ya.example")).from).toMatchObject({
      email: "ana@xn--mnchen-3ya.example",
      email_unicode: "ana@münchen.example",
    });
    expect(await codes("From: pay@xn--pple-43d.example")).toEqual(["mixed_script_domain"]);
  });

  test("raw Latin-1 bytes in a header are the letters that they are", async () => {
    const head = "From: M\xfcller <m@b.example>\nContent-Type: text/plain; charset=iso-8859-1";
    expect((await read(head)).from?.name).toBe("Müller");
    expect(await codes(head)).toEqual(["charset_guess"]);
  });

  test("raw bytes within an encoded-word are in the charset of the word", async () => {
    expect((await read("Subject: =?iso-8859-1?Q?Gr\xfc=DFe?=")).subject).toBe("Grüße");
  });

  test("Shift_JIS under the label ISO-2022-JP is Japanese, not a chance character", async () => {
    expect((await read("Subject: =?ISO-2022-JP?B?k/qWew==?=")).subject).toBe("日本");
  });

  test.each([
    ["From: a@b.example, c@d.example", "a@b.example", "from", ["multiple_from"]],
    ["Sender: s@b.example", "s@b.example", "sender", ["no_from", "from_elsewhere"]],
    ["From: <>\nReply-To: r@b.example", "r@b.example", "reply_to", ["from_elsewhere"]],
    ["From: Billing Desk\nReturn-Path: <p@b.example>", "p@b.example", "return_path", ["from_elsewhere"]],
    ["From: root", null, "from", []],
    ["From: MAILER-DAEMON (Mail Delivery System)", null, "from", []],
  ])(
    "From is one mailbox, and where it has no address the source of another is told: %j",
    async (head, email, source, found) => {
      expect((await read(head)).from?.email).toBe(email);
      expect((await read(head)).from_source).toBe(source);
      expect(await codes(head)).toEqual(found);
    },
  );

  test.each([
    "From: a@good.example(x).evil.example",
    "From: A <a@good.example(x).evil.example>",
    "From: a@good.example .evil.example",
  ])("of two possible domains, never the shorter one: %j", async (head) => {
    expect((await read(head)).from?.email).toBe("a@good.example.evil.example");
    expect(await codes(head)).toEqual(["from_ambiguous"]);
  });

  test.each([
    'From: "cfo@corp.example" <x@evil.example>',
    "From: cfo@corp.example <x@evil.example>",
    "From: =?utf-8?q?cfo=40corp.example?= <x@evil.example>",
  ])("a name that is another address is marked: %j", async (head) => {
    expect((await read(head)).from).toMatchObject({ name: "cfo@corp.example", email: "x@evil.example" });
    expect(await codes(head)).toEqual(["name_contains_address"]);
  });

  test("of repeated fields the first counts, and that there are others is said", async () => {
    const head =
      "From: a@b.example\nFrom: c@d.example\nSubject: one\nSubject: two\nIn-Reply-To: <1@b>\nIn-Reply-To: <2@b>";
    expect(await read(head)).toMatchObject({ from: { email: "a@b.example" }, subject: "one", in_reply_to: "<1@b>" });
    expect(await codes(head)).toEqual([
      "duplicate_from",
      "duplicate_subject",
      "duplicate_in_reply_to",
      "multiple_from",
    ]);
  });

  test("the members of a group stand at the top level", async () => {
    expect((await read("From: Sales: a@b.example;")).from?.email).toBe("a@b.example");
    expect(await codes("From: Sales: a@b.example;")).toEqual(["from_group"]);
    expect((await read("To: A: a@b.example, b@b.example;, c@b.example")).to.map(({ email }) => email)).toEqual([
      "a@b.example",
      "b@b.example",
      "c@b.example",
    ]);
  });

  test("control characters of a decoded subject are blanks, and said", async () => {
    const head = "Subject: =?utf-8?Q?Hi=0D=0ABcc:_x=1B[2J=00?=";
    expect((await read(head)).subject).toBe("Hi Bcc: x [2J");
    expect(await codes(head)).toEqual(["no_from", "nul_removed", "controls_removed"]);
  });
});

describe("threading fields", () => {
  test.each([
    ["References: <r1@b>,<r2@b>", ["<r1@b>", "<r2@b>"]],
    ["References: <r1@b><r2@b>", ["<r1@b>", "<r2@b>"]],
    ["References: see <r1@b> above", ["<r1@b>"]],
    ["References: <lo\n ng@b> <r2@b>", ["<long@b>", "<r2@b>"]],
    ["References: <r1@b>", ["<r1@b>"]],
    ["References: <r1@b> <r2@b> <r1@b>", ["<r1@b>", "<r2@b>"]],
  ])("%j are %j", async (head, references) => {
    expect((await read(head)).references).toEqual(references);
  });

  test.each([
    ['In-Reply-To: Message from Jane of "Mon" <p1@b>', ["<p1@b>"]],
    ["In-Reply-To: <p1@b> <p2@b>", ["<p1@b>", "<p2@b>"]],
  ])("%j answers %j", async (head, all) => {
    expect(await read(head)).toMatchObject({ in_reply_to: all[0], in_reply_to_all: all });
  });

  test.each([
    ["Message-ID: < q 1@b >", "<q 1@b>", ["bad_message_id", "no_from"]],
    ["Message-ID: <q1@b> (added by relay)", "<q1@b>", ["no_from"]],
    ["Message-ID: q1@b", "<q1@b>", ["no_from"]],
  ])("%j is %j", async (head, id, found) => {
    expect((await read(head)).message_id).toBe(id);
    expect((await codes(head)).sort()).toEqual(found);
  });
});

describe("structure", () => {
  test("a blank line before the header does not make the header a body", async () => {
    const found = await parsed("\nSubject: x\nFrom: a@b.example\n\nbody\n");
    expect(found.message).toMatchObject({ subject: "x", text: "body\n" });
    expect(found.anomalies).toEqual([{ code: "leading_blank" }]);
  });

  test("lines that end in CR alone are lines", async () => {
    const found = await parse(Buffer.from("From: a@b.example\rTo: c@d.example\r\rbody\r"));
    expect(found.message).toMatchObject({
      from: { email: "a@b.example" },
      to: [{ email: "c@d.example" }],
      text: "body\n",
    });
    expect(found.anomalies).toEqual([{ code: "bare_cr" }]);
  });

  test("repeated recipients are one flat list, whether there is one field or several", async () => {
    expect((await read("To: a@b.example")).to).toHaveLength(1);
    expect((await read("To: a@b.example\nTo: b@b.example")).to).toHaveLength(2);
  });

  test("all fields stand in wire order under their own names", async () => {
    const head = "List-Id: <l.example>\nDelivered-To: a@b.example\nX-A: 1\nDelivered-To: c@d.example\nList-Post: NO";
    const found = await read(head);
    expect(found.headers).toEqual(head.split("\n").map((line) => line.split(": ")));
    expect(found.delivered_to).toEqual(["a@b.example", "c@d.example"]);
  });
});

test("headers in UTF-8 are read, and are no guess", async () => {
  const head = utf8("From: Zoë <zoë@müller.example>\nSubject: Größe 日本 😀");
  expect(await read(head)).toMatchObject({ from: { name: "Zoë" }, subject: "Größe 日本 😀" });
  expect(await codes(head)).toEqual([]);
});

test("of any bytes as a header there are facts, the same ones twice, and nothing in them moves or ends a line", () => {
  const name = fc.constantFrom(
    ...["From", "To", "Subject", "Date", "Message-ID", "References", "Received", "List-Id", "List-Unsubscribe"],
    ...["Resent-From", "Return-Path", "Thread-Topic", "Content-Type", "X-Any", "__proto__"],
  );
  const piece = fc.oneof(
    fc.constantFrom(
      "a@b.example",
      "<",
      ">",
      "=?utf-8?Q?=0D=0A=00?=",
      "=?utf-8?Q?=E2=80=AE?=",
      "=?iso-2022-jp?B?",
      "?=",
      "\r\n ",
    ),
    fc.constantFrom(
      "\xe2\x80\xae",
      "\x1b$B",
      "charset=gbk",
      ";",
      ",",
      ":",
      "(",
      '"',
      "14 Jul 2026 09:15 IST",
      "\0",
      "\x85",
      "Re: ",
    ),
    fc.string({ unit: "binary", maxLength: 6 }).map((text) => Buffer.from(text, "utf8").toString("latin1")),
    fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  );
  const field = fc
    .tuple(name, fc.array(piece, { maxLength: 8 }))
    .map(([key, value]) => `${key}: ${value.join("")}\r\n`);
  fc.assert(
    fc.property(fc.array(field, { maxLength: 12 }), (fields) => {
      const section = fields.join("");
      const facts = headerFacts(splitHeader(section));
      expect(headerFacts(splitHeader(section))).toEqual(facts);
      // Ids are compared, not read: they stay as they came.
      const ids = { message_id: null, in_reply_to: null, in_reply_to_all: [], references: [] };
      const resent = facts.message.resent === null ? null : { ...facts.message.resent, message_id: null };
      const everything = strings({ ...facts, message: { ...facts.message, ...ids, resent } });
      expect(
        everything.filter((text) => /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(text) || !text.isWellFormed()),
      ).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

function strings(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(strings) : [];
}
