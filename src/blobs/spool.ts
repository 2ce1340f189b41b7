/** The spool: sealed files of messages too large for the ledger, durable under a name before anybody is told 250. */
import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import type { Spool, SpoolDraft } from "../model/blob.ts";
import type { Sealer } from "../model/ports.ts";
import {
  type Disk,
  type Draft,
  filesIn,
  isCode,
  openDraft,
  privateDirectory,
  readStream,
  realDisk,
  removeQuietly,
  sharedDirectorySync,
  sweep,
  syncDirectory,
} from "./durable.ts";

export interface SpoolOptions {
  /** Makes the random part of a name: 1 to 64 letters, digits, hyphens and underscores, never the same twice. */
  readonly newId?: () => string;
  readonly disk?: Disk;
}

const namePattern = /^[A-Za-z0-9_-]{1,64}\.sealed$/;
const draftPattern = /^tmp-[A-Za-z0-9_-]{1,64}$/;

/** Rejects when the directory cannot be made or is not ours to close to others. */
export async function openSpool(dir: string, sealer: Sealer, options: SpoolOptions = {}): Promise<Spool> {
  const { newId = randomUUID, disk = realDisk } = options;
  await privateDirectory(dir, disk);
  await syncDirectory(dirname(dir), disk);
  const promise = openPromise(dir, disk);
  /** Drafts of this process: never swept, whatever the clock says of their age. */
  const writing = new Set<string>();

  const pathOf = (name: string): string => {
    if (!namePattern.test(name)) throw new RangeError("this is not the name of a spool file");
    return join(dir, name);
  };

  return {
    async create(label) {
      const id = newId();
      const name = `${id}.sealed`;
      const path = pathOf(name);
      const draftName = `tmp-${id}`;
      const seal = sealer.sealStream(label);
      const draft = await openDraft(join(dir, draftName), disk);
      writing.add(draftName);
      return sealedDraft(draft, seal, {
        moved: async () => {
          await draft.moveTo(path);
          return await promise(name);
        },
        over: () => writing.delete(draftName),
      });
    },
    read: async (name) => await readStream(pathOf(name), disk),
    async link(name) {
      const second = `${newId()}.sealed`;
      await disk.link(pathOf(name), pathOf(second));
      return await promise(second);
    },
    async remove(name) {
      await disk.unlink(pathOf(name)).catch((error: unknown) => {
        if (!isCode(error, "ENOENT")) throw error;
      });
    },
    async *list() {
      for await (const { name, bytes, at } of filesIn(dir, disk)) if (namePattern.test(name)) yield { name, bytes, at };
    },
    sweepDrafts: (olderThan) =>
      sweep(dir, disk, (name, at) => draftPattern.test(name) && !writing.has(name) && at < olderThan),
  };
}

/** A name is promised only once the directory has it on disk; until then the file is as good as not written. */
function openPromise(dir: string, disk: Disk): (name: string) => Promise<string> {
  const syncNames = sharedDirectorySync(dir, disk);
  return async (name) => {
    try {
      await syncNames();
    } catch (error) {
      await removeQuietly(join(dir, name), disk);
      throw error;
    }
    return name;
  };
}

/** What is written goes through the seal into the draft; a write resolves when the seal has taken it, so that one chunk at most waits. */
function sealedDraft(
  draft: Draft,
  seal: TransformStream<Uint8Array, Uint8Array>,
  { moved, over }: { moved: () => Promise<string>; over: () => void },
): SpoolDraft {
  const plain = seal.writable.getWriter();
  // Its rejection is also the writer's; this only keeps it from counting as unhandled before somebody asks.
  plain.closed.catch(() => undefined);
  const filled = pour(seal.readable, draft);
  filled.catch(() => undefined);

  async function orDiscard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      await discard();
      throw error;
    }
  }

  async function discard(): Promise<void> {
    await plain.abort(new Error("this draft was discarded")).catch(() => undefined);
    await filled.catch(() => undefined);
    await draft.discard();
    over();
  }

  return {
    write: (bytes) => orDiscard(() => plain.write(bytes)),
    commit: () =>
      orDiscard(async () => {
        await plain.close();
        await filled;
        const name = await moved();
        over();
        return name;
      }),
    discard,
  };
}

/** Rejects with what the disk said; the writing side then hears the same. */
async function pour(sealed: ReadableStream<Uint8Array>, draft: Draft): Promise<void> {
  const reader = sealed.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      await draft.write(value);
    }
  } catch (error) {
    await reader.cancel(error).catch(() => undefined);
    throw error;
  }
}
