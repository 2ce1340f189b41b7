/** What a download says of itself: a hostile name ends no header, and a range is what RFC 9110 says it is. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contentTypeOf, dispositionOf, labelOf, rangeOf } from "../../src/http/files/headers.ts";

describe("a file's name in Content-Disposition", () => {
  test.each([
    ["offer.pdf", `attachment; filename="offer.pdf"; filename*=UTF-8''offer.pdf`],
    [
      "Angebot für Ömer.pdf",
      `attachment; filename="Angebot f_r _mer.pdf"; filename*=UTF-8''Angebot%20f%C3%BCr%20%C3%96mer.pdf`,
    ],
    [
      'a"; filename="evil.exe',
      `attachment; filename="a_; filename=_evil.exe"; filename*=UTF-8''a_%3B%20filename%3D_evil.exe`,
    ],
    [
      "a\r\nSet-Cookie: x=1.pdf",
      `attachment; filename="aSet-Cookie_ x=1.pdf"; filename*=UTF-8''aSet-Cookie_%20x%3D1.pdf`,
    ],
    ["../../../../etc/passwd", `attachment; filename="_.._.._.._etc_passwd"; filename*=UTF-8''_.._.._.._etc_passwd`],
    ["inv\u202egpj.exe", `attachment; filename="invgpj.exe"; filename*=UTF-8''invgpj.exe`],
    ["100%.txt", `attachment; filename="100_.txt"; filename*=UTF-8''100%25.txt`],
    [". . ", `attachment; filename="file"; filename*=UTF-8''file`],
    ["😀.png", `attachment; filename="_.png"; filename*=UTF-8''%F0%9F%98%80.png`],
  ])("%j", (name, header) => {
    expect(dispositionOf(name)).toBe(header);
  });

  test("whatever it is, gives one header of plain ASCII that a parser takes apart as it was meant", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary", maxLength: 400 }),
          fc.string({ unit: fc.constantFrom('"', "\\", ";", "%", "\n", "'", "é") }),
        ),
        (name) => {
          const header = dispositionOf(name);
          const parts =
            /^attachment; filename="([ !#-[\]-~]+)"; filename\*=UTF-8''((?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})+)$/.exec(
              header,
            );
          expect(parts, header).not.toBeNull();
          expect(decodeURIComponent(parts?.[2] ?? "")).toBe(labelOf(name));
          expect([...(parts?.[1] ?? "")]).toHaveLength([...labelOf(name)].length);
          expect(header.length).toBeLessThan(3_000);
        },
      ),
    );
  });

  test("keeps its extension where it is cut", () => {
    expect(labelOf(`${"x".repeat(5_000)}.docx`)).toMatch(/^x{175}\.docx$/);
  });
});

test.each([
  ["application/pdf", "application/pdf"],
  ["image/png", "image/png"],
  ["image/svg+xml", "application/octet-stream"],
  ["text/html", "application/octet-stream"],
  ["application/xml", "application/octet-stream"],
  ["image/png\r\nx: y", "application/octet-stream"],
  ["application/x-msdownload", "application/octet-stream"],
  [null, "application/octet-stream"],
])("content %j is served as %s", (detected, type) => {
  expect(contentTypeOf(detected)).toBe(type);
});

describe("a range", () => {
  const of = (range: string, size = 100, if_range?: string) => rangeOf({ range, if_range }, size, '"e"');
  test.each([
    ["bytes=0-9", { start: 0, end: 9 }],
    ["bytes=90-", { start: 90, end: 99 }],
    ["bytes=90-1000", { start: 90, end: 99 }],
    ["bytes=-10", { start: 90, end: 99 }],
    ["bytes=-1000", { start: 0, end: 99 }],
    ["BYTES=5-5", { start: 5, end: 5 }],
    ["bytes=100-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=9-0", undefined],
    ["bytes=0-1,5-6", undefined],
    ["bytes=-", undefined],
    ["bytes=a-b", undefined],
    ["items=0-9", undefined],
    ["bytes=0-9999999999999999999", undefined],
  ])("%s of 100 bytes", (range, expected) => {
    expect(of(range)).toEqual(expected);
  });
  test("of a file without bytes can never be had", () => {
    expect(of("bytes=0-", 0)).toBe("unsatisfiable");
    expect(of("bytes=-5", 0)).toBe("unsatisfiable");
  });
  test("counts only for the file that was begun (If-Range)", () => {
    expect(of("bytes=0-9", 100, '"e"')).toEqual({ start: 0, end: 9 });
    for (const other of ['"f"', 'W/"e"', "Sat, 28 Nov 2026 12:00:00 GMT"])
      expect(of("bytes=0-9", 100, other)).toBeUndefined();
  });
});
