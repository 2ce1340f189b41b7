/** Takes the files out of stored messages, in parser children of its own, which work on one message at a time and are ended when idle. */
import { type ExtractedFile, ExtractFailed, type FileExtractor } from "../model/checking.ts";
import type { Log, Metrics } from "../model/ports.ts";
import { type ParserChild, startChild } from "./parsing/child.ts";
import { frame, frameKinds, maxChunkBytes } from "./parsing/frames.ts";
import { Frames, handOver } from "./parsing/hand-over.ts";
import { noTimer, realTimer, type Timer } from "./parsing/seat.ts";

export interface ExtractorOptions {
  /** Messages at once. */
  readonly children: number;
  readonly log: Log;
  readonly metrics?: Metrics;
  readonly timer?: Timer;
  /** Of work of the child on one message, and a second more for each mebibyte; what the store or the source takes is not counted. */
  readonly deadlineMs?: number;
  readonly maxHeapMb?: number;
  readonly maxResidentBytes?: number;
  /** After which a child without work is ended. */
  readonly idleMs?: number;
  /** Another program in place of the parser, for tests. */
  readonly entry?: string;
}

/** Looking into archives takes longer than a parse. */
const defaults = { deadlineMs: 60_000, maxHeapMb: 384, maxResidentBytes: 768 * 1024 * 1024, idleMs: 60_000 };
const watchMs = 250;
/** It takes 35 ms of a processor that it has for itself; other work may leave it a thirtieth of one. */
const msPerMebibyte = 1000;
const startDeadlineMs = 120_000;

type Raw = Parameters<FileExtractor["extract"]>[0];
type Each = Parameters<FileExtractor["extract"]>[2];

export function openExtractor(options: ExtractorOptions): FileExtractor {
  return new Extractor(options);
}

/** A child on its way, at work or waiting. */
interface Seat {
  child: ParserChild;
  readonly ready: Promise<void>;
  frames: Frames | undefined;
  /** Why it was stopped by us. */
  killedFor: string | undefined;
  gone: boolean;
  stopIdle: () => void;
}

class Extractor implements FileExtractor {
  readonly #options: ExtractorOptions & typeof defaults;
  readonly #timer: Timer;
  readonly #idle: Seat[] = [];
  readonly #all = new Set<Seat>();
  #free: number;
  readonly #waiting: (() => void)[] = [];
  #closed = false;
  #allGone: () => void = () => undefined;

  constructor(options: ExtractorOptions) {
    this.#options = { ...defaults, ...options };
    this.#timer = options.timer ?? realTimer;
    this.#free = Math.max(1, options.children);
  }

  async extract(raw: Raw, parts: readonly string[], each: Each): Promise<readonly ExtractedFile[]> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      if (this.#closed) throw closed();
      return await this.#extract(raw, parts, each);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const seat of this.#all) {
      seat.stopIdle();
      // One that works is in the middle of a message that will be given to it again.
      if (seat.frames === undefined) seat.child.end();
      else this.#kill(seat, "the daemon stops");
    }
    for (const next of this.#waiting.splice(0)) next();
    if (this.#all.size === 0) return;
    const gone = new Promise<void>((resolve) => {
      this.#allGone = resolve;
    });
    const stop = this.#timer(2000, () => {
      for (const seat of this.#all) seat.child.kill();
    });
    await gone;
    stop();
  }

