/** Hop 4 of the road: parses messages in child processes that can be killed, so that no message can hurt the daemon. */
import type { ParsedMessage } from "../model/event.ts";
import type { Log, Metrics } from "../model/ports.ts";
import { type ParserChild, startChild } from "./parsing/child.ts";
import { frame, frameKinds, maxChunkBytes, messageFrames } from "./parsing/frames.ts";
import { abandon, beginning, cut, type Job, open, type RawSource, readBytes } from "./parsing/job.ts";
import { newSeat, nextFor, noTimer, realTimer, type Seat, type Sent, type Timer } from "./parsing/seat.ts";
import { readMail } from "./stored.ts";

export interface ParsePoolOptions {
  /** At least two, so that a poison message does not hold the others up. */
  readonly children: number;
  readonly log: Log;
  readonly metrics?: Metrics;
  readonly timer?: Timer;
  /** A child that works longer on one message is killed; it has a second more for each MiB of it, up to a minute. */
  readonly deadlineMs?: number;
  readonly maxHeapMb?: number;
  /** Of a child; buffers live outside of its heap. Watched where the system says it (Linux). */
  readonly maxResidentBytes?: number;
  /** Another program in place of the parser, for tests. */
  readonly entry?: string;
}

export interface ParsePool {
  /**
   * Never rejects for what the bytes are: they give a parse, whole or degraded. Rejects when `raw` cannot be read, or when the pool
   * is closed. Give a function where `raw` can be read again: a long message is then tried twice.
   */
  parse(raw: RawSource, size: number): Promise<ParsedMessage>;
  /** The degraded parse, for a message that has already failed the whole one too often. */
  headersOnly(raw: RawSource, reason?: string): Promise<ParsedMessage>;
  /** Ends the children; what is in flight is rejected, and safe to give to another pool. */
  close(): Promise<void>;
}

const defaults = { deadlineMs: 30_000, maxHeapMb: 256, maxResidentBytes: 512 * 1024 * 1024 };
/** Seconds at most that a message has more than a short one, by its size: two tries end within the lease of whoever asked (prepare.ts). */
const mostMore = 60;
/** A short message takes a few milliseconds. What has stood behind one for longer than this is given to another child. */
const patienceMs = 300;
const watchMs = 250;
const restartMs = { first: 100, most: 10_000 };
const endGraceMs = 2_000;
/** A child loads the parser in a second or two, on a busy machine in ten. One that hangs there would leave all mail waiting without a word. */
const startDeadlineMs = 120_000;
/** Children that die before they were ready, in a row, while the pool opens: then the installation is broken, and opening fails. */
const mostFalseStarts = 3;

/** A pool whose children are on their way: what it is given meanwhile waits for them. */
export interface StartingPool extends ParsePool {
  /** Resolves when the first child is ready; rejects when none can be started. */
  readonly opened: Promise<void>;
}

export function startParsePool(options: ParsePoolOptions): StartingPool {
  return new Pool(options);
}

/** Resolves when the first child is ready; rejects when none can be started. */
export async function openParsePool(options: ParsePoolOptions): Promise<ParsePool> {
  const pool = startParsePool(options);
  try {
    await pool.opened;
  } catch (error) {
    await pool.close();
    throw error;
  }
  return pool;
}

class Pool implements StartingPool {
  readonly opened: Promise<void>;
  readonly #options: ParsePoolOptions & typeof defaults;
  readonly #timer: Timer;
  readonly #seats: Seat[];
  readonly #queue: Job[] = [];
  #closed = false;
  #announceOpen: (error?: Error) => void = () => undefined;
  #allGone: () => void = () => undefined;

