import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createIdentity } from "../../src/mail/identity.ts";
import { headersOnly, parse } from "../../src/mail/parse.ts";
import { parser } from "../../src/mail/parsed.ts";

/** One character of the text is one byte of the message. */
const bytes = (text: string) => Buffer.from(text.replaceAll("\n", "\r\n"), "latin1");
const message = async (text: string) => (await parse(bytes(text))).message;
const codes = async (text: string) => (await parse(bytes(text))).anomalies.map(({ code }) => code);
const minimal = "From: a@b.example\n";

async function* pieces(raw: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < raw.length; at += size) yield raw.subarray(at, at + size);
}

test("the parser is the version that its inner structure was learned from", () => {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL("../../node_modules/mailparser/package.json", import.meta.url), "utf8"),
  );
  expect(manifest).toMatchObject({ name: parser.name, version: parser.version });
});

describe("headers", () => {
  test("a date that cannot be read is null, with the words kept", async () => {
    expect(await message(`${minimal}Date: tomorrow\n\n`)).toMatchObject({
      date: null,
      date_raw: "tomorrow",
      date_source: "none",
    });
    expect(await message(`${minimal}\n`)).toMatchObject({ date: null, date_raw: null });
    expect(await codes(`${minimal}Date:\n\n`)).toEqual(["bad_date"]);
    expect(await codes(`${minimal}\n`)).toEqual([]);
  });

  test.each([
    ["From: M\xfcller <m@b.example>", "Müller", ["charset_guess"]],
    ["From: =?iso-8859-1?Q?Gr\xfc=DFe?= <m@b.example>", "Grüße", []],
    ["From: =?ISO-2022-JP?B?k/qWew==?= <m@b.example>", "日本", ["charset_guess"]],
    ["From: =?utf-8?B?5pel?=\n =?utf-8?B?5pys?= <m@b.example>", "日本", []],
    ["From: =?utf-8?B?5pc=?=\n =?utf-8?B?pQ==?= <m@b.example>", "日", []],
    ["From: =?utf-8*de?Q?J=C3=BCrgen_M?= <m@b.example>", "Jürgen M", []],
    ["From: =?gb2312?B?1tDOxA==?= <m@b.example>", "中文", []],
    ["From: =?x-unknown?Q?a=E9?= <m@b.example>", "aé", ["charset_guess"]],
  ])("%j shows the name %s", async (line, name, anomalies) => {
    expect((await message(`${line}\n\n`)).from?.name).toBe(name);
    expect(await codes(`${line}\n\n`)).toEqual(anomalies);
  });

  test("the first of several headers counts, and the others are said", async () => {
    const twice =
      "From: a@b.example\nFrom: c@d.example\nSubject: one\nSubject: two\nMessage-ID: <1@b>\nMessage-ID: <2@b>\n\n";
    expect(await message(twice)).toMatchObject({ subject: "one", message_id: "<1@b>", from: { email: "a@b.example" } });
    expect((await message(twice)).from_all).toHaveLength(2);
    expect(await codes(twice)).toEqual([
      "duplicate_from",
      "duplicate_subject",
      "duplicate_message_id",
      "multiple_from",
    ]);
  });

  test("repeated To fields are one list", async () => {
    expect(
      (await message(`${minimal}To: x@b.example\nTo: y@b.example, z@b.example\n\n`)).to.map(({ email }) => email),
    ).toEqual(["x@b.example", "y@b.example", "z@b.example"]);
  });

  test.each([
    ["Sender: s@b.example\nReply-To: r@b.example\n", "s@b.example", "sender"],
    ["From: Billing Desk\nReply-To: r@b.example\n", "r@b.example", "reply_to"],
    ["From: <>\nReturn-Path: <p@b.example>\n", "p@b.example", "return_path"],
    ["From: root\n", null, "from"],
    ["Subject: x\n", undefined, "none"],
  ])("%j: without an address in From the next header that has one is taken, and named", async (head, email, source) => {
    const found = await message(`${head}\n`);
    expect(found.from?.email).toBe(email);
    expect(found.from_source).toBe(source);
  });

  test("an ambiguous From is never replaced by another header", async () => {
    const found = await parse(bytes("From: <a@good.example><b@evil.example>\nSender: s@b.example\n\n"));
    expect(found.message.from).toMatchObject({ email: null });
    expect(found.message.from_source).toBe("from");
    expect(found.anomalies.map(({ code }) => code)).toContain("from_ambiguous");
  });

  test("control characters in decoded headers become spaces", async () => {
    const found = await message(`${minimal}Subject: =?utf-8?Q?Hi=0D=0ABcc:_x=1B[2J=00?=\n\n`);
    expect(found.subject).toBe("Hi Bcc: x [2J");
    expect(JSON.stringify(found.headers)).not.toMatch(/\\u00|\\r|\\n/);
  });

  test("threading fields are always lists of ids", async () => {
    expect(await message("In-Reply-To: <p1@b> <p2@b>\nReferences: <r1@b>,<r2@b>\n\t<r1@b>\n\n")).toMatchObject({
      in_reply_to: "<p1@b>",
      in_reply_to_all: ["<p1@b>", "<p2@b>"],
      references: ["<r1@b>", "<r2@b>"],
    });
    expect(await message("\n")).toMatchObject({ in_reply_to: null, in_reply_to_all: [], references: [] });
  });

  test.each([
    ["bare CR", "Subject: x\rFrom: a@b.example\r\rfirst\rsecond", "bare_cr"],
    [
      "bare CR at first, CRLF later",
      `Subject: x\rFrom: a@b.example\rX: ${"x".repeat(5000)}\r\rfirst\r\nsecond`,
      "bare_cr",
    ],
    ["a byte order mark", "\xef\xbb\xbfSubject: x\r\nFrom: a@b.example\r\n\r\nfirst\r\nsecond", "byte_order_mark"],
    [
      "an mbox line",
      "From a@b.example Tue Jul 14 09:15:00 2026\nSubject: x\nFrom: a@b.example\n\nfirst\nsecond",
      "mbox_line",
    ],
    [
      "a quoted mbox line",
      ">From a@b Tue Jul 14 09:15:00\nSubject: x\nFrom: a@b.example\n\nfirst\nsecond",
      "mbox_line",
    ],
    ["blank lines before it", "\r\n\r\nSubject: x\r\nFrom: a@b.example\r\n\r\nfirst\r\nsecond", "leading_blank"],
  ])("a header section with %s is read, in any chunks, and said", async (_, text, code) => {
    const raw = Buffer.from(text, "latin1");
    for (const input of [raw, pieces(raw, 1), pieces(raw, 4096)]) {
      const found = await parse(input);
      expect(found.message).toMatchObject({ subject: "x", from: { email: "a@b.example" }, text: "first\nsecond" });
      expect(found.anomalies).toEqual([{ code }]);
    }
    expect((await headersOnly(raw)).message.subject).toBe("x");
  });

  test("a CR within a line ends nothing", async () => {
    const found = await parse(bytes(`${minimal}Subject: a\rb\n\ntext`));
    expect(found.message.subject).toBe("a b");
    expect((await parse(Buffer.from("no header here\rat all"))).anomalies.map(({ code }) => code)).not.toContain(
      "bare_cr",
    );
  });

  test("all headers are kept in wire order, up to 256 KiB", async () => {
    expect((await message("B: 1\nA: 2\nB: 3\n\n")).headers).toEqual([
      ["B", "1"],
      ["A", "2"],
      ["B", "3"],
    ]);
    const many = await message(`${"X-Filler: ".padEnd(1000, "x")}\n`.repeat(500));
    expect(many.truncated.headers).toBe(true);
    expect(many.headers.length).toBeLessThan(270);
  });

  test("names of header fields that are properties of objects are names like others", async () => {
    const found = await message("__proto__: 1\nconstructor: 2\nFrom: a@b.example\n\n");
    expect(found.headers).toContainEqual(["__proto__", "1"]);
    expect(found.from?.email).toBe("a@b.example");
  });
});

