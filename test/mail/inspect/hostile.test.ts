import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lookInMessage } from "../../../src/mail/extract.ts";
import { maxEntries, maxUnpackedBytes } from "../../../src/mail/inspect/budget.ts";
import { contentOf } from "../../../src/mail/inspect/contents.ts";
import { findings } from "../../../src/mail/inspect/findings.ts";
import { extensionsOf } from "../../../src/mail/inspect/names.ts";
import { listZip } from "../../../src/mail/inspect/zip.ts";
import { inspector } from "../../../src/mail/inspect.ts";
import type { Inspection } from "../../../src/model/files.ts";
import { dangerous } from "../../support/dangerous/table.ts";
import { zip } from "../../support/dangerous/zip.ts";

async function inspected(bytes: Uint8Array, name: string): Promise<Inspection> {
  const looker = inspector(lookInMessage);
  const half = bytes.length >> 1;
  looker.push(Buffer.from(bytes.subarray(0, half)));
  looker.push(Buffer.from(bytes.subarray(half)));
  return looker.end({ name, type: "application/octet-stream" });
}

function expectBounded({ findings: found }: Inspection): void {
  expect(found.length).toBeLessThanOrEqual(61);
  for (const { code, detail } of found) {
    expect(Object.keys(findings)).toContain(code);
    expect((detail ?? "").length).toBeLessThanOrEqual(160);
    expect(detail ?? "").not.toMatch(/[\p{Cc}\p{Cf}]/u);
  }
  const unpacked = found.find(({ code }) => code === "unpacked")?.detail;
  if (unpacked === undefined || unpacked === null) return;
  const [, entries = 0, bytes = 0] = (/entries=(\d+) bytes=(\d+)/.exec(unpacked) ?? []).map(Number);
  const codes = found.map(({ code }) => code);
  if (entries > maxEntries) expect(codes).toContain("archive_too_many");
  if (bytes > maxUnpackedBytes) expect(codes).toContain("archive_bomb");
}

/** Beginnings that lead into each of the readers. */
const beginnings = [
  "PK\x03\x04",
  "PK\x05\x06",
  "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
  "%PDF-1.7\n",
  "{\\rtf1",
  "\x1f\x8b\x08",
  "From: a\r\n",
  "<?mso-application?>",
  "GIF89a",
];

describe("whatever the bytes are", () => {
  test("a look ends with a bounded list", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("", ...beginnings),
        fc.uint8Array({ maxLength: 3000 }),
        fc.string({ unit: "binary", maxLength: 60 }),
        async (beginning, noise, name) => {
          expectBounded(await inspected(Buffer.concat([Buffer.from(beginning, "latin1"), noise]), name));
        },
      ),
      { numRuns: 1500 },
    );
  });

  test("so it does with a dangerous file of which some bytes are others", async () => {
    const small = dangerous()
      .flatMap(({ file, twin }) => [file, twin])
      .filter(({ bytes }) => bytes.length < 20_000);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...small),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 12 }),
        fc.nat(),
        async ({ bytes, name }, changes, cut) => {
          const mutated = Buffer.from(bytes);
          for (const [at, byte] of changes) mutated[at % mutated.length] = byte;
          expectBounded(await inspected(cut % 3 === 0 ? mutated.subarray(0, cut % mutated.length) : mutated, name));
        },
      ),
      { numRuns: 3000 },
    );
  });

  test("numbers at the edges of their range lead nowhere", async () => {
    const file = zip([{ name: "a.txt", bytes: Buffer.from("hello") }]);
    const edges = [0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
    for (let at = 0; at + 4 <= file.length; at++) {
      for (const edge of edges) {
        const mutated = Buffer.from(file);
        mutated.writeUInt32LE(edge, at);
        expectBounded(await inspected(mutated, "a.zip"));
      }
    }
  });

  test("a list of a zip names no bytes that are not in it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ name: fc.string({ maxLength: 20 }), bytes: fc.uint8Array({ maxLength: 500 }) }), {
          maxLength: 6,
        }),
        (files) => {
          const { entries, damaged, overlapping } = listZip(zip(files), maxEntries);
          expect({ damaged, overlapping }).toEqual({ damaged: null, overlapping: false });
          expect(entries.map(({ name, size }) => ({ name, size }))).toEqual(
            files.map(({ name, bytes }) => ({ name: Buffer.from(name).toString(), size: bytes.length })),
          );
        },
      ),
    );
  });

  test("what a beginning says does not depend on what follows the first 64 KiB", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        expect(() => contentOf(Buffer.from(noise))).not.toThrow();
        expect(extensionsOf(Buffer.from(noise).toString("latin1")).length).toBeLessThanOrEqual(3);
      }),
    );
  });
});

/** What would take minutes where it took the square of its length, in a second or two where it does not. */
const floods: readonly (readonly [string, () => Buffer])[] = [
  ["a PDF of nothing but streams", () => Buffer.from(`%PDF-1.7\n${"stream ".repeat(1_500_000)}`)],
  ["a PDF of packed objects without an end", () => Buffer.from(`%PDF-1.7\n${"obj /ObjStm stream\n".repeat(200_000)}`)],
  ["RTF of nothing but templates", () => Buffer.from(`{\\rtf1${"{\\*\\template ".repeat(500_000)}`)],
  [
    "an Office XML of broken relationships",
    () => Buffer.from(`<?mso-application?>${'relationships/attachedTemplate"'.repeat(150_000)}`),
  ],
  [
    "relationships with quotes that do not close",
    () =>
      zip([{ name: "[Content_Types].xml" }, { name: "a.rels", bytes: Buffer.from('<Relationship "'.repeat(60_000)) }]),
  ],
  ["a header without an end", () => Buffer.from(`From: ${"a\r\n b".repeat(500_000)}`)],
  ["a name of blanks and dots", () => Buffer.from("x")],
];

test.each(floods)("%s is looked at in linear time", { timeout: 60_000 }, async (what, make) => {
  const name = what.startsWith("a name") ? `${" .".repeat(200_000)}x${". ".repeat(200_000)}` : "file";
  expectBounded(await inspected(make(), name));
});
