/** The real clock, chance and disk: the only implementations of those ports outside a simulation. */
import { randomBytes } from "node:crypto";
import { statfs } from "node:fs/promises";
import type { Clock, Random } from "../model/ports.ts";

/** setTimeout counts in 32 bits; a longer delay would fire at once. Whoever sleeps past this wakes early and looks again. */
const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep(ms, signal) {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(Math.max(0, ms), longestTimerMs));
      signal?.addEventListener("abort", done, { once: true });
    });
  },
};

/** Processor time of the calling thread so far, in ms. */
export function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

export const systemRandom: Random = {
  unit: () => Math.random(),
  uuid: uuidVersion7,
};

let drawnAhead = Buffer.alloc(0);

/** A draw costs some 10 µs whatever its length: one for many ids. */
function draw(bytes: number): Buffer {
  if (drawnAhead.length < bytes) drawnAhead = randomBytes(bytes * 256);
  const drawn = drawnAhead.subarray(0, bytes);
  drawnAhead = drawnAhead.subarray(bytes);
  return drawn;
}

/** RFC 9562 §5.7: 48 bits of milliseconds, then chance, so that ids sort by time of arrival. */
function uuidVersion7(now: number): string {
  const bytes = draw(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Free and total bytes of the volume that holds `dir`, as an ordinary user may use them. */
export async function diskOf(dir: string): Promise<{ freeBytes: number; totalBytes: number }> {
  const { bavail, blocks, bsize } = await statfs(dir);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
