import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fitted, jsonText, plain, plainLines, widthOf } from "../../src/cli/plain.ts";

const esc = "\u001b";
/** What a terminal may act on, or what hides or turns text around. */
const steering = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;

describe("text from mail on a terminal", () => {
  test.each([
    [`${esc}[31mred${esc}[0m`, "red", "colours"],
    [`${esc}[2J${esc}[1;1Hgone`, "gone", "clearing the screen and moving the cursor"],
    [`${esc}]0;new title\u0007text`, "text", "a window title ended by BEL"],
    [`${esc}]0;new title${esc}\\text`, "text", "a window title ended by ST"],
    [`${esc}]8;;https://evil.example${esc}\\click${esc}]8;;${esc}\\`, "click", "a hyperlink"],
    [`\u009b31mred`, "red", "the one-character CSI"],
    [`\u009d0;title\u009ctext`, "text", "the one-character OSC"],
    [`${esc}P$q"p${esc}\\text`, "text", "a device control string, which asks the terminal to answer"],
    [`${esc}(0text`, "text", "another character set"],
    [`a\r\nb\tc\u0000d`, "a b c d", "line ends, tabs and NUL become spaces"],
    ["invoice\u202efdp.exe", "invoicefdp.exe", "a bidi override"],
    ["pay\u200bpal", "paypal", "a zero-width space"],
    ["half \ud83d", "half \ufffd", "a lone surrogate"],
  ])("%j is shown as %j: %s", (hostile, shown) => {
    expect(plain(hostile)).toBe(shown);
  });

  test("an unfinished sequence takes nothing but itself", () => {
    expect(plain(`before${esc}[`)).toBe("before");
    expect(plain(`before${esc}`)).toBe("before");
  });

  test("what is shown never steers a terminal and never exceeds its bound, whatever the text", () => {
    const nasty = fc.string({
      unit: fc.oneof(
        fc.constantFrom(esc, "[", "]", "\u009b", "\u202e", "m", ";", "\\", "\n"),
        fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
      ),
    });
    fc.assert(
      fc.property(nasty, fc.integer({ min: 1, max: 50 }), (text, most) => {
        const shown = plain(text, most);
        expect(shown).not.toMatch(steering);
        expect(shown.length).toBeLessThanOrEqual(most);
        expect(plainLines(text).replaceAll("\n", "")).not.toMatch(steering);
      }),
    );
  });

  test("ordinary text in any script stays as it is", () => {
    for (const text of ["Łukasz Wiśniewski", "お見積りのお願い", "عرض سعر", "für 40 Plätze – ok?", "👩🏽 hi"])
      expect(plain(text)).toBe(text);
  });

  test("several lines stay lines", () => {
    expect(plainLines(`one\r\ntwo\n\tthree${esc}[0m`)).toBe("one\ntwo\n    three");
  });

  test("a megabyte of escapes is dealt with at once", () => {
    expect(plain(`${esc}[`.repeat(500_000), 100)).toBe("");
  });
});

describe("JSON on a terminal", () => {
  test("steering characters are escapes, and the value is the same", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const json = jsonText({ text });
        expect(json).not.toMatch(steering);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ text })));
      }),
    );
  });
});

describe("widths", () => {
  test("wide characters take two columns, combining ones none", () => {
    expect(widthOf("abc")).toBe(3);
    expect(widthOf("見積")).toBe(4);
    expect(widthOf("e\u0301")).toBe(1);
  });

  test("cutting never exceeds the columns and says that it cut", () => {
    expect(fitted("見積りのお願い", 7)).toBe("見積り…");
    expect(fitted("short", 7)).toBe("short");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 30 }), (text, columns) => {
        expect(widthOf(fitted(text, columns))).toBeLessThanOrEqual(columns);
      }),
    );
  });
});
