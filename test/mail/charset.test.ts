import fc from "fast-check";
import iconv from "iconv-lite";
import { describe, expect, test } from "vitest";
import { decodeBody, decodeRaw, isUtf7 } from "../../src/mail/charset.ts";

const bytes = (latin1: string) => Buffer.from(latin1, "latin1");
const decoded = (latin1: string, declared: string | null) => {
  const { text, used, guessed } = decodeBody(bytes(latin1), declared);
  return [text, used, guessed];
};

describe("bytes under a declared charset that holds", () => {
  test.each([
    ["utf-8", "Grüße, 日本 😀", "utf-8"],
    ["UTF8", "Grüße", "utf-8"],
    ['"utf-8"', "Grüße", "utf-8"],
    ["utf8mb4", "Grüße", "utf-8"],
    ["iso-8859-1", "Grüße", "windows-1252"],
    ["latin1", "Grüße", "windows-1252"],
    ["windows-1252", "10 € – “so”", "windows-1252"],
    ["iso-8859-15", "10 €", "iso-8859-15"],
    ["iso-8859-2", "Zażółć", "iso-8859-2"],
    ["windows-1250", "Zażółć", "windows-1250"],
    ["koi8-r", "Привет", "koi8-r"],
    ["windows-1251", "Привет", "windows-1251"],
    ["cp866", "Привет", "ibm866"],
    ["cp850", "Grüße", "cp850"],
    [" :cp850?", "Grüße", "cp850"],
    ["macintosh", "Grüße", "macintosh"],
    ["iso-8859-7", "Καλημέρα", "iso-8859-7"],
    ["iso-8859-9", "Günaydın", "windows-1254"],
    ["windows-1255", "שלום", "windows-1255"],
    ["windows-1256", "مرحبا", "windows-1256"],
    ["tis-620", "สวัสดี", "windows-874"],
    ["shift_jis", "見積書①", "shift_jis"],
    ["cp932", "見積書①", "shift_jis"],
    ["euc-jp", "見積書", "euc-jp"],
    ["gb2312", "报价单", "gbk"],
    ["gb18030", "报价单𠀀", "gb18030"],
    ["big5", "報價單", "big5"],
    ["euc-kr", "견적서", "euc-kr"],
    ["utf-16le", "Grüße", "utf-16le"],
    ["utf-32be", "Grüße", "utf-32be"],
  ])("%s is %s", (label, text, used) => {
    const encoder = used === "windows-1254" ? "windows-1254" : label.replace(/"/g, "").replace("utf8mb4", "utf8");
    expect(decodeBody(iconv.encode(text, encoder), label)).toEqual({ text, used, guessed: false });
  });

  test.each([
    ["iso-2022-jp", "\x1b$B8+@Q=q\x1b(B OK", "見積書 OK"],
    ["ISO-2022-JP-MS", "\x1b$B-!\x1b(B", "①"],
    ["iso-2022-jp", "\x1b$B8+\x1b(B\x1b$B@Q\x1b(B\x1b(J\x1b$B=q\x1b(B", "見積書"],
    ["iso-2022-kr", "\x1b$)C\x0e0_@{<-\x0f OK\n", "견적서 OK\n"],
    ["hz-gb-2312", "~{1(<[~} OK ~~\n", "报价 OK ~\n"],
    ["ks_c_5601-1987", "\x8c\x63", "똠"],
    ["gb2312", "\xa8\xa2\x81\x39\xee\x39", "á㐀"],
    ["utf-16", "\xfe\xff\x00A\x00b", "Ab"],
    ["us-ascii", "plain", "plain"],
    ["utf-8", "\xef\xbb\xbfmark", "mark"],
  ])("%s: %j is %j", (label, latin1, text) => {
    expect(decodeBody(bytes(latin1), label)).toMatchObject({ text, guessed: false });
  });
});

describe("bytes whose label is missing or wrong", () => {
  test.each([
    ["na\xefve", null, "naïve", "windows-1252"],
    ["na\xefve", "utf-8", "naïve", "windows-1252"],
    ["Gr\xc3\xbc\xc3\x9fe", null, "Grüße", "utf-8"],
    ["Gr\xc3\xbc\xc3\x9fe", "us-ascii", "Grüße", "utf-8"],
    ["Gr\xc3\xbc\xc3\x9fe", "iso-8859-1", "Grüße", "utf-8"],
    ["Gr\xc3\xbc\xc3\x9fe", "x-unknown", "Grüße", "utf-8"],
    ["Gr\xfc\xdfe", "us-ascii", "Grüße", "windows-1252"],
    ["\x1b$B8+@Q=q\x1b(B OK", null, "見積書 OK", "iso-2022-jp"],
    ["\x1b$B8+@Q=q\x1b(B OK", "utf-8", "見積書 OK", "iso-2022-jp"],
    ["\x84Ahoj\x93 \x9akola", "iso-8859-2", "„Ahoj“ škola", "windows-1250"],
    ["\x93so\x94 10 \x80", "iso-8859-15", "“so” 10 €", "windows-1252"],
    ["\x93\xfa\x96\x7b\x8c\xea\x82\xcc\x83\x81\x81\x5b\x83\x8b", "iso-8859-1", "日本語のメール", "shift_jis"],
    ["\x1b$)C\x0e0_@{<-\x0f", null, "견적서", "iso-2022-kr"],
    ["\x93\xfa\x96\x7b", "iso-2022-jp", "日本", "shift_jis"],
    ["\xc6\xfc\xcb\xdc", "iso-2022-jp", "日本", "euc-jp"],
    ["plain", "x-unknown", "plain", "us-ascii"],
    ["M+APw-ller", "utf-7", "M+APw-ller", "us-ascii"],
    ["M+APw-ller", "unicode-1-1-utf-7", "M+APw-ller", "us-ascii"],
    ["YWJj", "base64", "YWJj", "us-ascii"],
    ["Gr\xfc\xdfe", "constructor", "Grüße", "windows-1252"],
  ])("%j under %s is %j, by %s, and said to be a guess", (latin1, label, text, used) => {
    expect(decoded(latin1, label)).toEqual([text, used, true]);
  });

  test.each([
    ["windows-1252", "Réunion à Genève: création d'un devis pour les pièces détachées, déjà validé"],
    ["koi8-r", "Добрый день, пришлите счёт"],
    ["windows-1251", "Добрый день, пришлите счёт"],
    ["windows-1251", "Здравствуйте, прошу выслать коммерческое предложение"],
    ["shift_jis", "お世話になっております。来週の会議の件です。"],
    ["shift_jis", "東京支社の山田"],
    ["euc-jp", "東京支社の山田"],
    ["gbk", "请发送报价单"],
    ["gbk", "您好，我们想了解贵公司的产品价格和交货时间。"],
    ["big5", "您好，我們想了解貴公司的產品價格和交貨時間。"],
    ["euc-kr", "견적서를보내주세요"],
    ["iso-8859-7", "Καλημέρα σας, παρακαλώ στείλτε μου προσφορά"],
    ["windows-1256", "مرحبا، الرجاء إرسال عرض السعر"],
  ])("%s without a label, or under utf-8, is known by its bytes: %s", (charset, text) => {
    for (const label of [null, "utf-8"])
      expect(decodeBody(iconv.encode(text, charset), label)).toMatchObject({ text, guessed: true });
  });

  test("utf-8 with a few stray bytes keeps its characters, and the strays are read as windows-1252", () => {
    expect(decoded("Gr\xc3\xbc\xc3\x9fe, na\xefve", "utf-8")).toEqual(["Grüße, naïve", "utf-8", true]);
    expect(decoded("Gr\xc3\xbc\xc3\x9fe aus Ko\xc3", "utf-8")).toEqual(["Grüße aus Ko", "utf-8", true]);
  });

  test("a character cut at the end does not turn the whole text into something else", () => {
    const cut = iconv.encode("请发送报价单", "gbk").subarray(0, -1);
    expect(decodeBody(cut, "gb2312")).toEqual({ text: "请发送报价\ufffd", used: "gbk", guessed: true });
    expect(decodeBody(bytes("\x1b$B8+@Q"), "iso-2022-jp").text).toBe("見積");
  });
});

describe("bytes of headers that nobody labels", () => {
  test.each([
    ["Gr\xc3\xbc\xc3\x9fe", undefined, "Grüße", false],
    ["Gr\xfc\xdfe", undefined, "Grüße", true],
    ["\xcf\xf0\xe8\xe2\xe5\xf2", "windows-1251", "Привет", true],
    ["\xf0\xd2\xc9\xd7\xc5\xd4", "koi8-r", "Привет", true],
    ["\x93\xfa\x96\x7b", "shift_jis", "日本", true],
    ["\xd6\xd0\xce\xc4", "gb2312", "中文", true],
    ["\x1b$B8+@Q=q\x1b(B", undefined, "見積書", true],
    ["\xd6\xd0\xce\xc4", "utf-8", "ÖÐÎÄ", true],
  ])("%j, in a message whose text is %s, is %j", (raw, hint, text, guessed) => {
    expect(decodeRaw(raw, hint)).toEqual({ text, guessed });
  });
});

test("UTF-7 is known by all of its names", () => {
  expect(["utf-7", "UTF7", "unicode-1-1-utf-7", "csUnicode11UTF7", "x-utf-7"].map(isUtf7)).toEqual(Array(5).fill(true));
  expect(["utf-8", "utf-16", "iso-8859-7"].map(isUtf7)).toEqual(Array(3).fill(false));
});

test("any bytes under any label are text", () => {
  const label = fc.oneof(
    fc.constantFrom(
      "utf-8",
      "gb2312",
      "iso-2022-jp",
      "iso-2022-kr",
      "hz-gb-2312",
      "utf-16",
      "utf-32",
      "us-ascii",
      null,
    ),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), label, (raw, declared) => {
      const found = decodeBody(raw, declared);
      expect(found.used).toMatch(/^[a-z0-9][a-z0-9_-]*$/);
      expect(decodeBody(raw, declared)).toEqual(found);
    }),
    { numRuns: 2000 },
  );
});