describe("bodies", () => {
  test("the sender's text and html are kept as they are", async () => {
    const found = await message(
      `${minimal}Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\nContent-Type: text/html\n\n<p>rich <img src="cid:x"></p>\n--b--\n`,
    );
    expect(found).toMatchObject({
      text: "plain",
      text_source: "original",
      html: '<p>rich <img src="cid:x"></p>',
      html_source: "original",
    });
  });

  test("a list footer below a plain body is text; no html is made up for it", async () => {
    const found = await message(
      `${minimal}Content-Type: multipart/mixed; boundary=b\n\n--b\n\nbody\n--b\nContent-Type: text/html\n\n<p>footer</p>\n--b--\n`,
    );
    expect(found).toMatchObject({ text: "body\n\nfooter", text_source: "mixed", html: null, html_source: "none" });
  });

  test("html is read as text when there is no other, even below an empty text part", async () => {
    const html = "<style>p{}</style><p>Hello<br>you</p><table><tr><td>Qty</td><td>12</td></tr></table>";
    expect(await message(`${minimal}Content-Type: text/html\n\n${html}`)).toMatchObject({
      text: "Hello\nyou\n\nQty 12",
      text_source: "derived_html",
      html,
    });
    const empty = `${minimal}Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\nContent-Type: text/html\n\n<p>only here</p>\n--b--\n`;
    expect(await message(empty)).toMatchObject({ text: "only here", text_source: "derived_html" });
  });

  test.each([" ", ", ", " , "])(
    "a type and its parameters may stand apart by %j, as scripts write them",
    async (gap) => {
      const html = await parse(bytes(`${minimal}Content-Type: text/html${gap}charset=iso-8859-1\n\n<p>Hi</p>`));
      expect(html.message).toMatchObject({ text: "Hi", html: "<p>Hi</p>", charset: { declared: "iso-8859-1" } });
      const mixed = `--b\n\nbody\n--b\nContent-Type: application/x\n\nfile\n--b--\n`;
      const { message: found } = await parse(
        bytes(`${minimal}Content-Type: multipart/mixed${gap}boundary=b\n\n${mixed}`),
      );
      expect(found.text).toBe("body");
      expect(found.attachments).toHaveLength(1);
    },
  );

  test("html nested deeper than a browser shows is read by its words", async () => {
    const found = await message(`${minimal}Content-Type: text/html\n\n${"<b><i>".repeat(60_000)}deep &lt;down&gt;`);
    expect(found.text).toBe("deep <down>");
  });

  test("a multipart without a boundary is text, and said to be partial", async () => {
    const found = await parse(bytes(`${minimal}Content-Type: multipart/mixed\n\n--b\n\nstill here\n`));
    expect(found.message.text).toContain("still here");
    expect(found).toMatchObject({ parse_status: "partial", anomalies: [{ code: "no_boundary" }] });
  });

  test("NUL and other controls are removed, TAB and line ends kept", async () => {
    expect((await message(`${minimal}\na\0b\tc\x07d\re\nf`)).text).toBe("ab\tcd\ne\nf");
    expect(await codes(`${minimal}\na\0b`)).toEqual(["nul_removed"]);
  });

  test("an embedded message is an attachment, its text is not ours", async () => {
    const found = await message(
      `${minimal}Content-Type: multipart/mixed; boundary=b\n\n--b\n\nouter\n--b\nContent-Type: message/rfc822\nContent-Disposition: inline\n\nSubject: inner\n\ninner text\n--b--\n`,
    );
    expect(found.text).toBe("outer");
    expect(found.attachments).toMatchObject([{ content_type: "message/rfc822", disposition: "inline" }]);
  });

  test("text over a mebibyte is cut in the event, and said", async () => {
    const found = await parse(
      Buffer.from(`${minimal}Content-Type: text/plain; charset=utf-8\n\n${"😀".repeat(600_000)}`),
    );
    expect(found.message.text?.isWellFormed()).toBe(true);
    expect(found.message.text?.length).toBe(1024 * 1024);
    expect(found.message.truncated).toEqual({ text: true, html: false, headers: false });
    expect(found.parse_status).toBe("partial");
  });

  test("a text of 40 MiB is bounded while it streams", async () => {
    const line = Buffer.alloc(64 * 1024, "a line of an endless log that somebody mailed instead of attaching it\r\n");
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield bytes("Subject: log\n\n");
      for (let i = 0; i < 640; i++) yield line;
    }
    const found = await parse(endless());
    expect(found.message.text).toHaveLength(1024 * 1024);
    expect(found.message.truncated.text).toBe(true);
  });
});

