/** The worker thread: runs the core's batches as they are posted, one answer for each. */
import { parentPort, workerData } from "node:worker_threads";
import { type StoreFailed, type StoreFailure, storeFailed } from "./failed.ts";
import { type Packed, unpack } from "./pack.ts";
import { type Core, openCore } from "./sqlite.ts";

export interface WorkerData {
  readonly path: string;
  readonly check: "quick" | "none";
}

/** What goes to the thread. */
export type Order = { readonly kind: "run"; readonly packed: Packed } | { readonly kind: "close" };

/** An error loses its class on the way between threads, so it travels as its fields. */
export type PostedAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly failure: StoreFailure };

/** What comes back. */
export type Report =
  | { readonly kind: "opened" }
  | { readonly kind: "failed"; readonly failure: StoreFailure }
  | { readonly kind: "answers"; readonly answers: readonly PostedAnswer[] }
  | { readonly kind: "closed" };

const port = parentPort;
if (port === null) throw new TypeError("this file runs as a worker thread only");
const { path, check } = workerData as WorkerData;
const post = (report: Report) => port.postMessage(report);
const failureOf = ({ message, code, mayBeDurable }: StoreFailed): StoreFailure => ({ message, code, mayBeDurable });

function open(): Core | undefined {
  try {
    const core = openCore({ path, check });
    post({ kind: "opened" });
    return core;
  } catch (error) {
    post({ kind: "failed", failure: failureOf(storeFailed(error, path, false)) });
    return undefined;
  }
}

const core = open();
if (core === undefined) port.close();
else {
  // An order that cannot be read is never answered: the thread ends, and whoever waits hears of that.
  port.on("messageerror", (error) => {
    throw error;
  });
  port.on("message", (order: Order) => {
    if (order.kind === "close") {
      core.close();
      post({ kind: "closed" });
      port.close();
      return;
    }
    const answers = core
      .run(unpack(order.packed))
      .map((answer): PostedAnswer => (answer.ok ? answer : { ok: false, failure: failureOf(answer.error) }));
    post({ kind: "answers", answers });
  });
}
