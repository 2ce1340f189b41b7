/** Keys for single purposes, derived from the master key: what one of them makes says nothing about the others, or about what is sealed. */
import { hkdfSync } from "node:crypto";
import { KeyRefused, keyFromText } from "./seal.ts";
import { keyBytes } from "./seal-format.ts";

/** RFC 5869. 32 bytes; the same for the same master key and purpose. Throws KeyRefused for what is no master key. */
export function derivedKey(master: string | Uint8Array, purpose: string): Uint8Array {
  const given = typeof master === "string" ? keyFromText(master) : master;
  if (given === undefined || given.length !== keyBytes) throw new KeyRefused("the master key must be 32 bytes");
  return Buffer.from(hkdfSync("sha256", given, new Uint8Array(0), `mailwright ${purpose}`, keyBytes));
}
