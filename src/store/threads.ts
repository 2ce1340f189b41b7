/** Where the core runs: on the calling thread, or in a worker thread that is started again when it dies. */
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Log } from "../model/ports.ts";
import { refuse, StoreFailed, storeFailed } from "./failed.ts";
import { pack, unpackAnswers } from "./pack.ts";
import type { Call } from "./sqlite/operations.ts";
import { type Answer, openCore } from "./sqlite.ts";
import type { Order, Report, WorkerData } from "./worker.ts";

export interface Engine {
  run(calls: readonly Call[]): readonly Answer[] | Promise<readonly Answer[]>;
  close(): Promise<void>;
}

/** Runs to its end within the call: no thread, no timer, nothing left to chance. */
export function openCalling(data: WorkerData): Engine {
  const core = openCore(data);
  return { run: (calls) => core.run(calls), close: async () => core.close() };
}

/** The same file as source and as emitted: worker.ts or worker.js. */
const workerFile = new URL(`./worker${extname(import.meta.filename)}`, import.meta.url);

interface Thread {
  readonly worker: Worker;
  /** The next report of the thread; rejects when the thread ends instead. */
  next(): Promise<Report>;
}

export async function openWorker(data: WorkerData, log: Log | undefined): Promise<Engine> {
  let thread: Thread | undefined = await start(data);
  watch(thread);

  /** A thread that ends by itself is noticed when it does, not when it is next needed. */
  function watch(started: Thread): void {
    started.worker.once("exit", (code) => {
      if (thread !== started) return;
      thread = undefined;
      log?.error({ code }, "the ledger's thread ended; it is started again with the next call");
    });
  }

  async function running(): Promise<Thread> {
    if (thread === undefined) {
      // The file was checked when the ledger was opened; what brought the thread down is in the log.
      thread = await start({ ...data, check: "none" });
      watch(thread);
    }
    return thread;
  }

  return {
    async run(calls) {
      const { worker, next } = await running();
      send(worker, calls, data.path);
      // Only now: a wait for a batch that was never sent would take the report of the next.
      const report = await next();
      if (report.kind !== "answers") throw new TypeError(`the ledger's thread said ${report.kind} to a batch`);
      return unpackAnswers(calls, report.packed);
    },
    async close() {
      const last = thread;
      thread = undefined;
      if (last === undefined) return;
      const exited = new Promise<void>((resolve) => last.worker.once("exit", () => resolve()));
      const order: Order = { kind: "close" };
      last.worker.postMessage(order);
      await exited;
    },
  };
}

/** Throws StoreFailed when the calls cannot be sent; then nothing of them was. */
function send(worker: Worker, calls: readonly Call[], path: string): void {
  try {
    const packed = pack(calls);
    const order: Order = { kind: "run", packed };
    worker.postMessage(order, [packed.bytes.buffer]);
  } catch (error) {
    throw storeFailed(error, path, false);
  }
}

async function start(data: WorkerData): Promise<Thread> {
  const worker = new Worker(workerFile, { workerData: data, name: "ledger" });
  const waiting: { resolve: (report: Report) => void; reject: (error: unknown) => void }[] = [];
  let over = false;
  const end = (error: unknown) => {
    over = true;
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  worker.on("message", (report: Report) => {
    // What a thread still says after it was given up answers nobody who has come since.
    if (!over) waiting.shift()?.resolve(report);
  });
  worker.on("messageerror", (error) => {
    // A report that cannot be read would leave its batch waiting, and every later one with its neighbour's answers.
    end(threadEnded(data.path, error));
    void worker.terminate();
  });
  worker.on("error", (error) => end(threadEnded(data.path, error)));
  worker.on("exit", () => end(threadEnded(data.path)));
  const thread: Thread = {
    worker,
    next: () => new Promise((resolve, reject) => waiting.push({ resolve, reject })),
  };
  const report = await thread.next();
  if (report.kind === "opened") return thread;
  await worker.terminate();
  if (report.kind === "failed") throw new StoreFailed(report.failure);
  throw refuse("thread", `the ledger's thread said ${report.kind} before it had opened`);
}

function threadEnded(path: string, cause?: unknown): StoreFailed {
  const message = `The thread that writes the ledger ${path} ended before it answered; what it was doing may be on disk.`;
  return new StoreFailed({ code: "thread", message, mayBeDurable: true }, { cause });
}
