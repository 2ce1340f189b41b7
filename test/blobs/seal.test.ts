import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openKeyRing, SealBroken } from "../../src/blobs/index.ts";
import { collected, cut, patterned, through } from "./streams.ts";

const key = "5a".repeat(32);
const ring = openKeyRing({ key });
const chunk = 64 * 1024;
const edges = [
  0,
  1,
  chunk - 40,
  chunk - 12,
  chunk - 11,
  chunk - 1,
  chunk,
  chunk + 1,
  2 * chunk - 11,
  2 * chunk,
  200_000,
];

/** Everything before the first chunk: magic, version, key id, nonce, wrapped key with its tag. */
const header = 76;
const sealedChunk = chunk + 16;

async function openedByStream(sealed: Uint8Array, sizes: readonly number[]): Promise<Buffer> {
  return await through(ring.openStream(), cut(sealed, sizes));
}

function refusal(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("a sealed value", () => {
  test.each(edges)("of %i bytes opens to the same bytes and label", (length) => {
    const plain = patterned(length);
    const opened = ring.open(ring.seal(plain, "raw 0193"));
    expect(opened.label).toBe("raw 0193");
    expect(Buffer.compare(opened.plain, plain)).toBe(0);
  });

  test("opens whatever was sealed", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 3_000 }),
        fc.string({ unit: "grapheme", maxLength: 40 }),
        (plain, label) => {
          const wellFormed = label.toWellFormed();
          const opened = ring.open(ring.seal(plain, wellFormed));
          expect(opened.label).toBe(wellFormed);
          expect(Buffer.compare(opened.plain, plain)).toBe(0);
        },
      ),
    );
  });

  test("never looks the same twice, and shows neither content nor label", () => {
    const first = Buffer.from(ring.seal(Buffer.from("Dear customer"), "event"));
    const second = Buffer.from(ring.seal(Buffer.from("Dear customer"), "event"));
    expect(first.equals(second)).toBe(false);
    for (const sealed of [first, second]) {
      expect(sealed.includes("Dear")).toBe(false);
      expect(sealed.includes("event")).toBe(false);
    }
  });

  test("costs 76 bytes of header, 16 per chunk, and its label", () => {
    expect(ring.seal(patterned(100), "ab").length).toBe(header + 2 + 2 + 100 + 16);
    expect(ring.seal(patterned(chunk), "ab").length).toBe(header + 2 + 2 + chunk + 2 * 16);
  });

  test("has memory of its own when it is large", () => {
    const sealed = ring.seal(patterned(20_000), "x");
    expect(sealed.buffer.byteLength).toBe(sealed.byteLength);
  });

  test("that is small is not touched by those sealed after it, though they share their memory", () => {
    const sealed = Array.from({ length: 300 }, (_, index) => ring.seal(patterned(index * 13), `label ${index}`));
    const opened = sealed.map((each) => ring.open(each));
    expect(opened.map(({ label }) => label)).toEqual(sealed.map((_, index) => `label ${index}`));
    for (const [index, { plain }] of opened.entries()) expect(Buffer.from(plain)).toEqual(patterned(index * 13));
  });

  test("with a label of more than 1,024 bytes is refused", () => {
    expect(() => ring.seal(patterned(1), "é".repeat(513))).toThrow(RangeError);
    expect(() => ring.sealStream("x".repeat(1_025))).toThrow(RangeError);
    expect(ring.open(ring.seal(patterned(1), "x".repeat(1_024))).label).toHaveLength(1_024);
  });
});

