import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clean, decodeWords } from "../../src/mail/words.ts";

describe("encoded-words", () => {
  test.each([
    ["=?utf-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=", "Grüße aus Köln"],
    ["=?UTF-8?b?R3LDvMOfZQ==?=", "Grüße"],
    ["=?utf-8?B?R3LDvMOfZQ?=", "Grüße"],
    ["=?utf-8?q?gr=c3=bc=c3=9fe?=", "grüße"],
    ["=?iso-8859-1?Q?Gr=FC=DFe?=", "Grüße"],
    ["=?utf-8*de-DE?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"],
    ["=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"],
    ["=?utf-8?Q?a?= \t =?iso-8859-1?Q?=FC?=", "aü"],
    ["=?utf-8?Q?a?= x =?utf-8?Q?b?=", "a x b"],
    ["=?utf-8?Q?a_?= =?utf-8?Q?b?=", "a b"],
    ["=?utf-8?B?5pc=?= =?utf-8?B?pQ==?=", "日"],
    ["=?utf-8?Q?=E6=97?= =?utf-8?B?pQ==?=", "日"],
    ["=?iso-2022-jp?B?GyRCOCs=?= =?ISO-2022-JP?B?QFE9cRsoQg==?=", "見積書"],
    ["Re:=?utf-8?Q?_=C3=84nderung?=", "Re: Änderung"],
    ["=?utf-8?Q?=C3=84?=nderung", "Änderung"],
    ["=?utf-8?Q?a?==?utf-8?Q?b?=", "ab"],
    ["=?utf-8?Q??=", ""],
    ["=?utf-8?Q?1 of 2 with blanks?=", "1 of 2 with blanks"],
    ["=?utf-8?Q?50=25 =3D ha=lf=?=", "50% = ha=lf="],
    ["=?utf-8?B?R3L DvM OfZQ==?=", "Grüße"],
    ["=?utf-8?B?R3LD*vMOfZQ==?=", "Grüße"],
    ["=?utf-8?B?R3I=w7zDn2U=?=", "Grüße"],
    ['=?"utf-8"?Q?=C3=BC?=', "ü"],
    ["=? utf-8 ? Q ?=C3=BC?=", "ü"],
    ["=?utf-8?X?abc?=", "=?utf-8?X?abc?="],
    ["=?utf-8?Q", "=?utf-8?Q"],
    ["a =? b ?= c", "a =? b ?= c"],
    ["=?gb2312?B?gTnuOQ==?=", "㐀"],
    ["=?ks_c_5601-1987?B?sN/A+7yt?=", "견적서"],
  ])("%j are %j", (raw, text) => {
    expect(decodeWords(raw).text).toBe(text);
  });

  test.each([
    ["=?utf-8?Q?Gr=C3=BC=C3=9Fe", "Grüße", "never closed"],
    ["=?utf-8?Q?Gr=C3=BC=C3=9Fe?", "Grüße", "closed by half"],
    ["=?utf-8?B?R3LDvMOfZQ== and more", "Grüße and more", "never closed, with text behind it"],
    ["=?utf-8?B?R3LD =?utf-8?B?vMOfZQ==?=", "Grüße", "the first of two never closed"],
    ["=?utf-8?Q?Gr=C3=BC?=?utf-8?Q?=C3=9Fe?=", "Grüße", "two that share an equals sign"],
    ["=?utf-8?Q?=?utf-8?Q?Gr=C3=BC=C3=9Fe?=?=", "Grüße", "one in another, as text"],
    ["=?utf-8?B?PT9pc28tODg1OS0xP1E/R3I9RkM9REZlPz0=?=", "Grüße", "one in another, encoded"],
  ])("%j are %j and marked: %s", (raw, text) => {
    expect(decodeWords(raw)).toMatchObject({ text, marks: ["bad_encoded_word"] });
  });

  test("a question mark that should have been encoded does not end a word", () => {
    expect(decodeWords("=?utf-8?Q?Wann?=20kommt=20ihr??= ok").text).toBe("Wann? kommt ihr? ok");
  });

  test.each([
    ["=?iso-8859-1?Q?Gr\xfc=DFe?=", "Grüße", false],
    ["=?utf-8?Q?Gr\xfc=C3=9Fe?=", "Grüße", true],
    ["=?ISO-2022-JP?B?k/qWew==?=", "日本", true],
    ["=?iso-8859-1?Q?Gr=C3=BC=C3=9Fe?=", "Grüße", true],
    ["=?us-ascii?Q?Gr=FC=DFe?=", "Grüße", true],
    ["=?x-unknown?Q?a=E9?=", "aé", true],
    ["=??Q?a=E9?=", "aé", true],
    ["=?unknown-8bit?B?R3LDvMOfZQ==?=", "Grüße", true],
    ["=?gb2312?B?1tDOxA==?=", "中文", false],
    ["=?windows-1252?Q?=93so=94?=", "“so”", false],
    ["=?iso-8859-1?Q?=93so=94?=", "“so”", false],
  ])("%j are %j; a guess: %s", (raw, text, guessed) => {
    expect(decodeWords(raw)).toMatchObject({ text, guessed, marks: [] });
  });

  test("UTF-7 stays as it is, and is marked", () => {
    expect(decodeWords("=?utf-7?Q?+ADw-b+AD4-?=")).toEqual({ text: "+ADw-b+AD4-", guessed: false, marks: ["utf7"] });
  });

  test("raw bytes beside them are read by the charset of the body", () => {
    expect(decodeWords("\xf0\xd2\xc9\xd7\xc5\xd4 =?utf-8?Q?=C3=BC?=", "koi8-r").text).toBe("Привет ü");
  });

  test("what is encoded in any pieces is read back", () => {
    const word = (bytes: Buffer, b: boolean) =>
      b
        ? `=?UTF-8?B?${bytes.toString("base64")}?=`
        : `=?utf-8?q?${[...bytes].map((byte) => (byte === 0x20 ? "_" : `=${byte.toString(16).padStart(2, "0")}`)).join("")}?=`;
    const pieces = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.boolean(), fc.constantFrom("", " ", "\t ")));
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), pieces, (text, cuts) => {
        let rest = Buffer.from(text, "utf8");
        let raw = "";
        for (const [length, b, blank] of cuts) {
          if (rest.length === 0) break;
          raw += word(rest.subarray(0, length), b) + blank;
          rest = rest.subarray(length);
        }
        if (rest.length > 0) raw += word(rest, true);
        expect(decodeWords(raw.trimEnd())).toEqual({ text, guessed: false, marks: [] });
      }),
      { numRuns: 1000 },
    );
  });

  test("whatever the bytes, there is a text, and the same one twice", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "=?",
        "?=",
        "=?utf-8?Q?",
        "=?utf-8?B?",
        "=?iso-2022-jp?b?",
        "?",
        "=",
        " ",
        "_",
        "=41",
        "=C3",
        "QUI=",
      ),
      fc.string({ unit: "binary", maxLength: 4 }).map((text) => Buffer.from(text, "utf8").toString("latin1")),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const raw = pieces.join("");
        expect(typeof decodeWords(raw).text).toBe("string");
        expect(decodeWords(raw)).toEqual(decodeWords(raw));
      }),
      { numRuns: 3000 },
    );
  });
});

describe("one-line values", () => {
  const noted = (text: string): [string, string[]] => {
    const codes: string[] = [];
    return [clean(text, (code) => codes.push(code)), codes];
  };
  test.each([
    ["plain", "plain", []],
    [" tab\there ", "tab here", []],
    ["Hi\r\nBcc: x\x1b[2J", "Hi Bcc: x [2J", ["controls_removed"]],
    ["a\0b", "a b", ["nul_removed"]],
    ["inv\u202egpj.exe", "invgpj.exe", ["bidi_removed"]],
    ["\u2067שלום\u2069", "שלום", ["bidi_removed"]],
    ["a\u2028b", "a b", ["controls_removed"]],
    ["\u009b31m", "31m", ["controls_removed"]],
    ["u\u0308", "ü", []],
    ["\ud800x", "\ufffdx", []],
    ["👩\u200d💻", "👩\u200d💻", []],
  ])("%j is %j, and what was removed is said: %j", (text, cleaned, codes) => {
    expect(noted(text)).toEqual([cleaned, codes]);
  });
});
