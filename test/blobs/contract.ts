/** What every blob store has to do, whatever it stores in: imported by the test of each. */
import { describe, expect, test } from "vitest";
import type { Blobs } from "../../src/model/blob.ts";
import { collected, cut, patterned } from "./streams.ts";

/** `open` gives an empty store; what it holds is thrown away when the test ends. */
export function blobsContract(name: string, open: () => Promise<Blobs>): void {
  const pieces = (bytes: Uint8Array, size = 10_000) => ReadableStream.from(cut(bytes, [size]));

  async function stored(blobs: Blobs, key: string): Promise<Buffer | undefined> {
    const found = await blobs.get(key);
    return found === undefined ? undefined : await collected(found);
  }

  async function keysOf(blobs: Blobs, prefix: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of blobs.list(prefix)) keys.push(key);
    return keys.sort();
  }

  async function holding(...keys: string[]): Promise<Blobs> {
    const blobs = await open();
    for (const key of keys) await blobs.put(key, pieces(Buffer.from(key)));
    return blobs;
  }

  describe(`${name} as a blob store`, () => {
    test.each([0, 1, 65_536, 300_000])("gives back %i bytes as they were put, and counts them", async (length) => {
      const blobs = await open();
      const bytes = patterned(length);
      expect(await blobs.put("raw/ab/cd/one", pieces(bytes))).toEqual({ bytes: length });
      expect((await stored(blobs, "raw/ab/cd/one"))?.equals(bytes)).toBe(true);
    });

    test("knows nothing of a key that was never put", async () => {
      const blobs = await holding("raw/ab/cd/one");
      for (const key of ["raw/ab/cd/two", "raw/ab/cd", "raw", "raw/ab/cd/one/below", "else"]) {
        expect(await blobs.get(key)).toBeUndefined();
        expect(await blobs.delete(key)).toBe(false);
      }
      expect(await stored(blobs, "raw/ab/cd/one")).toBeDefined();
    });

    test("replaces a key whole when it is put again", async () => {
      const blobs = await open();
      await blobs.put("raw/one", pieces(patterned(100_000)));
      await blobs.put("raw/one", pieces(Buffer.from("short")));
      expect((await stored(blobs, "raw/one"))?.toString()).toBe("short");
      expect(await keysOf(blobs, "")).toEqual(["raw/one"]);
    });

    test("keeps the old bytes, and nothing else, when a put breaks off in the middle", async () => {
      const blobs = await holding("raw/one");
      async function* breaking(): AsyncIterable<Uint8Array> {
        yield patterned(70_000);
        throw new Error("the source broke");
      }
      await expect(blobs.put("raw/one", breaking())).rejects.toThrow("the source broke");
      await expect(blobs.put("raw/two", breaking())).rejects.toThrow("the source broke");
      expect((await stored(blobs, "raw/one"))?.toString()).toBe("raw/one");
      expect(await keysOf(blobs, "")).toEqual(["raw/one"]);
    });

    test("still gives the old bytes to a reader who began before they were replaced", async () => {
      const blobs = await open();
      const old = patterned(400_000);
      await blobs.put("raw/one", pieces(old));
      const reading = await blobs.get("raw/one");
      await blobs.put("raw/one", pieces(Buffer.from("new")));
      if (reading === undefined) throw new Error("nothing to read");
      expect((await collected(reading)).equals(old)).toBe(true);
    });

    test("says once that something was deleted", async () => {
      const blobs = await holding("raw/one", "raw/two");
      expect(await blobs.delete("raw/one")).toBe(true);
      expect(await blobs.delete("raw/one")).toBe(false);
      expect(await blobs.get("raw/one")).toBeUndefined();
      expect(await keysOf(blobs, "")).toEqual(["raw/two"]);
    });

    test("lists by prefix of the key, whole segments or not", async () => {
      const blobs = await holding("raw/ab/cd/1", "raw/ab/ce/2", "raw/b/3", "raw-old/4", "events/5");
      expect(await keysOf(blobs, "")).toEqual(["events/5", "raw-old/4", "raw/ab/cd/1", "raw/ab/ce/2", "raw/b/3"]);
      expect(await keysOf(blobs, "raw/")).toEqual(["raw/ab/cd/1", "raw/ab/ce/2", "raw/b/3"]);
      expect(await keysOf(blobs, "raw")).toEqual(["raw-old/4", "raw/ab/cd/1", "raw/ab/ce/2", "raw/b/3"]);
      expect(await keysOf(blobs, "raw/ab/c")).toEqual(["raw/ab/cd/1", "raw/ab/ce/2"]);
      expect(await keysOf(blobs, "raw/ab/cd/1")).toEqual(["raw/ab/cd/1"]);
      expect(await keysOf(blobs, "nothing/")).toEqual([]);
    });

    test("lists sizes and times", async () => {
      const blobs = await open();
      await blobs.put("raw/one", pieces(patterned(1_234)));
      for await (const { bytes, at } of blobs.list("raw/")) {
        expect(bytes).toBe(1_234);
        expect(Math.abs(Date.now() - at)).toBeLessThan(600_000);
      }
    });

    const outside = [
      "",
      "/",
      "/raw",
      "raw/",
      "../raw",
      "raw/../../etc",
      "raw//one",
      "./raw",
      "raw/.",
      ".drafts/x",
      "raw/.x",
      "a\\b",
    ];
    const hostile = [...outside, "raw/\0", "raw/one\n", "räw", "raw/%2e%2e/x y", "a".repeat(201), "a/".repeat(300)];
    test.each(hostile)("refuses %j as a key", async (key) => {
      const blobs = await open();
      await expect(blobs.put(key, pieces(Buffer.from("x")))).rejects.toBeInstanceOf(RangeError);
      await expect(blobs.get(key)).rejects.toBeInstanceOf(RangeError);
      await expect(blobs.delete(key)).rejects.toBeInstanceOf(RangeError);
    });

    test.each(["../", "/", "raw/../", "raw//", ".", "raw/./"])("refuses %j as a prefix", async (prefix) => {
      const blobs = await open();
      await expect(keysOf(blobs, prefix)).rejects.toBeInstanceOf(RangeError);
    });
  });
}
