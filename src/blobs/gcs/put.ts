/** Puts a stream of unknown length: in one call where it is short, else by a session of chunks; nothing of it is visible before its end. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Bucket } from "@google-cloud/storage";
import { Refused } from "../../model/outcome.ts";

/** A multiple of 256 KiB, as Google wants it. The library holds one for trying again. */
const chunkBytes = 4 * 1024 * 1024;
/** Without a byte moving. */
const stallMs = 30_000;
/** The slowest line on which a chunk may need its time: 64 KiB/s. */
const msPerByte = 1_000 / (64 * 1024);

/** Nobody is ever to see an object of ours in a page, whatever leads there. */
const metadata = { contentType: "application/octet-stream", contentDisposition: "attachment" };

export async function putObject(
  bucket: Bucket,
  key: string,
  bytes: AsyncIterable<Uint8Array>,
  where: string,
): Promise<{ bytes: number }> {
  const file = bucket.file(key);
  const pieces = bytes[Symbol.asyncIterator]();
  const { head, isWhole } = await headOf(pieces);
  if (isWhole) {
    const whole = Buffer.concat(head);
    const saved = file.save(whole, { resumable: false, metadata: { ...metadata } });
    await within(saved, stallMs + whole.length * msPerByte, where);
    return { bytes: whole.length };
  }
  let total = 0;
  const watch = openWatch(where);
  try {
    async function* all(): AsyncGenerator<Uint8Array> {
      for await (const piece of chain(head, pieces)) {
        total += piece.length;
        watch.moved();
        yield piece;
      }
      watch.moved();
    }
    const upload = file.createWriteStream({ resumable: true, chunkSize: chunkBytes, metadata: { ...metadata } });
    await pipeline(Readable.from(all(), { objectMode: false }), upload, { signal: watch.signal });
    return { bytes: total };
  } catch (error) {
    throw watch.signal.aborted ? watch.signal.reason : error;
  } finally {
    watch.end();
  }
}

/** Up to one chunk, and whether that was all. */
async function headOf(pieces: AsyncIterator<Uint8Array>): Promise<{ head: Uint8Array[]; isWhole: boolean }> {
  const head: Uint8Array[] = [];
  for (let held = 0; held <= chunkBytes; ) {
    const { value, done } = await pieces.next();
    if (done === true) return { head, isWhole: true };
    head.push(value);
    held += value.length;
  }
  return { head, isWhole: false };
}

async function* chain(head: Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    for (let first = head.shift(); first !== undefined; first = head.shift()) yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

const stalled = (where: string): Refused =>
  new Refused({
    kind: "retryable",
    reason: `${where} took nothing for ${stallMs / 1000} s in the middle of an upload`,
  });

function openWatch(where: string) {
  const ended = new AbortController();
  const giveUp = () => ended.abort(stalled(where));
  const limit = stallMs + chunkBytes * msPerByte;
  let timer = setTimeout(giveUp, limit);
  return {
    signal: ended.signal,
    moved() {
      clearTimeout(timer);
      timer = setTimeout(giveUp, limit);
    },
    end: () => clearTimeout(timer),
  };
}

async function within(work: Promise<void>, ms: number, where: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(stalled(where)), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