describe("attachments", () => {
  const attached = (head: string, body: string) =>
    `${minimal}Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n--b\n${head}\n\n${body}\n--b--\n`;

  test("are measured and hashed by their decoded bytes, with the type that was declared", async () => {
    const head =
      'Content-Type: application/octet-stream; name="d.txt"\nContent-Disposition: attachment\nContent-Transfer-Encoding: base64';
    expect((await message(attached(head, Buffer.from("twelve bytes").toString("base64")))).attachments).toMatchObject([
      {
        filename: "d.txt",
        filename_original: null,
        content_type: "application/octet-stream",
        size: 12,
        sha256: createHash("sha256").update("twelve bytes").digest("hex"),
        disposition: "attachment",
        content_id: null,
      },
    ]);
  });

  test.each([
    ["../../etc/cron.d/x", "etc_cron.d_x"],
    ["..\\\\..\\\\x.exe", "x.exe"],
    ["C:\\\\temp\\\\a.pdf", "C_temp_a.pdf"],
    ["inv\u202egpj.exe", "invgpj.exe"],
    ["a\0b\x07.pdf", "ab.pdf"],
    ["con.txt", "_con.txt"],
    [".htaccess", "htaccess"],
    ["name. . ", "name"],
    [`${"x".repeat(5000)}.pdf`, `${"x".repeat(176)}.pdf`],
    ["...", "attachment"],
  ])("named %j are labelled %j", async (name, label) => {
    const raw = attached(`Content-Disposition: attachment; filename="${name}"`, "x").replaceAll("\n", "\r\n");
    const [attachment] = (await parse(Buffer.from(raw))).message.attachments;
    expect(attachment?.filename).toBe(label);
    expect(attachment?.filename_original).not.toBe(null);
  });
});

