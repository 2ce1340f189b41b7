import { describe, expect, test } from "vitest";
import { addressList } from "../../src/mail/address.ts";
import { safeFilename } from "../../src/mail/filename.ts";
import { collectHead } from "../../src/mail/head.ts";
import { splitHeader } from "../../src/mail/header.ts";
import { htmlToText } from "../../src/mail/html.ts";
import { clean } from "../../src/mail/words.ts";

/**
 * Each of these took from half a minute to hours when its cost was the square of its length; linear, each takes well under a second. So
 * what holds them is the runner's patience, not a clock.
 */
const mib = 1024 * 1024;

describe("what a stranger can send costs no more than its length", () => {
  test("a header section of lines without a colon", () => {
    expect(splitHeader("a\n".repeat(8 * mib))).toEqual([]);
  });

  test("empty lines before the header, one byte at a time, and a line behind them that never ends", () => {
    const head = collectHead();
    for (let at = 0; at < mib / 2; at++) head.push(Uint8Array.of(0x0a));
    expect(head.head()).toBeUndefined();
    for (let at = 0; at < mib / 2 - 1; at++) head.push(Uint8Array.of(0x61));
    head.end();
    expect(head.head()?.section).toBe("");
  });

  test.each([
    ["lines of blanks", `${" ".repeat(900)}\n`],
    ["lines of two dashes", `--${"b".repeat(900)}\n`],
  ])("a header of %s, one byte at a time", (_, line) => {
    const head = collectHead();
    const section = Buffer.from(`Content-Type: multipart/mixed; boundary=c\n${line.repeat(mib / 1024)}`);
    for (const byte of section) head.push(Uint8Array.of(byte));
    head.end();
    expect(head.head()?.section).toHaveLength(section.length);
  });

  test.each([
    ["that no quote closes", '"'],
    ["that one quote closes at the end", '" '],
  ])("an angle bracket with a string of escaped quotes %s", (_, tail) => {
    const { addresses } = addressList([`Ana <"${'\\"'.repeat(mib)}${tail}`]);
    expect(addresses.map(({ email }) => email)).toEqual([null]);
  });

  test("a character under half a million combining marks, which stays as it is", () => {
    const heap = `a${"\u0315\u0300".repeat(mib / 4)}`;
    expect(clean(heap)).toBe(heap);
    expect(clean("u\u0308")).toBe("ü");
  });

  test("names of attachments made of dots and blanks", () => {
    const name = `x${". ".repeat(4_999)}x`;
    for (let at = 0; at < 2_000; at++) expect(safeFilename(name)).toHaveLength(180);
    expect(safeFilename("offer. . ")).toBe("offer");
  });

  test("html that nests too deeply and goes on with a million blanks", () => {
    expect(htmlToText(`${"<div>".repeat(501)}a${"\f".repeat(mib / 2)}b \n c`)).toEqual({ text: "a b\nc", cut: false });
  });

  test.each(["<b></x>", "<li><dd>", "<dd></x></x>"])("html of %s by the megabyte, read by its words", (piece) => {
    const html = `first ${piece.repeat(mib / 16)} last`;
    expect(htmlToText(html)).toEqual({ text: "first last", cut: html.length > mib });
  });
});
