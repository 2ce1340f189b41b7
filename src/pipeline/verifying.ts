/** Beside hop 4 of the road: verifies senders in a thread that can be killed, so that no message can hurt the daemon. */
import { Worker } from "node:worker_threads";
import { failed } from "../mail/trust/evidence.ts";
import type { Received } from "../mail/trust.ts";
import type { Evidence } from "../model/event.ts";
import type { Log, Metrics } from "../model/ports.ts";
import { noTimer, realTimer, type Timer } from "./parsing/seat.ts";
import { openOrdering, type Report, type Reports, readReports, shared } from "./verifying/orders.ts";

export interface Verifier {
  /** Never rejects: where nothing can be said, the evidence says why. `raw` is opened again when the thread has died of another message. */
  verify(raw: () => Promise<AsyncIterable<Uint8Array>>, size: number, received: Received): Promise<Evidence>;
  /** Ends the thread; what is in flight gets temperror. */
  close(): Promise<void>;
}

export interface VerifierOptions {
  /** The program of the thread, and what it is given beside the shared memory. */
  readonly entry: URL;
  readonly data: Readonly<Record<string, unknown>>;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly timer?: Timer;
  /** A thread that does not come back to its messages for so long is killed. */
  readonly stuckMs?: number;
  readonly maxHeapMb?: number;
}

/** Longer ones are streamed. */
const wholeBytes = 256 * 1024;
const chunkBytes = 128 * 1024;
/** Chunks on their way to the thread and in its hand, for each message. */
const windowChunks = 4;
const lookEveryMs = 500;
/** After its last byte a message waits 10 s for DNS at most; the rest is for others that compute. */
const mostWaitMs = 30_000;
/** On a machine that has too much to do a thread loads its code for seconds. */
const mostStartMs = 30_000;
/** A thread that dies while it starts: after this many in a row messages are not kept waiting for it. */
const mostFalseStarts = 3;
const restartMs = 10_000;

interface Job {
  readonly id: number;
  readonly raw: () => Promise<AsyncIterable<Uint8Array>>;
  readonly size: number;
  readonly received: Received;
  deaths: number;
  /** Of the thread it was sent to. */
  life: number;
  /** The thread knows of it. */
  begun: boolean;
  credit: number;
  moreCredit: () => void;
  stopWait: () => void;
  settle(evidence: Evidence): void;
}

/** The thread is started with the first message: a daemon that starts has better things to load. */
export function openVerifier(options: VerifierOptions): Verifier {
  return new ThreadedVerifier(options);
}

class ThreadedVerifier implements Verifier {
  readonly #options: VerifierOptions & { readonly stuckMs: number; readonly maxHeapMb: number };
  readonly #timer: Timer;
  readonly #jobs = new Map<number, Job>();
  #worker: Worker | undefined;
  /** To that thread, and to none that comes after it. */
  #order: ReturnType<typeof openOrdering> = () => undefined;
  #exited: Promise<void> = Promise.resolve();
  #seen = new Int32Array(new SharedArrayBuffer(shared.bytes));
  #life = 0;
  #nextId = 1;
  #ready = false;
  #falseStarts = 0;
  #resting = false;
  #closed = false;
  #stopLook: () => void = noTimer;
  #lastBeat = -1;
  #silentMs = 0;

  constructor(options: VerifierOptions) {
    this.#options = { stuckMs: 10_000, maxHeapMb: 256, ...options };
    this.#timer = options.timer ?? realTimer;
  }

