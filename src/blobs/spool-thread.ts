/** The near side of the spool's thread: the worker, what is asked of it, and what becomes of that when it dies. */
import { Worker } from "node:worker_threads";
import { openBatches, type Step } from "./spool-batches.ts";
import type { PostedError, SpoolOrder, SpoolReport, SpoolThreadData } from "./spool-serving.ts";

export type Done = Extract<SpoolReport, { kind: "done" }>;

export interface Thread {
  /** Copies; rejects with what an earlier write failed with. */
  write(id: string, bytes: Uint8Array): Promise<void>;
  /** Resolves when the thread has done it. */
  ask(step: Exclude<Step, { kind: "write" }>): Promise<Done>;
  /** Nothing more is asked for this draft. */
  forget(id: string): void;
  /** True once the thread has ended, and closed all its files. */
  ended(): boolean;
  close(): Promise<void>;
}

/** Resolves when the thread is ready; `exited` is told when it has ended, for whatever reason. */
export async function startThread(file: URL, data: SpoolThreadData, exited: (code: number) => void): Promise<Thread> {
  const worker = new Worker(file, { workerData: data, name: "spool" });
  const answers = openAnswers();
  const post = (order: SpoolOrder, transferred: ArrayBuffer[] = []) => worker.postMessage(order, transferred);
  const batches = openBatches((batch) => post({ kind: "batch", batch }, [batch.bytes.buffer]));
  const ready = Promise.withResolvers<void>();
  const exit = Promise.withResolvers<void>();
  let ended = false;
  let cause: unknown;

  worker.on("message", (report: SpoolReport) => {
    if (report.kind === "ready") ready.resolve();
    else if (report.kind === "written") batches.returned(report.buffer);
    else answers.take(report);
  });
  worker.on("error", (error) => {
    cause = error;
  });
  // Only now are its files closed and its calls to the disk over, so that what it left can be cleared.
  worker.on("exit", (code) => {
    const reason = new Error("the spool's thread ended before it had written the message", { cause });
    ended = true;
    batches.end(reason);
    answers.end(reason);
    ready.reject(reason);
    exit.resolve();
    exited(code);
  });
  await ready.promise;

  return {
    async write(id, bytes) {
      answers.check(id);
      await batches.write(id, bytes);
    },
    async ask(step) {
      const answer = answers.expect(step.id);
      // Whoever is expected when the thread ends is rejected; so is whoever comes later, by the batches.
      answer.catch(() => undefined);
      await batches.add(step);
      return await answer;
    },
    forget: answers.forget,
    ended: () => ended,
    async close() {
      if (!ended) post({ kind: "close" });
      await exit.promise;
    },
  };
}

/** Who waits for which draft, and which drafts broke while nobody waited. */
function openAnswers() {
  const waiting = new Map<string, { resolve: (done: Done) => void; reject: (error: unknown) => void }[]>();
  const broken = new Map<string, unknown>();

  return {
    expect: (id: string): Promise<Done> =>
      new Promise((resolve, reject) => {
        const others = waiting.get(id);
        if (others === undefined) waiting.set(id, [{ resolve, reject }]);
        else others.push({ resolve, reject });
      }),
    take(report: Exclude<SpoolReport, { kind: "ready" | "written" }>): void {
      const { kind, id } = report;
      if (kind === "broken") {
        // The first failure says why; those after it only that the draft is gone.
        if (!broken.has(id)) broken.set(id, errorOf(report));
        return;
      }
      const asked = waiting.get(id);
      const first = asked?.shift();
      if (asked?.length === 0) waiting.delete(id);
      if (kind === "done") first?.resolve(report);
      else first?.reject(broken.get(id) ?? errorOf(report));
    },
    check(id: string): void {
      if (broken.has(id)) throw broken.get(id);
    },
    forget(id: string): void {
      broken.delete(id);
    },
    end(reason: Error): void {
      for (const asked of waiting.values()) for (const { reject } of asked) reject(reason);
      waiting.clear();
    },
  };
}

function errorOf({ error, code }: PostedError): unknown {
  return error instanceof Error && code !== undefined ? Object.assign(error, { code }) : error;
}
