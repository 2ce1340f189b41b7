/** Reads a sealed object, whole or in part, from a place that gives ranges of bytes: whole chunks, each proven where it stands. */
import type { KeyObject } from "node:crypto";
import type { ByteRange } from "./bucket.ts";
import type { KeyRing } from "./seal.ts";
import {
  chunkBytes,
  headerBytes,
  labelLengthBytes,
  openChunk,
  SealBroken,
  sealedChunkBytes,
  tagBytes,
  unframeLabel,
} from "./seal-format.ts";

type Bytes = ReadableStream<Uint8Array>;
/** `total`: of the whole object, as the place says. It is believed only as far as the last chunk proves it. */
type Read = (range?: ByteRange) => Promise<{ readonly bytes: Bytes; readonly total: number } | undefined>;

interface Layout {
  readonly key: KeyObject;
  readonly chunks: number;
  /** What stands before the content in the first chunk. */
  readonly framed: number;
  /** Of the content. */
  readonly size: number;
  readonly total: number;
}

/**
 * Undefined when there is no such object. Rejects with SealBroken when it is not what was put under this label, and with RangeError for a range
 * that begins behind its end. What comes out is authentic; that it is the whole is known when the stream ends.
 */
export async function openSealed(
  read: Read,
  ring: Pick<KeyRing, "openHeader">,
  label: string,
  range?: ByteRange,
): Promise<{ plain: Bytes; size: number } | undefined> {
  const firstBytes = headerBytes + sealedChunkBytes;
  const found = await read(range === undefined ? undefined : { start: 0, end: firstBytes - 1 });
  if (found === undefined) return undefined;
  const pieces = openPieces(found.bytes);
  try {
    const head = await pieces.take(Math.min(firstBytes, found.total));
    const { layout, content } = readHead(head, found.total, ring, label);
    const { size } = layout;
    if (range === undefined) {
      return { plain: streamOf(rest(content, pieces, layout, { from: 1, to: layout.chunks }), pieces.end), size };
    }
    await pieces.end();
    checkRange(range);
    if (range.start >= size) {
      await proveEnd(read, layout);
      throw new RangeError(`the range begins at ${range.start}, and there are ${size} bytes`);
    }
    const part = { start: range.start, end: Math.min(range.end, size - 1) };
    return { plain: await partOf(read, layout, content, part), size };
  } catch (error) {
    await pieces.end();
    throw error;
  }
}

function readHead(head: Buffer, total: number, ring: Pick<KeyRing, "openHeader">, expected: string) {
  const key = ring.openHeader(head);
  const chunks = Math.max(1, Math.ceil((total - headerBytes) / sealedChunkBytes));
  const first = openChunk(key, 0, chunks === 1, head.subarray(headerBytes));
  const { label, content } = unframeLabel(first);
  // Each is sealed by us, but one may have been put in the other's place.
  if (label !== expected) throw new SealBroken("these sealed bytes were put under another name");
  const framed = labelLengthBytes + Buffer.byteLength(label);
  const size = total - headerBytes - chunks * tagBytes - framed;
  return { layout: { key, chunks, framed, size, total } satisfies Layout, content };
}

export function checkRange({ start, end }: ByteRange): void {
  if (!(start >= 0 && start <= end)) throw new RangeError("this is no range of bytes");
}

/** That there is nothing at a place is believed only of the end that was sealed: the object may have been cut. */
async function proveEnd(read: Read, layout: Layout): Promise<void> {
  const { chunks, total } = layout;
  // The first chunk is proven already, and as the last one where it is the only one.
  if (chunks === 1) return;
  const pieces = await piecesOf(read, { start: offsetOf(chunks - 1), end: total - 1 }, total);
  try {
    await chunkOf(pieces, layout, chunks - 1);
  } finally {
    await pieces.end();
  }
}

/** Between two reads it may be deleted, or replaced by another: then nothing that comes is the rest of what was read. */
async function piecesOf(read: Read, range: ByteRange, total: number): Promise<Pieces> {
  const found = await read(range);
  if (found?.total === total) return openPieces(found.bytes);
  await found?.bytes.cancel();
  throw new SealBroken("the sealed bytes were replaced while they were read");
}