describe("sealing as a stream", () => {
  test.each(edges)("gives what opening in one piece reads, at %i bytes", async (length) => {
    const plain = patterned(length);
    const sealed = await through(ring.sealStream("file"), cut(plain, [10_000, 1, 70_000]));
    const opened = ring.open(sealed);
    expect(opened.label).toBe("file");
    expect(Buffer.compare(opened.plain, plain)).toBe(0);
  });

  test.each(edges)("reads what sealing in one piece gives, at %i bytes", async (length) => {
    const plain = patterned(length);
    const opened = await openedByStream(ring.seal(plain, "file"), [1, 75, 65_552, 100_000]);
    expect(Buffer.compare(opened, plain)).toBe(0);
  });

  test("goes round for any size and any cutting on both sides", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1, maxLength: 5 });
    const length = fc.oneof(fc.constantFrom(...edges), fc.integer({ min: 0, max: 150_000 }));
    await fc.assert(
      fc.asyncProperty(length, sizes, sizes, async (bytes, writing, reading) => {
        const plain = patterned(bytes);
        const sealed = await through(ring.sealStream("x"), cut(plain, [...writing, 1_000]));
        expect(Buffer.compare(await openedByStream(sealed, [...reading, 1_000]), plain)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test("takes empty writes as nothing", async () => {
    const nothing = new Uint8Array(0);
    const sealed = await through(ring.sealStream("x"), [nothing, Buffer.from("a"), nothing]);
    expect(Buffer.from(ring.open(sealed).plain).toString()).toBe("a");
  });

  test("asks for no more than it can give on: a writer waits while nobody reads", async () => {
    const stream = ring.sealStream("x");
    const writer = stream.writable.getWriter();
    const reader = stream.readable.getReader();
    await reader.read(); // the header
    let taken = 0;
    const writing = (async () => {
      for (; taken < 100; taken += 1) await writer.write(patterned(chunk));
      await writer.close();
    })();
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toBeLessThan(4);
    let bytes = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) bytes += part.value.length;
    await writing;
    expect(bytes).toBe(100 * chunk + 2 + 1 + 101 * 16);
  });
});

describe("damage", () => {
  const plain = patterned(2 * chunk + 500);
  const long = Buffer.from(ring.seal(plain, "long"));
  const short = Buffer.from(ring.seal(patterned(300), "short"));

  async function isRefused(damaged: Uint8Array): Promise<void> {
    expect(refusal(() => ring.open(damaged))).toBeInstanceOf(SealBroken);
    await expect(openedByStream(damaged, [50_000])).rejects.toBeInstanceOf(SealBroken);
  }

  test("of any single bit of a short value is refused", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: short.length - 1 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const damaged = Buffer.from(short);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
        expect(refusal(() => ring.open(damaged))).toBeInstanceOf(SealBroken);
      }),
      { numRuns: 500 },
    );
  });

  test("of every byte of the header is refused", async () => {
    for (let at = 0; at < header; at += 1) {
      const damaged = Buffer.from(short);
      damaged[at] = (damaged[at] ?? 0) ^ 0xff;
      await isRefused(damaged);
    }
  });

  test("anywhere in a long value is refused", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: long.length - 1 }), async (at) => {
        const damaged = Buffer.from(long);
        damaged[at] = (damaged[at] ?? 0) ^ 0x40;
        await isRefused(damaged);
      }),
      { numRuns: 60 },
    );
  });

  test("by cutting is refused at every length, the ends of whole chunks among them", async () => {
    for (let length = 0; length < short.length; length += 1) {
      expect(refusal(() => ring.open(short.subarray(0, length)))).toBeInstanceOf(SealBroken);
    }
    const ends = [header, header + sealedChunk, header + 2 * sealedChunk].flatMap((end) => [
      end - 1,
      end,
      end + 1,
      end + 16,
    ]);
    for (const end of ends) await isRefused(long.subarray(0, end));
  });

  test("by appending is refused, a repeated chunk among it", async () => {
    const lastChunk = long.subarray(header + 2 * sealedChunk);
    for (const tail of [Buffer.alloc(1), Buffer.alloc(16), Buffer.alloc(17), lastChunk, long]) {
      await isRefused(Buffer.concat([long, tail]));
      await isRefused(Buffer.concat([short, tail]));
    }
  });

  test("by changing the order of chunks, leaving one out or taking one from another value is refused", async () => {
    const other = Buffer.from(ring.seal(plain, "long"));
    const part = (of: Buffer, index: number) =>
      of.subarray(header + index * sealedChunk, Math.min(of.length, header + (index + 1) * sealedChunk));
    const head = long.subarray(0, header);
    await isRefused(Buffer.concat([head, part(long, 1), part(long, 0), part(long, 2)]));
    await isRefused(Buffer.concat([head, part(long, 1), part(long, 2)]));
    await isRefused(Buffer.concat([head, part(long, 0), part(other, 1), part(long, 2)]));
    await isRefused(Buffer.concat([other.subarray(0, header), long.subarray(header)]));
  });

  test("at the end is seen by a stream that has given out the chunks before it", async () => {
    const damaged = Buffer.from(long);
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    const given: Uint8Array[] = [];
    const reading = (async () => {
      const stream = ReadableStream.from(cut(damaged, [30_000])).pipeThrough(ring.openStream());
      for await (const part of stream) given.push(part);
    })();
    await expect(reading).rejects.toThrow(/changed, cut off or continued/);
    expect(plain.subarray(0, Buffer.concat(given).length).equals(Buffer.concat(given))).toBe(true);
  });

  test("that is no sealed value at all is named as such", async () => {
    await isRefused(Buffer.from("Return-Path: <>\r\n".repeat(10)));
    expect(() => ring.open(Buffer.alloc(500))).toThrow(/not sealed by Mailwright/);
    await expect(collected(ReadableStream.from([]).pipeThrough(ring.openStream()))).rejects.toBeInstanceOf(SealBroken);
  });
});

