/** What a look into one file may cost, whatever the file says of itself: bytes unpacked, entries, levels. */

/** A container is held whole for this long; a message of the default largest size has no larger one. */
export const maxHeldBytes = 64 * 1024 * 1024;
/** Archives within archives, the outermost counted. */
export const maxDepth = 3;
export const maxEntries = 10_000;
/** Unpacked, of everything inside. */
export const maxUnpackedBytes = 500 * 1000 * 1000;
export const maxRatio = 100;
/** No scanner is set to pass over less. */
const notedFromBytes = 1024 * 1024;
/** Below, a high ratio is nothing but an empty form. */
export const ratioFromBytes = 4 * 1024 * 1024;

/** One for each file of a message; counts down over all levels. */
export class Budget {
  #unpacked = 0;
  #entries = 0;
  #largest = 0;
  #deepest = 0;

  /** False when it is more than may be. */
  entries(count: number): boolean {
    this.#entries += count;
    return this.#entries <= maxEntries;
  }

  unpacks(bytes: number): boolean {
    this.#unpacked += bytes;
    this.#largest = Math.max(this.#largest, bytes);
    return this.#unpacked <= maxUnpackedBytes;
  }

  deeper(depth: number): boolean {
    this.#deepest = Math.max(this.#deepest, depth);
    return depth <= maxDepth;
  }

  /** With the file itself, for the comparison with what a scanner looks at (judge.ts); undefined for a small one that holds nothing. */
  unpacked(size: number): string | undefined {
    if (this.#entries === 0 && this.#deepest === 0 && size < notedFromBytes) return undefined;
    const largest = Math.max(this.#largest, size);
    return `entries=${this.#entries} bytes=${this.#unpacked + size} largest=${largest} depth=${this.#deepest}`;
  }
}