  async #extract(raw: Raw, parts: readonly string[], each: Each): Promise<readonly ExtractedFile[]> {
    const bytes = await opened(raw);
    const seat = this.#idle.pop() ?? this.#start();
    seat.stopIdle();
    const frames = new Frames((stop) => seat.child.halt(stop));
    seat.frames = frames;
    const sending = { reading: true };
    let stopWatch = noTimer;
    try {
      await seat.ready;
      stopWatch = this.#watch(seat, frames, sending);
      void this.#send(seat, frames, bytes, parts, sending);
      const files = await handOver(frames, each);
      this.#release(seat);
      return files;
    } catch (error) {
      // The child may be anywhere in the message.
      this.#kill(seat, "its message was given up");
      throw error;
    } finally {
      stopWatch();
      seat.frames = undefined;
      // A source that hangs would not answer this either.
      bytes.return?.().catch(() => undefined);
    }
  }

  #release(seat: Seat): void {
    if (seat.gone || this.#closed) {
      seat.child.end();
      return;
    }
    this.#idle.push(seat);
    seat.stopIdle = this.#timer(this.#options.idleMs, () => {
      const at = this.#idle.indexOf(seat);
      if (at === -1) return;
      this.#idle.splice(at, 1);
      seat.child.end();
    });
  }

  async #send(
    seat: Seat,
    frames: Frames,
    bytes: AsyncIterator<Uint8Array>,
    parts: readonly string[],
    sending: { reading: boolean },
  ): Promise<void> {
    const { child } = seat;
    const begin = { mode: "files", reason: "", parts };
    try {
      await child.write(frame(frameKinds.begin, Buffer.from(JSON.stringify(begin))));
      while (seat.frames === frames) {
        sending.reading = true;
        const next = await bytes.next();
        sending.reading = false;
        if (next.done === true) {
          await child.write(frame(frameKinds.end));
          return;
        }
        for (let at = 0; at < next.value.length; at += maxChunkBytes) {
          await child.write(frame(frameKinds.chunk, next.value.subarray(at, at + maxChunkBytes)));
        }
      }
    } catch (error) {
      frames.fail(new ExtractFailed("raw", "the raw message could not be read to its end", error));
    } finally {
      sending.reading = false;
    }
  }

  /** Counts the time in which nothing but the child could go on, and looks at its memory. */
  #watch(seat: Seat, frames: Frames, sending: { readonly reading: boolean }): () => void {
    const { deadlineMs, maxResidentBytes } = this.#options;
    let worked = 0;
    let stop = noTimer;
    const look = async (): Promise<void> => {
      if (frames.isAwaited && !sending.reading) worked += watchMs;
      const resident = await seat.child.residentBytes();
      if (seat.frames !== frames) return;
      const allowed = deadlineMs + Math.floor(frames.received / 1048576) * msPerMebibyte;
      if (worked > allowed) this.#kill(seat, `the parser was stopped after ${allowed} ms`);
      else if (resident !== undefined && resident > maxResidentBytes) {
        this.#kill(seat, `the parser was stopped at ${Math.round(resident / 1048576)} MiB of memory`);
      } else stop = this.#timer(watchMs, () => void look());
    };
    stop = this.#timer(watchMs, () => void look());
    return () => stop();
  }

  #kill(seat: Seat, reason: string): void {
    seat.killedFor ??= reason;
    seat.child.kill();
  }

  #start(): Seat {
    const { entry, maxHeapMb } = this.#options;
    let isReady: () => void = () => undefined;
    let isNot: (error: Error) => void = () => undefined;
    const ready = new Promise<void>((resolve, reject) => {
      isReady = resolve;
      isNot = reject;
    });
    // Whoever gave up meanwhile does not ask.
    ready.catch(() => undefined);
    const stopStart = this.#timer(startDeadlineMs, () => this.#kill(seat, "the parser was not ready in time"));
    const child = startChild(entry === undefined ? { maxHeapMb } : { entry, maxHeapMb }, {
      ready: () => {
        stopStart();
        isReady();
      },
      answer: (kind) => seat.frames?.fail(new ExtractFailed("message", `the parser answered out of order (${kind})`)),
      file: (kind, payload) => seat.frames?.push(kind, payload),
      gone: (detail) => {
        stopStart();
        const reason = seat.killedFor ?? `the parser ended: ${detail}`;
        isNot(new ExtractFailed("closed", reason));
        this.#gone(seat, reason);
      },
    });
    const seat: Seat = { child, ready, frames: undefined, killedFor: undefined, gone: false, stopIdle: noTimer };
    this.#all.add(seat);
    return seat;
  }

  #gone(seat: Seat, reason: string): void {
    seat.gone = true;
    this.#all.delete(seat);
    const at = this.#idle.indexOf(seat);
    if (at !== -1) this.#idle.splice(at, 1);
    seat.stopIdle();
    if (seat.frames !== undefined) {
      seat.frames.fail(this.#closed ? closed() : new ExtractFailed("message", reason));
      if (!this.#closed) {
        if (seat.killedFor === undefined) this.#options.metrics?.count("defects_total", { where: "parser" });
        this.#options.log.warn({ reason }, "a child that takes files out of a message ended; another one is started");
      }
    }
    if (this.#closed && this.#all.size === 0) this.#allGone();
  }
}

const closed = (): ExtractFailed => new ExtractFailed("closed", "the extractor was closed");

async function opened(raw: Raw): Promise<AsyncIterator<Uint8Array>> {
  try {
    return (await raw())[Symbol.asyncIterator]();
  } catch (error) {
    throw new ExtractFailed("raw", "the raw message could not be opened", error);
  }
}
