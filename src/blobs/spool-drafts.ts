/** Spool drafts: plain bytes in, a sealed file out, durable under its name before the name is given. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { SpoolDraft } from "../model/blob.ts";
import { type Disk, type Draft, openDraft, removeQuietly, sharedDirectorySync } from "./durable.ts";
import type { KeyRing } from "./seal.ts";

/** Where drafts are sealed and written: on the calling thread, or on one of its own. Calls on one draft take effect in their order. */
export interface Drafts {
  /** The file is `draftName(id)`, and `spoolName(id)` after commit. Rejects with RangeError for too long a label. */
  create(id: string, label: string): Promise<SpoolDraft>;
}

export const draftName = (id: string): string => `tmp-${id}`;
export const spoolName = (id: string): string => `${id}.sealed`;

/** Resolves with the name when it is durable; when it rejects, the name is gone again. */
export type Promised = (name: string) => Promise<string>;

/** A name is promised only once the directory has it on disk; until then the file is as good as not written. */
export function openPromise(dir: string, disk: Disk): Promised {
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

/** Runs what it is given one after another, whether or not the callers wait; a failure is its caller's alone. */
export function inTurn(): <T>(work: () => Promise<T>) => Promise<T> {
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = tail.then(work);
    tail = done.catch(() => undefined);
    return done;
  };
}

/** How the sealed pieces of one write get into the file. */
type Append = (draft: Draft, pieces: readonly Uint8Array[]) => Promise<void>;

/** For a disk whose calls go through the pool: one call costs more than the copy. */
export const appendJoined: Append = async (draft, pieces) => {
  if (pieces.length > 0) await draft.write(Buffer.concat(pieces));
};

/** For a disk that writes within the call. */
export const appendEach: Append = async (draft, pieces) => {
  for (const piece of pieces) await draft.write(piece);
};

export interface DraftsOptions {
  readonly dir: string;
  readonly sealer: Pick<KeyRing, "sealing">;
  readonly disk: Disk;
  readonly promised: Promised;
  readonly append?: Append;
}

/** On the calling thread. A write resolves when the file system has taken what it filled, so that one chunk at most waits. */
export function openDrafts({ dir, sealer, disk, promised, append = appendJoined }: DraftsOptions): Drafts {
  return {
    async create(id, label) {
      const seal = sealer.sealing(label);
      const draft = await openDraft(join(dir, draftName(id)), disk);
      const turn = inTurn();
      const sha256 = createHash("sha256");
      let sealed: Uint8Array[] = [seal.header];
      const emit = (piece: Uint8Array) => sealed.push(piece);
      const appendSealed = async (): Promise<void> => {
        const pieces = sealed;
        sealed = [];
        await append(draft, pieces);
      };
      return {
        write: (plain) =>
          turn(async () => {
            sha256.update(plain);
            seal.push(plain, emit);
            await appendSealed();
          }),
        commit: () =>
          turn(async () => {
            seal.end(emit);
            await appendSealed();
            const name = spoolName(id);
            await draft.moveTo(join(dir, name));
            return { name: await promised(name), sha256: sha256.digest("hex") };
          }),
        discard: () => turn(() => draft.discard()),
      };
    },
  };
}
