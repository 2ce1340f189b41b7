/** What every store has to do, wherever it keeps things: imported by the test of each. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { SealBroken } from "../../src/blobs/index.ts";
import type { Store } from "../../src/model/blob.ts";
import { collected, cut, patterned } from "./streams.ts";

/** What lies in the store's place, as its owner sees it and may change it. */
export interface Place {
  readonly store: Store;
  /** By the name that it has there, without the store's prefix. */
  peek(key: string): Promise<Buffer | undefined>;
  poke(key: string, bytes: Uint8Array): Promise<void>;
}

const chunk = 64 * 1024;
const pieces = (bytes: Uint8Array, size = 10_000) => ReadableStream.from(cut(bytes, [size]));
const key = "attachment/acme/ab/ab12";

/** `open` gives an empty store that seals; what it holds is thrown away when the test ends. */
export function storeContract(name: string, open: () => Promise<Place>): void {
  async function read(store: Store, ref: string, range?: { start: number; end: number }): Promise<Buffer | undefined> {
    const found = await store.open(ref, range);
    return found === undefined ? undefined : await collected(found.plain);
  }

  async function holding(bytes: Uint8Array): Promise<Place & { ref: string }> {
    const place = await open();
    const { ref } = await place.store.put(key, pieces(bytes));
    return { ...place, ref };
  }

  describe(`${name} as a store`, () => {
    // One byte around the borders of a chunk, which holds the label too.
    const lengths = [0, 1, chunk - 30, chunk - 29, chunk - 28, chunk, 3 * chunk - 29, 1_000_000];
    test.each(lengths)("gives back %i bytes as they were put, and says how many", async (length) => {
      const place = await open();
      const bytes = patterned(length);
      const { ref, bytes: counted } = await place.store.put(key, pieces(bytes));
      expect(counted).toBe(length);
      const found = await place.store.open(ref);
      expect(found?.size).toBe(length);
      expect((await collected(found?.plain ?? pieces(Buffer.from("nothing")))).equals(bytes)).toBe(true);
    });

    test("keeps nothing that its owner could read", async () => {
      const { peek } = await holding(Buffer.from("the offer is 12,000 euros".repeat(100)));
      const there = await peek(key);
      expect(there?.includes("euros")).toBe(false);
      expect(there?.subarray(0, 6).toString()).toBe("MWSEAL");
    });

    test("gives the same range of bytes as a slice does, wherever it begins and ends", async () => {
      const bytes = patterned(3 * chunk + 5_000);
      const { store, ref } = await holding(bytes);
      const marks = [0, 1, chunk - 31, chunk - 29, chunk - 28, chunk, 2 * chunk - 29, 2 * chunk, 3 * chunk - 28];
      const ends = [...marks, bytes.length - 1];
      for (const start of [...marks, bytes.length - 1]) {
        for (const end of ends.filter((each) => each >= start)) {
          const found = await read(store, ref, { start, end });
          expect([start, end, found?.equals(bytes.subarray(start, end + 1))]).toEqual([start, end, true]);
        }
      }
    });

    test("cuts a range at the end, says the whole size with it, and refuses one that begins behind", async () => {
      const bytes = patterned(100);
      const { store, ref } = await holding(bytes);
      const found = await store.open(ref, { start: 90, end: 5_000 });
      expect(found?.size).toBe(100);
      expect((await collected(found?.plain ?? pieces(bytes))).equals(bytes.subarray(90))).toBe(true);
      for (const range of [
        { start: 100, end: 200 },
        { start: 5, end: 4 },
        { start: -1, end: 4 },
        { start: Number.NaN, end: 4 },
      ])
        await expect(store.open(ref, range)).rejects.toBeInstanceOf(RangeError);
    });

    test("knows nothing of what was never put, or was deleted", async () => {
      const { store, ref } = await holding(Buffer.from("some"));
      const other = ref.replace("ab12", "ab13");
      expect(await store.open(other)).toBeUndefined();
      expect(await store.open(other, { start: 0, end: 1 })).toBeUndefined();
      expect(await store.delete(other)).toBe(false);
      expect(await store.delete(ref)).toBe(true);
      expect(await store.delete(ref)).toBe(false);
      expect(await store.open(ref)).toBeUndefined();
    });

    test("puts the same content again without harm to who reads it meanwhile", async () => {
      const bytes = patterned(300_000);
      const { store, ref } = await holding(bytes);
      const reading = await store.open(ref);
      expect((await store.put(key, pieces(bytes))).ref).toBe(ref);
      expect((await collected(reading?.plain ?? pieces(bytes))).equals(bytes)).toBe(true);
      expect((await read(store, ref))?.equals(bytes)).toBe(true);
    });

    test("has nothing of a put whose source fails, and still has what was there before", async () => {
      const { store, ref } = await holding(Buffer.from("before"));
      const died = new Error("the child died");
      async function* failing(length: number): AsyncGenerator<Uint8Array> {
        yield* cut(patterned(length), [100_000]);
        throw died;
      }
      for (const length of [10, 9_000_000]) {
        await expect(store.put(key, failing(length))).rejects.toBe(died);
        await expect(store.put("attachment/acme/cd/cd34", failing(length))).rejects.toBe(died);
      }
      expect(String(await read(store, ref))).toBe("before");
      const keys: string[] = [];
      for await (const each of store.list("attachment/")) keys.push(each.key);
      expect(keys).toEqual([key]);
    });

    test("takes more than fits one part", { timeout: 60_000 }, async () => {
      const place = await open();
      const bytes = patterned(20_000_000);
      const { ref } = await place.store.put(key, pieces(bytes, 300_000));
      const found = await read(place.store, ref);
      expect(
        createHash("sha256")
          .update(found ?? "")
          .digest("hex"),
      ).toBe(createHash("sha256").update(bytes).digest("hex"));
      const middle = { start: 8_388_600, end: 8_388_700 };
      expect((await read(place.store, ref, middle))?.equals(bytes.subarray(middle.start, middle.end + 1))).toBe(true);
    });

    test("lists by prefix, with references that open", async () => {
      const { store } = await open();
      for (const each of ["attachment/acme/ab/1", "attachment/acme/ac/2", "preview/acme/3"])
        await store.put(each, pieces(Buffer.from(each)));
      const found: string[] = [];
      for await (const { key: listed, ref, bytes, at } of store.list("attachment/acme/a")) {
        expect(String(await read(store, ref))).toBe(listed);
        expect(bytes).toBeGreaterThan(listed.length);
        expect(Math.abs(Date.now() - at)).toBeLessThan(600_000);
        found.push(listed);
      }
      expect(found.sort()).toEqual(["attachment/acme/ab/1", "attachment/acme/ac/2"]);
    });

    test("lets go of what it reads when nobody wants the rest", async () => {
      const { store, ref } = await holding(patterned(2_000_000));
      for (const range of [undefined, { start: 10, end: 1_500_000 }]) {
        const untouched = await store.open(ref, range);
        await untouched?.plain.cancel();
        const begun = (await store.open(ref, range))?.plain.getReader();
        await begun?.read();
        await begun?.cancel();
      }
      expect((await read(store, ref))?.length).toBe(2_000_000);
    });

    const hostile = [
      "",
      "/",
      "/etc/passwd",
      "../x",
      "a/../../b",
      "a//b",
      "a/.",
      "a\\b",
      "a\0b",
      "a b",
      "ä",
      "a/".repeat(300),
      "a.plain",
    ];
    test.each(hostile)("refuses %j as a key, and as a reference what is none", async (bad) => {
      const { store } = await open();
      await expect(store.put(bad, pieces(Buffer.from("x")))).rejects.toBeInstanceOf(RangeError);
      if (bad.endsWith(".plain")) return;
      for (const ref of [bad, `s3:else/${bad}`]) {
        await expect(store.open(ref)).rejects.toBeInstanceOf(RangeError);
        await expect(store.delete(ref)).rejects.toBeInstanceOf(RangeError);
      }
    });

    test("says of a store that is not configured any more that it has to be put back", async () => {
      const { store } = await open();
      const sentence =
        /the store s3:else, which is not in the configuration any more: put it back under former_storage/;
      await expect(store.open(`s3:else/${key}`)).rejects.toThrow(sentence);
    });

    describe("whose owner is not to be trusted", () => {
      const bytes = patterned(2 * chunk + 1_000);
      const whole = { start: 0, end: bytes.length - 1 };
      const last = { start: bytes.length - 10, end: bytes.length - 1 };
      const header = 76;
      const sealedChunk = chunk + 16;

      const harms: readonly [string, (sealed: Buffer) => Uint8Array][] = [
        [
          "changed in its last byte",
          (sealed) => Buffer.concat([sealed.subarray(0, -1), Buffer.from([(sealed.at(-1) ?? 0) ^ 1])]),
        ],
        ["cut at the end of a chunk", (sealed) => sealed.subarray(0, header + 2 * sealedChunk)],
        ["cut at the end of its first chunk", (sealed) => sealed.subarray(0, header + sealedChunk)],
        ["cut by a byte", (sealed) => sealed.subarray(0, -1)],
        ["continued", (sealed) => Buffer.concat([sealed, Buffer.alloc(100)])],
        [
          "continued by its own last chunk",
          (sealed) => Buffer.concat([sealed, sealed.subarray(header + 2 * sealedChunk)]),
        ],
        ["emptied", () => Buffer.alloc(0)],
        ["cut within its header", (sealed) => sealed.subarray(0, 40)],
        ["replaced by plain bytes", () => bytes],
      ];
      test.each(harms)("rejects an object that was %s, whole and at its end", async (_harm, harm) => {
        const { store, ref, peek, poke } = await holding(bytes);
        await poke(key, harm((await peek(key)) ?? Buffer.alloc(0)));
        for (const range of [undefined, whole, last]) {
          await expect(read(store, ref, range)).rejects.toBeInstanceOf(SealBroken);
        }
      });

      test("rejects an object that was put in the place of another, though it was sealed here", async () => {
        const { store, ref, peek, poke } = await holding(bytes);
        const { ref: other } = await store.put("attachment/acme/cd/cd34", pieces(Buffer.from("pay to this account")));
        await poke(key, (await peek("attachment/acme/cd/cd34")) ?? Buffer.alloc(0));
        for (const range of [undefined, { start: 0, end: 5 }])
          await expect(read(store, ref, range)).rejects.toThrow("put under another name");
        expect(String(await read(store, other))).toBe("pay to this account");
      });
    });
  });
}
