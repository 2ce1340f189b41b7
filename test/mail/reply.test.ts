import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Reading, readReply } from "../../src/mail/reply.ts";

const read = (text: string | null, html: string | null = null, subject: string | null = "Re: x"): Reading =>
  readReply({ text, html, subject, attachments: [] });

const spansOf = (text: string, { spans }: Reading, kind: string): string =>
  spans
    .filter((span) => span.kind === kind)
    .map(({ start, end }) => text.slice(start, end))
    .join("\n\n");

/** Lines that mean something to the reader, between lines that do not. */
const line = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    "> quoted",
    ">> deeper",
    ">",
    "On Mon, Jan 5, 2026 at 2:30 PM Ana <ana@b.example> wrote:",
    "Am 05.01.2026 um 14:30 schrieb Ana:",
    "-----Original Message-----",
    "---------- Forwarded message ---------",
    "Begin forwarded message:",
    "From: Ana <ana@b.example>",
    "Sent: 5.1.2026 14:30",
    "To: Bo <bo@c.example>",
    "Subject: Ten bikes",
    "________________________________",
    "-- ",
    "Sent from my iPhone",
    "Best regards",
    "Ana Lima",
    "+49 30 1234567",
    "ana@b.example",
    "This message is confidential and only for the intended recipient of it, nobody else at all.",
  ),
  fc.string({ unit: "grapheme", maxLength: 30 }),
);
const body = fc.array(line, { maxLength: 25 }).map((lines) => lines.join("\n"));
/** What people write: words in lines, with nothing that could be anything else. */
const prose = fc
  .array(fc.stringMatching(/^[a-z]{1,8}( [a-z]{1,8}){0,6}$/), { minLength: 1, maxLength: 6 })
  .map((lines) => lines.join("\n"));

describe("what the sender wrote", () => {
  test("of any text is told by spans in order that leave nothing but blanks out", () => {
    fc.assert(
      fc.property(body, (text) => {
        const reading = read(text);
        let last = 0;
        for (const { start, end } of reading.spans) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          expect(text.slice(last, start).trim()).toBe("");
          last = end;
        }
        expect(last).toBeLessThanOrEqual(text.length);
        expect(text.slice(last).trim()).toBe("");
      }),
      { numRuns: 1000 },
    );
  });

  test("is made of its spans, or is the whole text where there is none, or where answers stand between quotes", () => {
    fc.assert(
      fc.property(body, fc.constantFrom("Re: x", "Fwd: x", null), (text, subject) => {
        const reading = read(text, null, subject);
        const written = spansOf(text, reading, "reply");
        expect(reading.quoted_text ?? "").toBe(spansOf(text, reading, "quote"));
        expect(reading.signature_text ?? "").toBe(spansOf(text, reading, "signature"));
        if (reading.interleaved) {
          for (const part of written.split("\n")) expect(reading.reply_text).toContain(part.trim());
        } else {
          expect(reading.reply_text).toBe(written === "" ? text.trim() : written);
        }
        if (reading.forwarded === null) expect(reading.spans.some(({ kind }) => kind === "forward")).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  test("is the same for the same text, whatever was read before", () => {
    fc.assert(
      fc.property(body, body, (one, other) => {
        const first = read(one);
        read(other);
        expect(read(one)).toEqual(first);
      }),
    );
  });

  test.each([
    [
      "below a line that names its sender",
      "On Mon, Jan 5, 2026 at 2:30 PM Ana <ana@b.example> wrote:\n\n> How many?\n> Ana",
    ],
    ["without marks", "Am 05.01.2026 um 14:30 schrieb Ana Lima <ana@b.example>:\n\nHow many?\n\n-- \nAna"],
    ["below a separator", "-----Original Message-----\nFrom: Ana <ana@b.example>\nSent: 5.1.2026\n\nHow many?"],
    [
      "below a block of fields",
      "Von: Ana <ana@b.example>\nGesendet: 5.1.2026\nAn: Bo\nBetreff: x\n\nHow many?\n> really?",
    ],
    ["by marks alone", "> How many?\n> Ana"],
  ])("stays the same when a mail is quoted %s", (_, quote) => {
    fc.assert(
      fc.property(prose, (text) => {
        expect(read(text).reply_text).toBe(text);
        const { reply_text, quoted_text, interleaved } = read(`${text}\n\n${quote}\n`);
        expect({ reply_text, quoted_text, interleaved }).toEqual({
          reply_text: text,
          quoted_text: quote,
          interleaved: false,
        });
      }),
    );
  });

  test("of any text and any html is something", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (text, html) => {
        const marked = `${html}<div class="gmail_quote">${text}</div><div id="Signature">${html}`;
        expect(read(text, marked).reply_text).not.toBeNull();
        expect(read(text, `<blockquote type="cite">${html}`).spans.length).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test("is nothing where there is no text, and an empty text where that is empty", () => {
    expect(read(null)).toMatchObject({ reply_text: null, spans: [], language: null });
    expect(read("")).toMatchObject({ reply_text: "", quoted_text: null, spans: [] });
    expect(read(" \n\n ")).toMatchObject({ reply_text: "", spans: [] });
  });

  test("counts its spans in UTF-16 code units", () => {
    const text = "🎉 Ten 🚲, please.\n\n> 🚲?";
    const reading = read(text);
    expect(reading.spans).toEqual([
      { kind: "reply", start: 0, end: 18 },
      { kind: "quote", start: 20, end: 25 },
    ]);
    expect(text.slice(0, 18)).toBe(reading.reply_text);
  });
});

describe("answers between quoted lines", () => {
  test("are kept with what they answer", () => {
    const text = "On 5 Jan 2026, Ana <ana@b.example> wrote:\n> How many?\n\nTen.\n\n> When?\n\nOn Friday.";
    expect(read(text)).toMatchObject({ interleaved: true, reply_text: text });
  });

  test("end where a whole mail is quoted below them", () => {
    const answers = "> How many?\n\nTen.\n\n> When?\n\nOn Friday.";
    const below = "-----Original Message-----\nFrom: Ana <ana@b.example>\nSent: 5.1.2026\n\nHow many?";
    expect(read(`${answers}\n\n${below}`)).toMatchObject({ interleaved: true, reply_text: answers });
  });

  test("are none where one answer stands below one quote, with or without a greeting above", () => {
    const quote = "On 5 Jan 2026, Ana <ana@b.example> wrote:\n> How many?\n> When?";
    expect(read(`${quote}\n\nTen, on Friday.`)).toMatchObject({ interleaved: false, reply_text: "Ten, on Friday." });
    expect(read(`Hi Ana,\n\n${quote}\n\nTen, on Friday.`)).toMatchObject({
      interleaved: false,
      reply_text: "Hi Ana,\n\nTen, on Friday.",
    });
  });

  test("are told from the halves of quoted lines that a client broke in two", () => {
    const long = "> and this line is so long that the client that quoted it broke it into two";
    const text = `Ten.\n\nOn 5 Jan 2026, Ana <ana@b.example> wrote:\n> Hello Bo,\n${long}\nhalves of it.\n> Ana`;
    expect(read(text)).toMatchObject({ interleaved: false, reply_text: "Ten." });
  });

  test('are not seen in a line that a mailbox file marked, as ">From "', () => {
    const text = "ten bikes.\n>From Monday on we need two more.\nThank you.";
    expect(read(text)).toMatchObject({ interleaved: false, reply_text: text, quoted_text: null });
  });
});
