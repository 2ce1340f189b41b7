/** The bytes of a download, at the reader's pace and no faster, until the reader has gone or took too long. */
import { Readable } from "node:stream";
import type { Clock } from "../../model/ports.ts";

export interface StreamLimits {
  /** Without a byte taken in this time, a reader is gone; so is a store that gives none. */
  readonly stallMs: number;
  /** A download may take `graceMs`, and as long as its bytes take at this rate. */
  readonly leastBytesPerSecond: number;
  readonly graceMs: number;
}

/** The connection that the bytes go out by. */
export interface Outlet {
  /** Fires when the answer has ended, whole or not. */
  readonly closed: AbortSignal;
  /** Bytes that wait in our buffers for the reader to take them. */
  unsent(): number;
  /** Breaks it off: the reader sees a broken download, and never a whole one. */
  cut(): void;
}

/**
 * Reads no further than the reader took; `failed` is told what went wrong in mid-air. A stream of another length than `length` is such a
 * failure: nobody gets a whole answer with other content.
 */
export function paced(
  plain: ReadableStream<Uint8Array>,
  length: number,
  {
    outlet,
    limits,
    clock,
    failed,
  }: {
    readonly outlet: Outlet;
    readonly limits: StreamLimits;
    readonly clock: Clock;
    failed(error: unknown): void;
  },
): Readable {
  const reader = plain.getReader();
  let bytes = 0;

  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        bytes += value.length;
        if (bytes > length) throw new RangeError("the store gives more bytes than the file has");
        yield value;
      }
      if (bytes < length && !outlet.closed.aborted)
        throw new RangeError("the store gives fewer bytes than the file has");
    } catch (error) {
      failed(error);
      // Not thrown on: an answer that has begun cannot become another one.
      outlet.cut();
    } finally {
      drop();
    }
  }

  /** Also ends a read that waits for the store, of which the generator would not be told. */
  const drop = (): void => void reader.cancel().catch(() => undefined);

  if (outlet.closed.aborted) drop();
  else outlet.closed.addEventListener("abort", drop, { once: true });
  void watch(limits, length, () => bytes - outlet.unsent(), outlet.closed, clock).then((isLate) => {
    if (isLate) outlet.cut();
  });
  return Readable.from(chunks(), { objectMode: false, highWaterMark: 64 * 1024 });
}

/** True when a limit was reached first, false when it came to an end. */
async function watch(
  { stallMs, leastBytesPerSecond, graceMs }: StreamLimits,
  length: number,
  taken: () => number,
  closed: AbortSignal,
  clock: Clock,
): Promise<boolean> {
  const until = clock.now() + graceMs + (length / leastBytesPerSecond) * 1000;
  let before: number | undefined;
  while (!closed.aborted) {
    const now = taken();
    if (now === before || clock.now() >= until) return true;
    before = now;
    await clock.sleep(stallMs, closed);
  }
  return false;
}
