/** The far side of the spool's thread: takes batches, seals and writes what they hold, and answers each step. */
import { writeSync } from "node:fs";
import type { MessagePort } from "node:worker_threads";
import type { SpoolDraft } from "../model/blob.ts";
import { type Disk, realDisk } from "./durable.ts";
import { openKeyRing } from "./seal.ts";
import type { Batch, Step } from "./spool-batches.ts";
import { appendEach, openDrafts, openPromise } from "./spool-drafts.ts";

export interface SpoolThreadData {
  readonly dir: string;
  /** The master key. */
  readonly key: string | Uint8Array;
}

export type SpoolOrder = { readonly kind: "batch"; readonly batch: Batch } | { readonly kind: "close" };

/** An error loses its code on the way between threads, so that travels beside it. */
export interface PostedError {
  readonly error: unknown;
  readonly code: string | undefined;
}

export type SpoolReport =
  | { readonly kind: "ready" }
  /** All bytes of a batch have been written, or their drafts are broken. */
  | { readonly kind: "written"; readonly buffer: ArrayBuffer }
  /** The answers to create, commit and discard, for each draft in the order in which they were asked. */
  | { readonly kind: "done"; readonly id: string; readonly sha256?: string }
  | ({ readonly kind: "failed"; readonly id: string } & PostedError)
  /** A write failed. Nobody waits for it; the next call on the draft has to hear of it. */
  | ({ readonly kind: "broken"; readonly id: string } & PostedError);

/** Writes within the call: this thread has nothing else to do, and the way through the pool takes longer than the page cache. */
const blockingDisk: Disk = {
  ...realDisk,
  async open(...given) {
    const handle = await realDisk.open(...given);
    const { fd } = handle;
    const write = async (bytes: Uint8Array) => ({ bytesWritten: writeSync(fd, bytes), buffer: bytes });
    return Object.assign(handle, { write });
  },
};

export function serveDrafts(port: MessagePort, { dir, key }: SpoolThreadData, disk: Disk = blockingDisk): void {
  const promised = openPromise(dir, disk);
  const drafts = openDrafts({ dir, sealer: openKeyRing({ key }), disk, promised, append: appendEach });
  const open = new Map<string, Promise<SpoolDraft>>();
  const post = (report: SpoolReport, transferred: ArrayBuffer[] = []) => port.postMessage(report, transferred);

  const draftOf = async (id: string): Promise<SpoolDraft> => {
    const draft = open.get(id);
    if (draft === undefined) throw new TypeError("the spool's thread does not know this draft");
    return await draft;
  };

  async function answer(id: string, work: Promise<{ sha256?: string }>): Promise<void> {
    try {
      const { sha256 } = await work;
      post({ kind: "done", id, ...(sha256 === undefined ? {} : { sha256 }) });
    } catch (error) {
      post({ kind: "failed", id, error, code: codeOf(error) });
    }
  }

  /** Resolves when the bytes of this step are no longer needed. */
  async function take(step: Step, plain: Uint8Array): Promise<void> {
    const { kind, id } = step;
    switch (kind) {
      case "create": {
        const created = drafts.create(id, step.label);
        open.set(id, created);
        void answer(
          id,
          created.then(() => ({})),
        );
        return;
      }
      case "write":
        return await draftOf(id)
          .then((draft) => draft.write(plain))
          .catch((error: unknown) => post({ kind: "broken", id, error, code: codeOf(error) }));
      case "commit":
        void answer(id, commit(id));
        return;
      case "discard":
        void answer(id, discard(id));
        return;
      default:
        kind satisfies never;
    }
  }

  async function commit(id: string): Promise<{ sha256: string }> {
    const committed = await (await draftOf(id)).commit();
    open.delete(id);
    return committed;
  }

  async function discard(id: string): Promise<Record<string, never>> {
    const draft = open.get(id);
    open.delete(id);
    // A draft that could not be made left nothing.
    await (await draft?.catch(() => undefined))?.discard();
    return {};
  }

  async function takeAll({ steps, bytes }: Batch): Promise<void> {
    let at = 0;
    const taken = steps.map((step) => {
      const from = at;
      if (step.kind === "write") at += step.length;
      return take(step, bytes.subarray(from, at));
    });
    await Promise.all(taken);
    post({ kind: "written", buffer: bytes.buffer }, [bytes.buffer]);
  }

  port.on("message", (order: SpoolOrder) => {
    if (order.kind === "batch") void takeAll(order.batch);
    else port.close();
  });
  post({ kind: "ready" });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
