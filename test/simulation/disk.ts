/** Spool and attic on a disk in memory that keeps what was synced, and at a crash nothing else. */
import { createHash } from "node:crypto";
import type { Blobs, Spool, SpoolDraft } from "../../src/model/blob.ts";
import type { Clock, Sealer } from "../../src/model/ports.ts";
import type { Chance } from "./chance.ts";

interface File {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/** What the disk says when it fails. */
class DiskFailed extends Error {
  override readonly name = "DiskFailed";
  readonly code = "EIO";
}

export interface MemoryDisk {
  readonly spool: Spool;
  readonly blobs: Blobs;
  /** From now on this share of all writes fails, half of them after they were done, and half as many reads. */
  failing(share: number): void;
  /** The process is gone: what was not synced goes, or comes back where its removal was not. */
  crash(): void;
  readonly spooled: ReadonlyMap<string, unknown>;
  readonly archived: ReadonlyMap<string, unknown>;
}

export function openMemoryDisk(sealer: Pick<Sealer, "sealStream">, clock: Clock, chance: Chance): MemoryDisk {
  const spooled = new Map<string, File>();
  const archived = new Map<string, File>();
  let drafts = new Map<string, number>();
  /** Removals that no fsync of their directory has made lasting. */
  let unsynced: [Map<string, File>, string, File][] = [];
  let share = 0;
  let names = 0;

  async function written<T>(work: () => Promise<T> | T): Promise<T> {
    if (chance.flip(share / 2)) throw new DiskFailed("EIO: i/o error, nothing was written");
    const value = await work();
    if (chance.flip(share / 2)) throw new DiskFailed("EIO: i/o error on fsync, after the write");
    return value;
  }

  async function read<T>(work: () => T): Promise<T> {
    if (chance.flip(share / 2)) throw new DiskFailed("EIO: i/o error on read");
    return work();
  }

  function drop(files: Map<string, File>, name: string): boolean {
    const file = files.get(name);
    if (file === undefined) return false;
    files.delete(name);
    unsynced.push([files, name, file]);
    return true;
  }

  function draft(label: string): SpoolDraft {
    const id = `tmp-${names++}`;
    drafts.set(id, clock.now());
    const held: Uint8Array[] = [];
    return {
      write: (plain) =>
        written(() => {
          held.push(plain.slice());
        }),
      commit: () =>
        written(async () => {
          if (!drafts.delete(id)) throw new DiskFailed("ENOENT: the draft is gone");
          const name = `${id.slice(4)}.sealed`;
          const plain = Buffer.concat(held);
          const bytes = await passed(plain, sealer.sealStream(label));
          spooled.set(name, { bytes, at: clock.now() });
          return { name, sha256: createHash("sha256").update(plain).digest("hex") };
        }),
      async discard() {
        drafts.delete(id);
      },
    };
  }

  const spool: Spool = {
    create: (label) => written(() => draft(label)),
    read: (name) => read(() => streamOf(spooled.get(name))),
    link: (name) =>
      written(() => {
        const file = spooled.get(name);
        if (file === undefined) throw new DiskFailed("ENOENT: there is nothing to link to");
        const second = `${names++}.sealed`;
        spooled.set(second, { ...file, at: clock.now() });
        return second;
      }),
    remove: (name) =>
      written(() => {
        drop(spooled, name);
      }),
    async *list() {
      for (const [name, { bytes, at }] of [...spooled]) yield { name, bytes: bytes.length, at };
    },
    async sweepDrafts(olderThan) {
      const old = [...drafts].filter(([, at]) => at < olderThan);
      for (const [id] of old) drafts.delete(id);
      return old.length;
    },
  };

  const blobs: Blobs = {
    async put(key, sealed) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of sealed) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      return await written(() => {
        archived.set(key, { bytes, at: clock.now() });
        return { bytes: bytes.length };
      });
    },
    get: (key) => read(() => streamOf(archived.get(key))),
    delete: (key) => written(() => drop(archived, key)),
    async *list(prefix) {
      for (const [key, { bytes, at }] of [...archived])
        if (key.startsWith(prefix)) yield { key, bytes: bytes.length, at };
    },
  };

  return {
    spool,
    blobs,
    spooled,
    archived,
    failing(given) {
      share = given;
    },
    crash() {
      // What was being written is lost, or lies about until it is swept.
      drafts = new Map([...drafts].filter(() => chance.flip(0.5)));
      for (const [files, name, file] of unsynced) if (chance.flip(0.2)) files.set(name, file);
      unsynced = [];
    },
  };
}

function streamOf(file: File | undefined): ReadableStream<Uint8Array> | undefined {
  if (file === undefined) return undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new Uint8Array(file.bytes));
      controller.close();
    },
  });
}

async function passed(plain: Uint8Array, stream: TransformStream<Uint8Array, Uint8Array>): Promise<Uint8Array> {
  const writer = stream.writable.getWriter();
  const writing = writer.write(plain).then(() => writer.close());
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream.readable) chunks.push(chunk);
  await writing;
  return Buffer.concat(chunks);
}