describe("whatever the bytes", () => {
  test.each([["a header section over 1 MiB", bytes(`Subject: big\n${`X: ${"y".repeat(96)}\n`.repeat(12_000)}\nbody`)]])(
    "%s gives the headers, and why there is no more",
    async (_, raw) => {
      for (const input of [raw, pieces(raw, 65_536)]) {
        const found = await parse(input);
        expect(found.parse_status).toBe("failed");
        expect(found.message).toMatchObject({ subject: "big", text: null, attachments: [] });
        expect(found.anomalies[0]?.code).toBe("parse_failed");
      }
    },
  );

  test.each([
    [
      "more parts than the parser takes",
      bytes(`Subject: big\nContent-Type: multipart/mixed; boundary=b\n\n${"--b\n\nx\n".repeat(1200)}`),
      /^x\n\nx\n/,
      "parse_cut",
    ],
    [
      "nothing but line ends",
      Buffer.concat([bytes("Subject: big\n\n"), Buffer.alloc(3_000_000, "\n")]),
      /^\n/,
      "parse_cut",
    ],
    [
      "nothing but lines like boundaries",
      Buffer.concat([bytes("Subject: big\n\n"), Buffer.alloc(3_000_000, "--\r\n")]),
      /^--\n--\n/,
      "parse_cut",
    ],
    [
      "a header of a part that is larger than the parser takes",
      bytes(
        `Subject: big\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst\n--b\n${"X: y\n".repeat(20_000)}\nlast\n--b--`,
      ),
      /^first$/,
      "parse_cut",
    ],
  ])("%s gives what came before, the same for any chunking", async (_, raw, text, code) => {
    const found = await parse(raw);
    expect(found).toMatchObject({ parse_status: "partial", message: { subject: "big" } });
    expect(found.message.text).toMatch(text);
    expect(found.anomalies.map((anomaly) => anomaly.code)).toContain(code);
    for (const size of [65_536, 9_973]) expect(await parse(pieces(raw, size))).toEqual(found);
  });

  test("an attachment in which the reading stopped is not told: neither its size nor its hash would be true", async () => {
    const head =
      "Subject: big\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nwords\n--b\nContent-Type: application/x\n\nwhole\n";
    const raw = Buffer.concat([
      bytes(`${head}--b\nContent-Type: application/y\n\n`),
      Buffer.alloc(2_500_000, "\r\n"),
      bytes("\n--b--\n"),
    ]);
    const found = await parse(raw);
    expect(found.message).toMatchObject({ text: "words", attachments: [{ content_type: "application/x", size: 5 }] });
    expect(found.parse_status).toBe("partial");
  });

  test("headers alone say what kind of sender it is", async () => {
    const found = await headersOnly(
      bytes("From: a@b.example\nAuto-Submitted: auto-replied\n\nrest"),
      "the parser was stopped",
    );
    expect(found).toMatchObject({ parse_status: "failed", class: { kind: "auto_reply" } });
    expect(found.anomalies).toEqual([{ code: "parse_failed", detail: "the parser was stopped" }]);
  });

  test("headers alone are read from the first 256 KiB, whatever follows", async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield bytes("Subject: endless\n");
      while (true) yield bytes(`X-Filler: ${"x".repeat(1000)}\n`);
    }
    expect((await headersOnly(endless())).message.subject).toBe("endless");
  });

  test("a source that breaks off rejects, and gives no event", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield bytes("Subject: half\n\nhal");
      throw new Error("EIO");
    }
    await expect(parse(broken())).rejects.toThrow("EIO");
  });

  const mimeish = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          "From: a@b.example\r\n",
          "Subject: =?utf-8?B?4pyT?=\r\n",
          "Date: x\r\n",
          "Message-ID: <a@b>\r\n",
          "\r\n",
          "\n",
          "\r",
          "--b\r\n",
          "--b--\r\n",
          "Content-Type: multipart/mixed; boundary=b\r\n",
          "Content-Type: text/html\r\n",
          "Content-Type: text/plain; charset=utf-8\r\n",
          "Content-Type: text/plain; format=flowed\r\n",
          "Content-Transfer-Encoding: 8bit\r\n",
          "\xc3\xa4",
          "\xef\xbb\xbf",
          "\r\n\r\n",
          "Content-Type: message/rfc822\r\n",
          "Content-Transfer-Encoding: base64\r\n",
          "Content-Disposition: attachment; filename=x\r\n",
          "<p>x</p>",
          "aGk=",
          "\0",
          " ",
        ),
        fc.string({ unit: "binary", maxLength: 10 }),
      ),
      { maxLength: 25 },
    )
    .map((parts) => Buffer.from(parts.join(""), "latin1"));

  test("there is a parse, the same one twice and by any chunking, with the Message-ID of the identity", async () => {
    await fc.assert(
      fc.asyncProperty(mimeish, fc.integer({ min: 1, max: 50 }), async (raw, size) => {
        const parsed = await parse(raw);
        expect(await parse(pieces(raw, size))).toEqual(parsed);
        const identity = createIdentity();
        identity.update(raw);
        // The identity is taken from the bytes as they came; reading goes past a byte order mark.
        if (parsed.anomalies.every(({ code }) => code !== "byte_order_mark"))
          expect(parsed.message.message_id).toBe(identity.finish().messageId);
        expect(JSON.parse(JSON.stringify(parsed))).toEqual(parsed);
        expect(JSON.stringify(parsed)).not.toContain("\\u0000");
      }),
      { numRuns: 400 },
    );
  });
});
