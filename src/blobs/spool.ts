/** The spool: sealed files of messages too large for the ledger, durable under a name before anybody is told 250. */
import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import type { Spool, SpoolDraft } from "../model/blob.ts";
import { type Disk, filesIn, isCode, privateDirectory, readStream, realDisk, sweep, syncDirectory } from "./durable.ts";
import type { KeyRing } from "./seal.ts";
import { type Drafts, draftName, openDrafts, openPromise, type Promised, spoolName } from "./spool-drafts.ts";

export interface SpoolOptions {
  /** Makes the random part of a name: 1 to 64 letters, digits, hyphens and underscores, never the same twice. */
  readonly newId?: () => string;
  readonly disk?: Disk;
}

const namePattern = /^[A-Za-z0-9_-]{1,64}\.sealed$/;
const draftPattern = /^tmp-[A-Za-z0-9_-]{1,64}$/;

/** Rejects when the directory cannot be made or is not ours to close to others. */
export async function openSpool(
  dir: string,
  sealer: Pick<KeyRing, "sealing">,
  options: SpoolOptions = {},
): Promise<Spool> {
  const disk = options.disk ?? realDisk;
  return await openSpoolOver(dir, (promised) => openDrafts({ dir, sealer, disk, promised }), options);
}

/** The same over drafts that are written somewhere else. */
export async function openSpoolOver(
  dir: string,
  draftsOf: (promised: Promised) => Drafts,
  { newId = randomUUID, disk = realDisk }: SpoolOptions,
): Promise<Spool> {
  await privateDirectory(dir, disk);
  await syncDirectory(dirname(dir), disk);
  const promised = openPromise(dir, disk);
  const drafts = draftsOf(promised);
  /** Drafts of this process: never swept, whatever the clock says of their age. */
  const writing = new Set<string>();

  const pathOf = (name: string): string => {
    if (!namePattern.test(name)) throw new RangeError("this is not the name of a spool file");
    return join(dir, name);
  };

  return {
    async create(label) {
      const id = newId();
      pathOf(spoolName(id));
      const name = draftName(id);
      writing.add(name);
      const over = () => writing.delete(name);
      try {
        return guarded(await drafts.create(id, label), over);
      } catch (error) {
        over();
        throw error;
      }
    },
    read: async (name) => await readStream(pathOf(name), disk),
    async link(name) {
      const second = spoolName(newId());
      await disk.link(pathOf(name), pathOf(second));
      return await promised(second);
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

/** A draft that fails is discarded, and one that ended, in either way, takes nothing more. */
function guarded(draft: SpoolDraft, over: () => void): SpoolDraft {
  let ended: string | undefined;

  async function orDiscard<T>(work: () => Promise<T>): Promise<T> {
    if (ended !== undefined) throw new Error(`this draft was ${ended} already`);
    try {
      return await work();
    } catch (error) {
      await discard();
      throw error;
    }
  }

  async function discard(): Promise<void> {
    ended ??= "discarded";
    await draft.discard();
    over();
  }

  return {
    write: (plain) => orDiscard(() => draft.write(plain)),
    commit: () =>
      orDiscard(() => {
        const committed = draft.commit();
        ended = "committed";
        return committed.finally(over);
      }),
    discard,
  };
}
