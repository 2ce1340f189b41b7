/** Both spools, each over a real disk and over one that fails on request, so that one contract holds for them. */
import { BroadcastChannel } from "node:worker_threads";
import { onTestFinished } from "vitest";
import { openKeyRing, openSpool, openThreadedSpool } from "../../src/blobs/index.ts";
import type { ThreadedSpool } from "../../src/blobs/spool-threaded.ts";
import type { Spool } from "../../src/model/blob.ts";
import { type Call, FailingDisk } from "./failing.ts";
import type { Ask } from "./spool-failing-worker.ts";

const key = "5a".repeat(32);
export const ring = openKeyRing({ key });

export interface Faults {
  /** `from` counts from 1, over calls made after this. */
  failAt(call: Call, code: "ENOSPC" | "EIO", from?: number): Promise<void>;
  mend(): Promise<void>;
  calls(): Promise<readonly Call[]>;
}

interface Kind {
  readonly name: string;
  open(dir: string, options?: { newId?: () => string }): Promise<Spool>;
  openFailing(dir: string): Promise<{ spool: Spool; faults: Faults }>;
}

const calling: Kind = {
  name: "on the calling thread",
  open: async (dir, options) => await openSpool(dir, ring, options),
  async openFailing(dir) {
    const failing = new FailingDisk();
    const faults: Faults = {
      failAt: async (call, code, from) => failing.failAt(call, code, from),
      mend: async () => failing.mend(),
      calls: async () => failing.calls,
    };
    return { spool: await openSpool(dir, ring, { disk: failing.disk }), faults };
  },
};

const threaded: Kind = {
  name: "on a thread of its own",
  open: openOnThread,
  async openFailing(dir) {
    const { spool, ask } = await openOnFailingThread(dir);
    const faults: Faults = {
      failAt: async (call, code, from = 1) => void (await ask({ kind: "failAt", call, code, from })),
      mend: async () => void (await ask({ kind: "mend" })),
      calls: () => ask({ kind: "calls" }),
    };
    return { spool, faults };
  },
};

export const spoolKinds: readonly Kind[] = [calling, threaded];

export async function openOnThread(dir: string, options: { newId?: () => string } = {}): Promise<ThreadedSpool> {
  const spool = await openThreadedSpool(dir, key, options);
  onTestFinished(() => spool.close());
  return spool;
}

/** `ask` resolves with the disk's calls so far, once the thread has done what it was asked. */
export async function openOnFailingThread(
  dir: string,
): Promise<{ spool: ThreadedSpool; ask: (what: Ask) => Promise<readonly Call[]> }> {
  const workerFile = new URL("./spool-failing-worker.ts", import.meta.url);
  const spool = await openThreadedSpool(dir, key, { workerFile });
  const channel = new BroadcastChannel(dir);
  onTestFinished(async () => {
    channel.close();
    await spool.close();
  });
  const ask = (what: Ask) =>
    new Promise<readonly Call[]>((resolve) => {
      channel.onmessage = (event: unknown) =>
        resolve((event as { readonly data: { calls: readonly Call[] } }).data.calls);
      channel.postMessage(what);
    });
  return { spool, ask };
}
