/** Files that are on disk when we say so: drafts that are fsynced, renamed and made known to their directory, and reads that hold one block. */
import * as fs from "node:fs/promises";

/** What this room asks of the file system; tests hand in one that fails. */
export type Disk = Pick<typeof fs, "open" | "rename" | "link" | "unlink" | "mkdir" | "opendir" | "stat" | "chmod">;
export const realDisk: Disk = fs;

const readBytes = 64 * 1024;

export function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** Without it a rename or a new name may be forgotten by a power cut although the file's bytes are there. */
export async function syncDirectory(dir: string, disk: Disk = realDisk): Promise<void> {
  const handle = await disk.open(dir, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Syncs one directory for many at once: who comes while a sync runs shares the next one, since the running one may have begun before
 * their rename. A failed sync fails everybody who shared it.
 */
export function sharedDirectorySync(dir: string, disk: Disk): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    const sync = syncDirectory(dir, disk).finally(() => {
      if (running === sync) running = undefined;
    });
    running = sync;
    return sync;
  };
  return () => {
    if (running === undefined) return begin();
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return begin();
      });
    return next;
  };
}

/** A file that is being written and is not promised to anybody. After any failure it is gone, and every further call rejects. */
export interface Draft {
  readonly bytes: number;
  write(bytes: Uint8Array): Promise<void>;
  /** fsync, then rename. The directory is the caller's to sync. */
  moveTo(path: string): Promise<void>;
  /** Harmless after moveTo, and twice. */
  discard(): Promise<void>;
}

/** Makes a new file for its owner alone; rejects when the name is taken. */
export async function openDraft(path: string, disk: Disk): Promise<Draft> {
  const handle = await disk.open(path, "wx", 0o600);
  let bytes = 0;
  let open = true;

  async function discard(): Promise<void> {
    if (!open) return;
    open = false;
    await handle.close().catch(() => undefined);
    await removeQuietly(path, disk);
  }

  async function orDiscard<T>(work: () => Promise<T>): Promise<T> {
    if (!open) throw new Error("this draft was committed or discarded already");
    try {
      return await work();
    } catch (error) {
      await discard();
      throw error;
    }
  }

  return {
    get bytes() {
      return bytes;
    },
    write: (given) =>
      orDiscard(async () => {
        for (let rest = given; rest.length > 0; ) {
          const { bytesWritten } = await handle.write(rest);
          bytes += bytesWritten;
          rest = rest.subarray(bytesWritten);
        }
      }),
    moveTo: (to) =>
      orDiscard(async () => {
        await handle.sync();
        await handle.close();
        await disk.rename(path, to);
        open = false;
      }),
    discard,
  };
}

/** For clearing up after a failure, which is what the caller hears of; what stays behind is swept later. */
export async function removeQuietly(path: string, disk: Disk): Promise<void> {
  await disk.unlink(path).catch(() => undefined);
}

/** The bytes of a file, read as they are asked for; undefined when there is no such file. */
export async function readStream(path: string, disk: Disk): Promise<ReadableStream<Uint8Array> | undefined> {
  return (await readRange(path, undefined, disk))?.bytes;
}

/** The same from `start` to `end` (included) or to the end of the file, and how long the whole is. */
export async function readRange(
  path: string,
  range: { readonly start: number; readonly end: number } | undefined,
  disk: Disk,
): Promise<{ bytes: ReadableStream<Uint8Array>; total: number } | undefined> {
  let handle: fs.FileHandle;
  try {
    handle = await disk.open(path, "r");
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
  const stat = await handle.stat();
  if (!stat.isFile()) {
    await handle.close();
    return undefined;
  }
  let at = range?.start ?? 0;
  const end = range === undefined ? Number.POSITIVE_INFINITY : range.end + 1;
  const bytes = new ReadableStream<Uint8Array>(
    {
      async pull(out) {
        try {
          const wanted = Math.min(readBytes, end - at);
          const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafeSlow(wanted), 0, wanted, at);
          at += bytesRead;
          if (bytesRead > 0) return out.enqueue(buffer.subarray(0, bytesRead));
        } catch (error) {
          await handle.close();
          throw error;
        }
        await handle.close();
        out.close();
      },
      cancel: () => handle.close(),
    },
    { highWaterMark: 0 },
  );
  return { bytes, total: stat.size };
}

/** Name, size and time (epoch ms) of the files of one directory; what vanishes meanwhile is left out. */
export async function* filesIn(
  dir: string,
  disk: Disk,
): AsyncIterable<{ name: string; isDirectory: boolean; bytes: number; at: number }> {
  let entries: Awaited<ReturnType<Disk["opendir"]>>;
  try {
    entries = await disk.opendir(dir);
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR")) return;
    throw error;
  }
  for await (const { name } of entries) {
    const stat = await disk.stat(`${dir}/${name}`).catch((error: unknown) => {
      if (isCode(error, "ENOENT")) return undefined;
      throw error;
    });
    if (stat === undefined) continue;
    yield { name, isDirectory: stat.isDirectory(), bytes: stat.size, at: Math.floor(stat.mtimeMs) };
  }
}

/** Deletes files by name and age (epoch ms) and returns how many. Those it cannot delete are left to the next sweep. */
export async function sweep(
  dir: string,
  disk: Disk,
  isLeftover: (name: string, at: number) => boolean,
): Promise<number> {
  let swept = 0;
  for await (const { name, at } of filesIn(dir, disk)) {
    if (!isLeftover(name, at)) continue;
    await removeQuietly(`${dir}/${name}`, disk);
    swept += 1;
  }
  return swept;
}

/** Makes a directory, with those above it, that nobody else can look into. */
export async function privateDirectory(dir: string, disk: Disk): Promise<void> {
  await disk.mkdir(dir, { recursive: true, mode: 0o700 });
  const { mode } = await disk.stat(dir);
  if ((mode & 0o077) !== 0) await disk.chmod(dir, 0o700);
}
