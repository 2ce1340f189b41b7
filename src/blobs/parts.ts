/** Cuts a stream of unknown length into parts of one size, through one buffer: what an upload holds in memory. */

export interface Part {
  /** Good until the next part is asked for. */
  readonly bytes: Buffer;
  readonly last: boolean;
}

const firstBytes = 64 * 1024;

/** At least one part, an empty one where nothing comes. A part is known not to be the last only when more has come. */
export async function* parts(bytes: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<Part> {
  let buffer = Buffer.allocUnsafeSlow(Math.min(firstBytes, partBytes));
  let filled = 0;
  for await (const piece of bytes) {
    for (let at = 0; at < piece.length; ) {
      if (filled === partBytes) {
        yield { bytes: buffer, last: false };
        filled = 0;
      }
      const taken = piece.subarray(at, at + partBytes - filled);
      if (filled + taken.length > buffer.length) buffer = grown(buffer, filled, filled + taken.length, partBytes);
      buffer.set(taken, filled);
      filled += taken.length;
      at += taken.length;
    }
  }
  yield { bytes: buffer.subarray(0, filled), last: true };
}

/** Most of what is put is small, and need not cost a whole part. */
function grown(buffer: Buffer<ArrayBuffer>, filled: number, needed: number, most: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(Math.min(most, Math.max(needed, buffer.length * 2)));
  buffer.copy(larger, 0, 0, filled);
  return larger;
}
