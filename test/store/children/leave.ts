/** Has the ledger open and one message acknowledged, and ends without closing it, in the way it is told. */
import { Worker } from "node:worker_threads";
import { openLedger } from "../../../src/store/index.ts";
import { message } from "../contract/world.ts";

const [path = "", thread = "", how = ""] = process.argv.slice(2);

/** The ledger's own thread, by way of what is posted to it. */
let ledgerThread: Worker | undefined;
const post = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (this: Worker, ...order: Parameters<Worker["postMessage"]>) {
  ledgerThread = this;
  post.apply(this, order);
};

const ledger = await openLedger({ path, thread: thread === "worker" ? "worker" : "calling" });
await ledger.accept([message("kept")]);

/** Says that all is as the test wants it, and waits to be killed. */
function awaitKill(): void {
  setInterval(() => ledger, 60_000);
  process.stdout.write("ready\n");
}

async function fillTheDisk(): Promise<void> {
  for (let n = 0; ; n++) {
    const raw = { kind: "inline", sealed: new Uint8Array(100_000).fill(n % 251) } as const;
    try {
      await ledger.accept([message(`filler-${n}`, { raw })]);
    } catch {
      return;
    }
  }
}

const ends: Record<string, () => unknown> = {
  "process.exit": () => process.exit(3),
  "an uncaught exception": () =>
    setImmediate(() => {
      throw new Error("nobody catches this");
    }),
  "nothing left to do": () => undefined,
  "a kill": awaitKill,
  "a kill after the ledger's thread ended": async () => {
    await ledgerThread?.terminate();
    awaitKill();
  },
  "a kill after the ledger's thread crashed": async () => {
    const ended = new Promise((resolve) => ledgerThread?.once("exit", resolve));
    // What cannot be unpacked is thrown in the thread.
    if (ledgerThread !== undefined) post.call(ledgerThread, { kind: "run" });
    await ended;
    awaitKill();
  },
  "a kill after the disk failed": async () => {
    await fillTheDisk();
    awaitKill();
  },
};
const end = ends[how];
if (end === undefined) throw new TypeError(`no such end: ${how}`);
await end();
