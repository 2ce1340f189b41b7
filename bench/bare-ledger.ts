/**
 * The least that a durable ledger can be, for the benches: SQLite in a thread with WAL and synchronous FULL, and calls that come together in one
 * commit. No identity, no turns, no story, no threads, no totals. What it costs is what any ledger of this kind costs on this machine.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";

export type BareCall =
  | { readonly what: "keep"; readonly n: number; readonly key: string; readonly sealed: Uint8Array }
  /** Gives the sealed bytes. */
  | { readonly what: "take"; readonly n: number }
  | { readonly what: "prepare"; readonly n: number; readonly sealed: Uint8Array }
  | { readonly what: "note"; readonly n: number; readonly state: string; readonly ref: string | null };

export interface BareLedger {
  /** Resolves when it is committed. */
  call(call: BareCall): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

interface Waiting {
  readonly call: BareCall;
  readonly resolve: (value: Uint8Array | undefined) => void;
}

/** Calls are gathered as long as the product gathers those of senders. */
const gatherMs = 1;

export async function openBareLedger(path: string): Promise<BareLedger> {
  const worker = new Worker(new URL("./bare-ledger-thread.ts", import.meta.url), { workerData: path, name: "ledger" });
  await once(worker, "online");
  let waiting: Waiting[] = [];
  let pumping = false;

  async function pump(): Promise<void> {
    pumping = true;
    let before = 0;
    while (waiting.length > 0) {
      await new Promise((resolve) => (before > 1 ? setTimeout(resolve, gatherMs) : setImmediate(resolve)));
      const batch = waiting;
      waiting = [];
      before = batch.length;
      const answered = once(worker, "message");
      worker.postMessage(batch.map(({ call }) => call));
      const [answers] = (await answered) as [readonly (Uint8Array | undefined)[]];
      for (const [index, { resolve }] of batch.entries()) resolve(answers[index]);
    }
    pumping = false;
  }

  return {
    call(call) {
      return new Promise((resolve) => {
        waiting.push({ call, resolve });
        if (!pumping) void pump();
      });
    },
    close: async () => void (await worker.terminate()),
  };
}
