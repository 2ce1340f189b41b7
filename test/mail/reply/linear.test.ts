import { describe, expect, test } from "vitest";
import { readReply } from "../../../src/mail/reply.ts";

/**
 * Each of these takes milliseconds; at the square of its length it would take from half a minute to hours. So what holds them is the
 * runner's patience, not a clock.
 */
const mib = 1024 * 1024;
const read = (text: string, html: string | null = null) =>
  readReply({ text, html, subject: "Fwd: x", attachments: [] });
/** A megabyte of a piece: more than an event holds of a text. */
const much = (piece: string): string => piece.repeat(Math.ceil(mib / piece.length));

describe("what a stranger can send costs no more than its length", () => {
  test.each([
    ["one line of openers", much("On ")],
    ["lines of openers", much("On\n")],
    ["attributions, one below the other", much("On 1 Jan 2026 x wrote:\n")],
    ["lines that nearly attribute", much("On 1:\n")],
    ["lines that end in colons within brackets", much("x <a\n>:\n")],
    ["senders and nothing else", much("From: a\n")],
    ["blocks that are cut short", much("From: a\nTo: b\n")],
    ["subjects that never end", much("Subject: a\nb\n")],
    ["separators", much("-----Original Message\n")],
    ["dashes", "-".repeat(mib)],
    ["lines of dashes", much("-----\n")],
    ["delimiters of signatures", much("-- \n")],
    ["blanks", " ".repeat(mib)],
    ["line ends", "\n".repeat(mib)],
    ["marks in one line", `hi\n${">".repeat(mib)}`],
    ["quoted lines and an answer below", `hi\n${"> a\n".repeat(100_000)}bye`],
    ["answers between a hundred thousand quoted lines", much("> aaaa\nb\n")],
    ["figures", `a\n\n${much("+1 ")}`],
    ["addresses", `a\n\n${much("b c@d.e ")}`],
    ["a block of a megabyte", `---------- Forwarded message ---------\nFrom: ${much("a<b@c.example>,")}\n\nx`],
    ["quoted blank lines of a forward", `---------- Forwarded message ---------\n${much("> \n")}`],
    ["a word of a megabyte", "a".repeat(mib)],
    ["accents", much("ä̈̈")],
  ])("a text of %s", (_, text) => {
    const { reply_text, spans } = read(text);
    expect(reply_text).not.toBeNull();
    expect(spans.length).toBeLessThan(3000);
  });

  test.each([
    ["marks, one inside of the other", '<div class="gmail_quote">'],
    ["marks in no tag", "gmail_quote "],
    ["brackets", "<"],
    ["lines above no block", "border-top:solid #E1E1E1 "],
    ["drawn lines", '<p style="border-top:solid #E1E1E1 1pt">'],
    ["citations", '<blockquote type="cite">a'],
    ["comments that never end", "<!--"],
    ["entities", "&#x10ffff;"],
    ["styles that never end", "<style>"],
    ["signatures", '<div id="Signature">x'],
  ])("html of %s", (_, piece) => {
    const text = "foo bar baz\n".repeat(80_000);
    expect(read(text, much(piece)).reply_text).not.toBeNull();
    expect(read(text, `<div class="gmail_quote">foo bar baz foo bar${much(piece)}`).reply_text).not.toBeNull();
  });
});
