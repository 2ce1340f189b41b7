/** The keyed hash of what is compared and not read. */
import { createHmac, hkdfSync } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyRefused, openHasher } from "../../src/blobs/index.ts";

const master = Buffer.alloc(32, 7);
const key = Buffer.from(hkdfSync("sha256", master, new Uint8Array(0), "mailwright thread facts", 32));

test("is the first 120 bits of an HMAC-SHA-256, of texts of every length", () => {
  const { hash } = openHasher(master);
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 80 }),
    fc.nat(3_000).map((length) => "ü".repeat(length)),
  );
  fc.assert(
    fc.property(fc.constantFrom("address", "word"), text, (kind, of) => {
      const whole = createHmac("sha256", key).update(`${kind}\0${of}`).digest();
      expect(hash(kind, of)).toBe(whole.subarray(0, 15).toString("base64url"));
    }),
  );
});

test("a short text after a long one is hashed as itself", () => {
  const { hash } = openHasher(master);
  const before = hash("word", "a");
  hash("word", "x".repeat(1_000));
  hash("word", "x".repeat(5_000));
  expect(hash("word", "a")).toBe(before);
});

test("a hash is the same whether it is remembered, forgotten or new", () => {
  const { hash } = openHasher(master);
  const all = (): string[] => Array.from({ length: 10_000 }, (_, at) => hash("word", `word ${at}`));
  const first = all();
  expect(new Set(first).size).toBe(first.length);
  expect(all()).toEqual(first);
});

test("what is no master key is refused", () => {
  for (const none of ["", "short", new Uint8Array(31)]) expect(() => openHasher(none)).toThrow(KeyRefused);
});
