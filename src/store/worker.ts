/** The worker thread: runs the core's batches as they are posted, one answer for each. */
import { parentPort, workerData } from "node:worker_threads";
import { type StoreFailed, type StoreFailure, storeFailed } from "./failed.ts";
import { type Packed, type PackedAnswers, packAnswers, unpack } from "./pack.ts";
import { type Core, openCore } from "./sqlite.ts";

export interface WorkerData {
  readonly path: string;
  readonly check: "quick" | "none";
}

/** What goes to the thread. */
export type Order = { readonly kind: "run"; readonly packed: Packed } | { readonly kind: "close" };

/** What comes back. */
export type Report =
  | { readonly kind: "opened" }
  | { readonly kind: "failed"; readonly failure: StoreFailure }
  | { readonly kind: "answers"; readonly packed: PackedAnswers }
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
    const calls = unpack(order.packed);
    const packed = packAnswers(calls, core.run(calls));
    const report: Report = { kind: "answers", packed };
    port.postMessage(report, [packed.bytes.buffer]);
  });
}