/** The chunks that hold the range, the first of which is opened before anything is promised. */
async function partOf(read: Read, layout: Layout, content: Buffer, { start, end }: ByteRange): Promise<Bytes> {
  const { framed, total } = layout;
  const from = Math.floor((start + framed) / chunkBytes);
  const to = Math.floor((end + framed) / chunkBytes) + 1;
  // In plain bytes with the label: where the first byte of chunk `from` stands.
  const skip = from === 0 ? start : start + framed - from * chunkBytes;
  const wanted = end - start + 1;
  if (to === 1) return ReadableStream.from([content.subarray(start, end + 1)]);
  const next = Math.max(from, 1);
  const pieces = await piecesOf(read, { start: offsetOf(next), end: Math.min(offsetOf(to), total) - 1 }, total);
  try {
    const opened = await chunkOf(pieces, layout, next);
    const before = from === 0 ? Buffer.concat([content, opened]) : opened;
    const plain = rest(before, pieces, layout, { from: next + 1, to });
    return streamOf(trimmed(plain, skip, wanted), pieces.end);
  } catch (error) {
    await pieces.end();
    throw error;
  }
}

const offsetOf = (chunk: number): number => headerBytes + chunk * sealedChunkBytes;

async function chunkOf(pieces: Pieces, { key, chunks, total }: Layout, index: number): Promise<Buffer> {
  const last = index === chunks - 1;
  const sealed = await pieces.take(last ? total - offsetOf(index) : sealedChunkBytes);
  return openChunk(key, index, last, sealed);
}

/** `content`, then chunks `from` up to `to`. Where the object ends there, nothing may follow. */
async function* rest(
  content: Buffer,
  pieces: Pieces,
  layout: Layout,
  { from, to }: { readonly from: number; readonly to: number },
): AsyncGenerator<Buffer> {
  try {
    if (content.length > 0) yield content;
    for (let index = from; index < to; index += 1) yield await chunkOf(pieces, layout, index);
    if (to === layout.chunks && !(await pieces.isOver())) throw new SealBroken("the sealed bytes were continued");
  } finally {
    await pieces.end();
  }
}

async function* trimmed(plain: AsyncGenerator<Buffer>, skip: number, wanted: number): AsyncGenerator<Buffer> {
  let skipping = skip;
  let left = wanted;
  for await (const piece of plain) {
    const taken = piece.subarray(skipping, skipping + left);
    skipping = Math.max(0, skipping - piece.length);
    left -= taken.length;
    if (taken.length > 0) yield taken;
  }
}

interface Pieces {
  /** Exactly so many bytes. Rejects with SealBroken when there are fewer. */
  take(bytes: number): Promise<Buffer>;
  isOver(): Promise<boolean>;
  end(): Promise<void>;
}

/** One chunk in memory, however the bytes come. */
function openPieces(bytes: Bytes): Pieces {
  const reader = bytes.getReader();
  let held: Uint8Array = new Uint8Array(0);

  async function more(): Promise<boolean> {
    const { value, done } = await reader.read();
    if (value !== undefined) held = value;
    return done !== true;
  }

  return {
    async take(wanted) {
      const taken = Buffer.allocUnsafeSlow(wanted);
      for (let filled = 0; filled < wanted; ) {
        if (held.length === 0 && !(await more()))
          throw new SealBroken("the sealed bytes end too early: they were cut off");
        const piece = held.subarray(0, wanted - filled);
        taken.set(piece, filled);
        filled += piece.length;
        held = held.subarray(piece.length);
      }
      return taken;
    },
    async isOver() {
      while (held.length === 0) if (!(await more())) return true;
      return false;
    },
    // It may have failed already, which whoever read has heard of.
    end: () => reader.cancel().catch(() => undefined),
  };
}

/** `release` lets go of what it reads from, also where nobody ever pulled. */
function streamOf(plain: AsyncGenerator<Buffer>, release: () => Promise<void>): Bytes {
  return new ReadableStream<Uint8Array>(
    {
      async pull(out) {
        const { value, done } = await plain.next();
        if (done === true) out.close();
        else out.enqueue(value);
      },
      async cancel() {
        await plain.return(undefined);
        await release();
      },
    },
    { highWaterMark: 0 },
  );
}
