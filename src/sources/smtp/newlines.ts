/** NEWLINES: watches the line ends of a message passing by: over-long lines always, bare CR and LF where they are refused. */
import { type Reply, replies } from "./reply.ts";

/** RFC 5321 §4.5.3.1.6 says 998; real mail goes beyond and is kept as it is. This bounds what later readers must hold. */
export const maxLineBytes = 1024 * 1024;

const CR = 0x0d;
const LF = 0x0a;

export class NewlineScan {
  readonly #refuseBare: boolean;
  #lineBytes = 0;
  #last = LF;

  constructor(refuseBare: boolean) {
    this.#refuseBare = refuseBare;
  }

  /** What is wrong with this chunk, in the light of those before it. */
  feed(chunk: Uint8Array): Reply | undefined {
    if (chunk.length === 0) return undefined;
    if (this.#refuseBare && this.#hasBare(chunk)) return replies.bareNewlineData;
    return this.#grow(chunk) > maxLineBytes ? replies.lineOverLimit : undefined;
  }

  /**
   * The longest line that this chunk ends or goes on with. Lines that begin and end inside the chunk are not looked at: chunks
   * come from a socket, 64 KiB at most, so two searches do instead of one per line.
   */
  #grow(chunk: Uint8Array): number {
    const first = chunk.indexOf(LF);
    if (first < 0) {
      this.#lineBytes += chunk.length;
      return this.#lineBytes;
    }
    const ended = this.#lineBytes + first;
    this.#lineBytes = chunk.length - 1 - chunk.lastIndexOf(LF);
    return Math.max(ended, this.#lineBytes);
  }

  #hasBare(chunk: Uint8Array): boolean {
    let last = this.#last;
    for (const byte of chunk) {
      if ((byte === LF) !== (last === CR) && (byte === LF || last === CR)) return true;
      last = byte;
    }
    this.#last = last;
    return false;
  }
}
