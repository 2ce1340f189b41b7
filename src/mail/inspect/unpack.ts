/** Unpacks deflated bytes (RFC 1951, RFC 1952) up to a limit, whatever they say of their size. */
import { constants, createGunzip, inflateRawSync, inflateSync } from "node:zlib";

export type Unpacked = { readonly bytes: Buffer } | { readonly failed: "damaged" | "too_large" };

/** `size` is what the list says; one byte more is a lie that is told here. */
export function inflateWhole(packed: Buffer, size: number): Unpacked {
  try {
    return { bytes: inflateRawSync(packed, { maxOutputLength: Math.max(1, size) }) };
  } catch (error) {
    return { failed: (error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE" ? "too_large" : "damaged" };
  }
}

/** As far as it goes, for a stream in a document whose end is not certain; undefined where it is none. */
export function inflateSome(packed: Buffer, most: number): Buffer | undefined {
  try {
    return inflateSync(packed, { maxOutputLength: most, finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return undefined;
  }
}

/** Counts all of it, keeps the first `keep` bytes and stops at `most`. */
export async function gunzip(
  packed: Buffer,
  keep: number,
  most: number,
): Promise<{ readonly kept: Buffer; readonly size: number; readonly whole: boolean }> {
  const kept: Buffer[] = [];
  let size = 0;
  const stream = createGunzip();
  stream.end(packed);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (size < keep) kept.push(chunk.subarray(0, keep - size));
      size += chunk.length;
      if (size > most) break;
    }
  } catch {
    return { kept: Buffer.concat(kept), size, whole: false };
  }
  return { kept: Buffer.concat(kept), size, whole: size <= most };
}
