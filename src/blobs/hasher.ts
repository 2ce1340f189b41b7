/** Keyed hashes under the master key, for what is compared and must not be read: addresses and subjects in the ledger. */
import { createHmac, createSecretKey, hkdfSync } from "node:crypto";
import type { Hasher } from "../model/ports.ts";
import { KeyRefused, keyFromText } from "./seal.ts";
import { keyBytes } from "./seal-format.ts";

/** 120 bits: no two of a billion meet by chance, and without the key nobody can make them meet. */
const hashBytes = 15;

/** Twice as many are remembered at most, some MiB. */
const mostRemembered = 4_096;
/** Longer values are a sender's doing, and seldom come again. */
const mostRememberedChars = 200;

/** A key of its own, so that no hash says anything about what is sealed. Throws KeyRefused for what is no master key. */
export function openHasher(master: string | Uint8Array): Hasher {
  const given = typeof master === "string" ? keyFromText(master) : master;
  if (given === undefined || given.length !== keyBytes) throw new KeyRefused("the master key must be 32 bytes");
  // As a KeyObject: made of bytes again for each hash, it took 16 µs a hash, and takes 4.
  const key = createSecretKey(Buffer.from(hkdfSync("sha256", given, new Uint8Array(0), "mailwright thread facts", 32)));
  const hashed = (value: string): string =>
    createHmac("sha256", key).update(value).digest().subarray(0, hashBytes).toString("base64url");
  // A mail has some two dozen of them, of people, domains and words that were in the mails before it.
  let young = new Map<string, string>();
  let old = new Map<string, string>();
  return {
    hash(kind, text) {
      const value = `${kind}\0${text}`;
      if (value.length > mostRememberedChars) return hashed(value);
      let hash = young.get(value);
      if (hash !== undefined) return hash;
      hash = old.get(value) ?? hashed(value);
      if (young.size >= mostRemembered) [old, young] = [young, new Map()];
      young.set(value, hash);
      return hash;
    },
  };
}
