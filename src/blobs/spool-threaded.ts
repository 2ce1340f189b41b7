/** The spool whose drafts are hashed, sealed and written by a worker thread, started again when it dies; the calling thread copies bytes. */
import { extname, join } from "node:path";
import type { Spool, SpoolDraft } from "../model/blob.ts";
import type { Log } from "../model/ports.ts";
import { realDisk, removeQuietly } from "./durable.ts";
import { openSpoolOver, type SpoolOptions } from "./spool.ts";
import { type Drafts, draftName, spoolName } from "./spool-drafts.ts";
import { startThread, type Thread } from "./spool-thread.ts";

export interface ThreadedSpool extends Spool {
  /** Ends the thread. Drafts that are not committed by then are not. */
  close(): Promise<void>;
}

export interface ThreadedSpoolOptions extends Pick<SpoolOptions, "newId"> {
  readonly log?: Log;
  /** What the thread runs; for tests, whose disk fails. */
  readonly workerFile?: URL;
}

/** The same file as source and as emitted: spool-worker.ts or spool-worker.js. */
const ownWorkerFile = new URL(`./spool-worker${extname(import.meta.filename)}`, import.meta.url);

/** `key` is the master key. Rejects when the directory cannot be made, or the thread cannot start. */
export async function openThreadedSpool(
  dir: string,
  key: string | Uint8Array,
  { log, workerFile = ownWorkerFile, ...options }: ThreadedSpoolOptions = {},
): Promise<ThreadedSpool> {
  let running: Promise<Thread> | undefined;
  let closed = false;

  function thread(): Promise<Thread> {
    if (closed) throw new Error("the spool is closed");
    if (running !== undefined) return running;
    const starting = startThread(workerFile, { dir, key }, (code) => {
      if (running === starting) running = undefined;
      if (!closed) log?.error({ code }, "the spool's thread ended; it is started again with the next large message");
    });
    starting.catch(() => {
      if (running === starting) running = undefined;
    });
    running = starting;
    return starting;
  }

  const drafts: Drafts = {
    create: async (id, label) => await draftOn(await thread(), { dir, id, label }),
  };
  const spool = await openSpoolOver(dir, () => drafts, options);
  await thread();
  return {
    ...spool,
    async close() {
      closed = true;
      // One that could not start has nothing to end.
      const last = await running?.catch(() => undefined);
      await last?.close();
    },
  };
}

async function draftOn(
  thread: Thread,
  { dir, id, label }: { dir: string; id: string; label: string },
): Promise<SpoolDraft> {
  let committed = false;

  /** What a thread that died can have left: the draft, or the file of a commit whose answer never came. */
  async function clear(): Promise<void> {
    for (const name of [draftName(id), spoolName(id)]) await removeQuietly(join(dir, name), realDisk);
  }

  async function discard(): Promise<void> {
    if (committed) return;
    try {
      await thread.ask({ kind: "discard", id });
    } catch (error) {
      if (!thread.ended()) throw error;
      await clear();
    } finally {
      thread.forget(id);
    }
  }

  try {
    await thread.ask({ kind: "create", id, label });
  } catch (error) {
    await discard();
    throw error;
  }
  return {
    write: (plain) => thread.write(id, plain),
    async commit() {
      const { sha256 } = await thread.ask({ kind: "commit", id });
      if (sha256 === undefined) throw new TypeError("the spool's thread gave no digest");
      committed = true;
      thread.forget(id);
      return { name: spoolName(id), sha256 };
    },
    discard,
  };
}