  verify(raw: Job["raw"], size: number, received: Received): Promise<Evidence> {
    return new Promise((resolve) => {
      const id = this.#nextId++;
      const job: Job = {
        ...{ id, raw, size, received, deaths: 0, life: 0, begun: false, credit: 0 },
        moreCredit: () => undefined,
        stopWait: noTimer,
        settle: (evidence) => {
          job.stopWait();
          this.#jobs.delete(id);
          job.moreCredit();
          if (this.#jobs.size === 0) this.#idle();
          resolve(evidence);
        },
      };
      this.#jobs.set(id, job);
      this.#begin(job);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#jobs.values()) job.settle(failed("temperror", "the verifier was closed"));
    this.#idle();
    await this.#worker?.terminate();
    await this.#exited;
  }

  #begin(job: Job): void {
    if (this.#closed || this.#resting) {
      job.settle(failed("temperror", this.#closed ? "the verifier was closed" : "the verifier does not start"));
      return;
    }
    this.#worker ??= this.#start();
    // Whoever waits for an answer keeps the process; a thread that nobody waits for does not.
    this.#worker.ref();
    if (this.#stopLook === noTimer) this.#look();
    void this.#send(job);
  }

  #start(): Worker {
    const memory = new SharedArrayBuffer(shared.bytes);
    this.#seen = new Int32Array(memory);
    this.#life++;
    this.#ready = false;
    this.#lastBeat = -1;
    this.#silentMs = 0;
    const { entry, data, maxHeapMb } = this.#options;
    const worker = new Worker(entry, {
      workerData: { ...data, memory },
      name: "verify",
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
    });
    worker.unref();
    let cause = "";
    this.#order = openOrdering((orders, bytes) => worker.postMessage(orders, bytes));
    worker.on("message", (reports: Reports) => {
      for (const report of readReports(reports)) this.#heard(report);
    });
    worker.on("error", (error) => {
      cause = String(error).slice(0, 300);
    });
    this.#exited = new Promise((resolve) => {
      worker.on("exit", (code) => {
        if (this.#worker === worker && !this.#closed) this.#gone(cause === "" ? `exit code ${code}` : cause);
        resolve();
      });
    });
    return worker;
  }

  /** Reads the message again for every thread it is sent to. */
  async #send(job: Job): Promise<void> {
    const life = this.#life;
    Object.assign(job, { life, begun: false, credit: windowChunks });
    const post = this.#order;
    const current = (): boolean => this.#jobs.has(job.id) && job.life === life && this.#life === life;
    try {
      const bytes = await job.raw();
      if (job.size <= wholeBytes) {
        const whole = await joined(bytes);
        if (!current()) return;
        job.begun = true;
        post({ kind: "begin", id: job.id, received: job.received, whole }, [whole.buffer]);
      } else {
        job.begun = true;
        post({ kind: "begin", id: job.id, received: job.received });
        for await (const chunk of pieces(bytes)) {
          while (job.credit <= 0 && current()) await this.#credit(job);
          if (!current()) return;
          job.credit--;
          post({ kind: "chunk", id: job.id, bytes: chunk }, [chunk.buffer]);
        }
        if (current()) post({ kind: "end", id: job.id });
      }
      if (current()) job.stopWait = this.#timer(mostWaitMs, () => this.#tooLong(job));
    } catch (error) {
      if (!current()) return;
      post({ kind: "drop", id: job.id });
      job.settle(failed("temperror", `the message could not be read: ${String(error).slice(0, 200)}`));
    }
  }

  #credit(job: Job): Promise<void> {
    return new Promise((resolve) => {
      job.moreCredit = resolve;
    });
  }

  #tooLong(job: Job): void {
    this.#defect("verifying a message did not come to an end", { wait_ms: mostWaitMs });
    job.settle(failed("temperror", `verifying did not end within ${mostWaitMs / 1000} s`));
  }

  #heard(report: Report): void {
    if (report.kind === "ready") {
      this.#ready = true;
      this.#silentMs = 0;
      this.#falseStarts = 0;
      return;
    }
    const job = this.#jobs.get(report.id);
    if (job === undefined) return;
    if (report.kind === "took") {
      job.credit++;
      job.moreCredit();
    } else if (report.kind === "done") {
      job.settle(report.evidence);
    } else {
      this.#defect("verifying a message failed", { reason: report.why });
      job.settle(failed("temperror", `verifying failed: ${report.why}`));
    }
  }

  /** A thread that computes does not beat; one that waits for DNS does. */
  #look(): void {
    const beat = Atomics.load(this.#seen, shared.beat);
    const has = [...this.#jobs.values()].some(({ begun }) => begun);
    this.#silentMs = has && beat === this.#lastBeat ? this.#silentMs + lookEveryMs : 0;
    this.#lastBeat = beat;
    const most = this.#ready ? this.#options.stuckMs : mostStartMs;
    if (this.#silentMs >= most && this.#worker !== undefined) {
      this.#silentMs = 0;
      void this.#worker.terminate();
    }
    this.#stopLook = this.#timer(lookEveryMs, () => this.#look());
  }

  #idle(): void {
    this.#stopLook();
    this.#stopLook = noTimer;
    this.#worker?.unref();
  }

  /** The message that it worked on is not tried again; the others are, once more. */
  #gone(why: string): void {
    const guilty = Atomics.load(this.#seen, shared.current);
    const { size } = this.#jobs;
    this.#worker = undefined;
    this.#life++;
    this.#options.log.warn({ reason: why, in_flight: size }, "the verifying thread ended; it is started again");
    if (!this.#ready && ++this.#falseStarts >= mostFalseStarts) this.#rest();
    for (const job of [...this.#jobs.values()]) {
      job.stopWait();
      job.moreCredit();
      job.deaths++;
      if (job.id === guilty) job.settle(failed("policy", "not verified: the verifier was stopped at this message"));
      else if (job.deaths > 2) job.settle(failed("temperror", "the verifier was stopped again and again"));
      else this.#begin(job);
    }
  }

  #rest(): void {
    this.#defect("the verifying thread does not start; senders are not verified for a while", {
      tries: this.#falseStarts,
    });
    this.#resting = true;
    this.#timer(restartMs, () => {
      this.#resting = false;
    });
  }

  #defect(message: string, fields: Readonly<Record<string, string | number>>): void {
    this.#options.metrics.count("defects_total", { where: "verify" });
    this.#options.log.error(fields, message);
  }
}

/** A copy of its own, which can be given away. */
async function joined(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  const size = chunks.reduce((sum, { length }) => sum + length, 0);
  const whole = new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** The same in pieces. */
async function* pieces(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; at += chunkBytes) yield new Uint8Array(chunk.subarray(at, at + chunkBytes));
  }
}