  constructor(options: ParsePoolOptions) {
    this.#options = { ...defaults, ...options };
    this.#timer = options.timer ?? realTimer;
    this.opened = new Promise((resolve, reject) => {
      this.#announceOpen = (error) => (error === undefined ? resolve() : reject(error));
    });
    this.#seats = Array.from({ length: Math.max(2, options.children) }, newSeat);
    for (const seat of this.#seats) this.#start(seat);
  }

  async parse(raw: RawSource, size: number): Promise<ParsedMessage> {
    return this.#submit(raw, { mode: "parse", reason: "" }, size);
  }

  async headersOnly(raw: RawSource, reason = "not parsed: earlier attempts did not end"): Promise<ParsedMessage> {
    return this.#submit(raw, { mode: "headers", reason }, 0);
  }

  async #submit(raw: RawSource, begin: Job["begin"], size: number): Promise<ParsedMessage> {
    const bytes = await readBytes(await open(raw));
    const again = typeof raw === "function" ? async () => readBytes(await open(raw)) : undefined;
    // Of a long message the headers are in its first bytes.
    const wanted = begin.mode === "headers" ? await cut(bytes) : bytes;
    return new Promise((resolve, reject) => {
      const job: Job = { begin, size, bytes: wanted, again, deaths: 0, answered: false, resolve, reject };
      if (this.#closed) {
        this.#giveUp(job);
        return;
      }
      this.#queue.push(job);
      this.#assign();
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const gone = new Promise<void>((resolve) => {
      this.#allGone = resolve;
    });
    for (const job of this.#queue.splice(0)) this.#giveUp(job);
    for (const seat of this.#seats) {
      seat.stopRestart();
      // A child in the middle of a message does not look at its input.
      if (seat.sent.length > 0) seat.child?.kill();
      else seat.child?.end();
    }
    const stopGrace = this.#timer(endGraceMs, () => {
      for (const seat of this.#seats) seat.child?.kill();
    });
    if (this.#seats.some(({ child }) => child !== undefined)) await gone;
    stopGrace();
  }

  #giveUp(job: Job): void {
    void abandon(job.bytes);
    job.reject(new Error("the parse pool was closed"));
  }

  #start(seat: Seat): void {
    seat.killedFor = undefined;
    const { entry, maxHeapMb } = this.#options;
    const child = startChild(entry === undefined ? { maxHeapMb } : { entry, maxHeapMb }, {
      ready: () => {
        seat.ready = true;
        seat.stopStart();
        this.#announceOpen();
        this.#assign();
      },
      answer: (kind, payload) => this.#answer(seat, kind, payload),
      gone: (detail) => this.#gone(seat, detail),
    });
    seat.child = child;
    seat.stopStart = this.#timer(startDeadlineMs, () => {
      if (seat.child === child) this.#kill(seat, `the parser was not ready after ${startDeadlineMs / 1000} s`);
    });
  }

  #assign(): void {
    for (let next = nextFor(this.#seats, this.#queue); next !== undefined; next = nextFor(this.#seats, this.#queue)) {
      const { at, seat } = next;
      const [job] = this.#queue.splice(at, 1);
      if (job === undefined) return;
      seat.sent.push({ job, elsewhere: false });
      if (seat.sent.length === 1) this.#beginFirst(seat);
      void this.#send(seat, job);
    }
  }

  async #send({ child }: Seat, job: Job): Promise<void> {
    if (child === undefined) return;
    if (job.bytes.kind === "whole") {
      void child.write(messageFrames(job.begin, job.bytes.raw));
      return;
    }
    const { first, rest } = job.bytes;
    await child.write(frame(frameKinds.begin, Buffer.from(JSON.stringify(job.begin))));
    try {
      for (let bytes: Uint8Array | undefined = first; bytes !== undefined; ) {
        for (let at = 0; at < bytes.length; at += maxChunkBytes) {
          await child.write(frame(frameKinds.chunk, bytes.subarray(at, at + maxChunkBytes)));
        }
        if (!this.#works(child, job)) {
          await rest.return?.();
          return;
        }
        const next: IteratorResult<Uint8Array> = await rest.next();
        bytes = next.done === true ? undefined : next.value;
      }
      void child.write(frame(frameKinds.end));
    } catch (error) {
      // A child that died meanwhile: the message is on another road already.
      if (!this.#works(child, job)) return;
      job.reject(asError(error));
      void child.write(frame(frameKinds.drop));
    }
  }

  #works(child: ParserChild, job: Job): boolean {
    return this.#seats.some((seat) => seat.child === child && seat.sent[0]?.job === job);
  }

  /** The deadline runs from when a child turns to a message, not from when the message was sent. */
  #beginFirst(seat: Seat): void {
    seat.stopDeadline();
    // An honest mail of 150 MiB takes seconds on a quiet machine, and on a busy one longer than any message of a few KiB ought to.
    const mebibytes = Math.floor((seat.sent[0]?.job.size ?? 0) / 2 ** 20);
    const deadlineMs = this.#options.deadlineMs + Math.min(mebibytes, mostMore) * 1_000;
    seat.stopDeadline = this.#timer(deadlineMs, () =>
      this.#kill(seat, `the parser was stopped after ${deadlineMs} ms`),
    );
    seat.stopPatience();
    seat.stopPatience = this.#timer(patienceMs, () => this.#takeBack(seat));
    if (seat.stopWatch === noTimer) this.#watch(seat);
  }

  /**
   * One slow message holds up no other: what stands behind it goes to another child too. Whichever answers first counts: where all messages are
   * slow, children that worked on copies whose answers nobody takes would never come to an end.
   */
  #takeBack(seat: Seat): void {
    seat.late = true;
    const behind = seat.sent.slice(1).filter(({ elsewhere, job }) => !elsewhere && !job.answered);
    for (const one of behind) one.elsewhere = true;
    this.#queue.unshift(...behind.map(({ job }) => job));
    this.#assign();
  }

  /** One watch of a child at a time, for as long as it has work: each look opens a file, so a second one would cost more than parsing. */
  #watch(seat: Seat): void {
    const { maxResidentBytes } = this.#options;
    const { child } = seat;
    const look = async (): Promise<void> => {
      if (child === undefined || seat.child !== child) return;
      const bytes = seat.sent.length === 0 ? undefined : await child.residentBytes();
      if (seat.child !== child) return;
      if (seat.sent.length === 0) {
        seat.stopWatch = noTimer;
      } else if (bytes !== undefined && bytes > maxResidentBytes) {
        this.#kill(seat, `the parser was stopped at ${Math.round(bytes / 1048576)} MiB of memory`);
      } else {
        seat.stopWatch = this.#timer(watchMs, () => void look());
      }
    };
    seat.stopWatch = this.#timer(watchMs, () => void look());
  }

  #kill(seat: Seat, reason: string): void {
    seat.killedFor = reason;
    seat.child?.kill();
  }

  #answer(seat: Seat, kind: "parsed" | "dropped", payload: Buffer): void {
    // A child that is to end: what it still says may belong to another message than the first in its row.
    if (seat.killedFor !== undefined) return;
    const first = seat.sent[0];
    if (first === undefined) {
      this.#kill(seat, "an answer to no question");
      return;
    }
    const parsed = kind === "parsed" ? parsedOf(payload) : undefined;
    if (kind === "parsed" && parsed === undefined) {
      // The message stays with the child, and is tried again as that of any child that died of one.
      this.#kill(seat, "the parser gave an answer that cannot be read");
      return;
    }
    seat.sent.shift();
    for (const stop of [seat.stopDeadline, seat.stopPatience]) stop();
    seat.late = false;
    seat.falseStarts = 0;
    if (parsed !== undefined && !first.job.answered) this.#settle(first.job, parsed);
    if (seat.sent.length > 0) this.#beginFirst(seat);
    this.#assign();
  }

  #settle(job: Job, parsed: ParsedMessage): void {
    job.answered = true;
    const waits = this.#queue.indexOf(job);
    if (waits !== -1) this.#queue.splice(waits, 1);
    job.resolve(parsed);
  }

  #gone(seat: Seat, detail: string): void {
    const { sent, ready } = seat;
    const reason = seat.killedFor ?? `the parser ended: ${detail}`;
    Object.assign(seat, { child: undefined, ready: false, sent: [], late: false });
    for (const stop of [seat.stopStart, seat.stopDeadline, seat.stopPatience, seat.stopWatch]) stop();
    seat.stopWatch = noTimer;
    if (this.#closed) {
      for (const { job } of sent) this.#giveUp(job);
      if (this.#seats.every(({ child }) => child === undefined)) this.#allGone();
      return;
    }
    // Neither deadline nor memory: code of ours or of a library failed.
    if (seat.killedFor === undefined) this.#options.metrics?.count("defects_total", { where: "parser" });
    this.#options.log.warn({ reason, in_flight: sent.length }, "a parser child ended; another one is started");
    const [suspect, ...behind] = sent;
    // Those behind it were never looked at.
    const awaited = ({ elsewhere, job }: Sent): boolean => !elsewhere && !job.answered;
    this.#queue.unshift(...behind.filter(awaited).map(({ job }) => job));
    if (suspect !== undefined && awaited(suspect)) void this.#failed(suspect.job, reason);
    if (!ready) seat.falseStarts++;
    if (this.#seats.every(({ falseStarts }) => falseStarts >= mostFalseStarts)) {
      this.#announceOpen(new Error(`no parser child could be started: ${reason}`));
    }
    const wait = ready ? 0 : Math.min(restartMs.most, restartMs.first * 2 ** seat.falseStarts);
    seat.stopRestart = this.#timer(wait, () => this.#start(seat));
    this.#assign();
  }

  /** A second try, alone; then the headers, also in a child; then nothing but that there was a message. */
  async #failed(job: Job, reason: string): Promise<void> {
    job.deaths++;
    if (job.begin.mode === "headers") {
      // The parser is the children's to load: here it is wanted once in a year, and would take a fifth of a start.
      const { headersOnly } = await import("../mail/parse.ts");
      job.resolve(await headersOnly(new Uint8Array(0), reason));
      return;
    }
    const first = beginning(job.bytes);
    try {
      if (job.deaths === 1 && (job.bytes.kind === "whole" || job.again !== undefined)) {
        if (job.bytes.kind === "stream" && job.again !== undefined) job.bytes = await job.again();
      } else {
        job.begin = { mode: "headers", reason };
        job.bytes = first;
      }
      this.#queue.unshift(job);
      this.#assign();
    } catch (error) {
      job.reject(asError(error));
    }
  }
}

function parsedOf(payload: Buffer): ParsedMessage | undefined {
  try {
    return readMail<ParsedMessage>(payload);
  } catch {
    return undefined;
  }
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));
