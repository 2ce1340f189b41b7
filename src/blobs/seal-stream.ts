/** Sealing and opening as streams: one chunk in memory, however long the file is. */
import type { KeyObject } from "node:crypto";
import {
  chunkBytes,
  chunkCipher,
  frameLabel,
  headerBytes,
  openChunk,
  SealBroken,
  sealedChunkBytes,
  unframeLabel,
} from "./seal-format.ts";

type Emit = (bytes: Uint8Array) => void;

/** Cuts a stream into blocks of one size. A full block is held until more comes, since only then it is known not to be the last. */
class Blocks {
  readonly #block: Buffer;
  #filled = 0;

  constructor(size: number) {
    this.#block = Buffer.allocUnsafeSlow(size);
  }

  push(bytes: Uint8Array, full: Emit): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#filled === this.#block.length) {
        full(this.#block);
        this.#filled = 0;
      }
      const taken = bytes.subarray(at, at + this.#block.length - this.#filled);
      this.#block.set(taken, this.#filled);
      this.#filled += taken.length;
      at += taken.length;
    }
  }

  /** What is left at the end. */
  last(): Buffer {
    return this.#block.subarray(0, this.#filled);
  }
}

/** Seals as the plain bytes come. What is emitted belongs to whom it is emitted to. */
export interface Sealing {
  /** Comes first. */
  readonly header: Uint8Array;
  push(plain: Uint8Array, emit: Emit): void;
  /** Once, after the last byte. */
  end(emit: Emit): void;
}

/** Throws RangeError for a label that is too long. */
export function sealing(wrapNew: () => { header: Buffer; key: KeyObject }, label: string): Sealing {
  const framed = frameLabel(label);
  const { header, key } = wrapNew();
  const blocks = new Blocks(chunkBytes);
  let index = 0;
  const seal = (plain: Uint8Array, last: boolean, emit: Emit): void => {
    const cipher = chunkCipher(key, index, last);
    index += 1;
    emit(cipher.update(plain));
    cipher.final();
    emit(cipher.getAuthTag());
  };
  // A label is far shorter than a block: nothing comes out here.
  blocks.push(framed, () => undefined);
  return {
    header,
    push: (plain, emit) => blocks.push(plain, (block) => seal(block, false, emit)),
    end: (emit) => seal(blocks.last(), true, emit),
  };
}

/** The same as a stream. */
export function sealingStream({ header, push, end }: Sealing): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream<Uint8Array, Uint8Array>({
    start: (out) => out.enqueue(header),
    transform: (bytes, out) => push(bytes, (sealed) => out.enqueue(sealed)),
    flush: (out) => end((sealed) => out.enqueue(sealed)),
  });
}

/** Errors with SealBroken; what came out before is authentic, but not yet known to be the whole. */
export function openingStream(openHeader: (header: Uint8Array) => KeyObject): TransformStream<Uint8Array, Uint8Array> {
  const head = Buffer.allocUnsafeSlow(headerBytes);
  let headFilled = 0;
  let key: KeyObject | undefined;
  const blocks = new Blocks(sealedChunkBytes);
  let index = 0;

  function open(sealed: Uint8Array, last: boolean, emit: Emit): void {
    if (key === undefined) throw new SealBroken("the sealed bytes end within their header: they were cut off");
    const plain = openChunk(key, index, last, sealed);
    const content = index === 0 ? unframeLabel(plain).content : plain;
    index += 1;
    if (content.length > 0) emit(content);
  }

  /** Takes what the header still lacks and returns the rest. */
  function takeHeader(bytes: Uint8Array): Uint8Array {
    if (key !== undefined) return bytes;
    const taken = bytes.subarray(0, headerBytes - headFilled);
    head.set(taken, headFilled);
    headFilled += taken.length;
    if (headFilled === headerBytes) key = openHeader(head);
    return bytes.subarray(taken.length);
  }

  return new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, out) {
      const rest = takeHeader(bytes);
      blocks.push(rest, (block) => open(block, false, (plain) => out.enqueue(plain)));
    },
    flush(out) {
      open(blocks.last(), true, (plain) => out.enqueue(plain));
    },
  });
}
