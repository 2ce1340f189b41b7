import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { utf16le } from "../../src/mail/utf16.ts";

test("half a letter at the end is none, wherever the bytes begin", () => {
  const text = Buffer.from("xAda Lovelace", "utf16le");
  for (const odd of [0, 1]) {
    const bytes = Buffer.concat([Buffer.alloc(odd), text, Buffer.of(0x41)]).subarray(odd);
    expect(utf16le(bytes, 2)).toBe("Ada Lovelace");
    expect(utf16le(bytes.subarray(0, -1))).toBe("xAda Lovelace");
  }
  expect(utf16le(Buffer.alloc(1))).toBe("");
});

/** Nothing here can see memory being written over: that nobody calls it is all that can be asked for. */
test("nothing else decodes UTF-16 with Node's own decoder, but for lengths that are even by how they are made", () => {
  const folder = join(import.meta.dirname, "..", "..", "src");
  const calls = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) =>
      readFileSync(join(folder, name), "utf8")
        .split("\n")
        .filter((line) => /toString\("(?:utf16le|ucs2|utf-16le|ucs-2)"/.test(line))
        .map((line) => `${name}: ${line.trim()}`),
    );
  expect(calls.sort()).toEqual([
    'mail/inspect/contents.ts: .toString("utf16le");',
    'mail/inspect/office.ts: .toString("utf16le");',
    'mail/outlook/compound.ts: name: directory.toString("utf16le", at, at + Math.max(0, (nameBytes & ~1) - 2)),',
    'mail/utf16.ts: bytes.subarray(from, from + ((bytes.length - from) & ~1)).toString("utf16le");',
  ]);
});