describe("the key ring", () => {
  const older = "0f".repeat(32);

  test("takes a key as bytes, hex in either case, base64 in either alphabet, with blanks around it", () => {
    const bytes = Buffer.from(Array.from({ length: 32 }, (_, at) => 251 - at * 5));
    const forms = [bytes, bytes.toString("hex"), bytes.toString("hex").toUpperCase(), bytes.toString("base64")];
    const more = [bytes.toString("base64url"), `  ${bytes.toString("base64")}\n`, new Uint8Array(bytes)];
    const ids = [...forms, ...more].map((form) => openKeyRing({ key: form }).keyId);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^[0-9a-f]{16}$/);
  });

  test.each([
    ["short hex", "ab".repeat(31)],
    ["a passphrase", "correct horse battery staple"],
    ["nothing", ""],
    ["long hex", "ab".repeat(33)],
  ])("refuses %s and does not show it", (_, bad) => {
    const error = refusal(() => openKeyRing({ key: bad }));
    expect(error).toMatchObject({ name: "KeyRefused" });
    expect(String(error)).toContain("openssl rand -hex 32");
    if (bad !== "") expect(String(error)).not.toContain(bad);
  });

  test("names the key that is needed when it is not at hand", async () => {
    const sealed = openKeyRing({ key: older }).seal(patterned(5), "x");
    const named = openKeyRing({ key: older }).keyId;
    expect(() => ring.open(sealed)).toThrow(SealBroken);
    expect(() => ring.open(sealed)).toThrow(`sealed with the master key ${named}`);
    await expect(openedByStream(sealed, [10])).rejects.toThrow(named);
  });

  test("opens with previous keys what they sealed, and seals with the new one only", () => {
    const both = openKeyRing({ key, previous: [older] });
    expect(Buffer.from(both.open(openKeyRing({ key: older }).seal(Buffer.from("old"), "x")).plain).toString()).toBe(
      "old",
    );
    expect(both.keyId).toBe(ring.keyId);
    expect(both.keyIds).toEqual([ring.keyId, openKeyRing({ key: older }).keyId]);
    expect(Buffer.from(ring.open(both.seal(Buffer.from("new"), "x")).plain).toString()).toBe("new");
  });

  test("listing the current key among the previous ones changes nothing", () => {
    const both = openKeyRing({ key, previous: [key, older] });
    expect(both.keyIds).toHaveLength(2);
    expect(both.open(both.seal(patterned(1), "x")).label).toBe("x");
  });
});
