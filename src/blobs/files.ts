/** The attic as local files: every key is a path below one private directory. */
import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import type { Blobs } from "../model/blob.ts";
import type { Bucket } from "./bucket.ts";
import {
  type Disk,
  filesIn,
  isCode,
  openDraft,
  privateDirectory,
  readRange,
  readStream,
  realDisk,
  sweep,
  syncDirectory,
} from "./durable.ts";
import { checkedKey, checkedPrefix, isKey } from "./keys.ts";

/** Drafts lie in the same file system, in a folder that no key can name. */
const draftFolder = ".drafts";
/** Directories known to be on disk; beyond it they are asked again. The attic's own layout has 65,536 leaves. */
const mostKnown = 100_000;

export type FileBlobs = Blobs & Bucket;

export interface FilesOptions {
  readonly newId?: () => string;
  readonly disk?: Disk;
}

/** Rejects when the directory cannot be made or is not ours to close to others. */
export async function openFiles(dir: string, options: FilesOptions = {}): Promise<FileBlobs> {
  const { newId = randomUUID, disk = realDisk } = options;
  const drafts = join(dir, draftFolder);
  await privateDirectory(dir, disk);
  await privateDirectory(drafts, disk);
  await syncDirectory(dir, disk);
  await syncDirectory(dirname(dir), disk);
  const folders = openFolders(dir, disk);
  /** An error of the disk says in a sentence where, and what to do. */
  const said = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw inWords(error, `the local files in ${dir} could not be ${what}`);
    }
  };

  return {
    put: (key, sealed) => said("written", () => put(key, sealed)),
    get: (key) => said("read", () => readStream(pathOf(dir, key), disk)),
    read: (key, range) => said("read", () => readRange(pathOf(dir, key), range, disk)),
    delete: (key) => said("deleted", () => removed(pathOf(dir, key), disk)),
    list: (prefix) => listed(dir, prefix, disk),
    sweepDrafts: (olderThan) => sweep(drafts, disk, (_name, at) => at < olderThan),
  };

  async function put(key: string, sealed: AsyncIterable<Uint8Array>): Promise<{ bytes: number }> {
    const path = pathOf(dir, key);
    const draft = await openDraft(join(drafts, newId()), disk);
    try {
      for await (const bytes of sealed) await draft.write(bytes);
      const folder = dirname(path);
      await folders.make(folder);
      await draft.moveTo(path);
      await syncDirectory(folder, disk);
    } catch (error) {
      // Somebody may have removed a folder that we remember.
      folders.forget();
      await draft.discard();
      throw error;
    }
    return { bytes: draft.bytes };
  }
}

/** What a person has to do, by the code of the system. */
const remedies = new Map([
  ["ENOSPC", "make room on its volume, or move data_dir to a larger one"],
  ["EDQUOT", "raise the quota of the user that Mailwright runs as"],
  ["EACCES", "let the user that Mailwright runs as read and write there"],
  ["EPERM", "let the user that Mailwright runs as read and write there"],
  ["EROFS", "mount its volume so that it can be written"],
  ["EMFILE", "let Mailwright open more files (LimitNOFILE)"],
  ["ENFILE", "let the system open more files (fs.file-max)"],
  ["EIO", "look at the disk (dmesg)"],
]);

/** Keeps the code, by which others tell what it was. Whatever is not of the disk stays as it is. */
function inWords(error: unknown, what: string): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const remedy = remedies.get(code);
  return remedy === undefined
    ? error
    : Object.assign(new Error(`${what} (${code}): ${remedy}`, { cause: error }), { code });
}

/** Throws RangeError, so that no text from outside becomes a path. */
function pathOf(dir: string, key: string): string {
  return join(dir, checkedKey(key));
}

async function removed(path: string, disk: Disk): Promise<boolean> {
  try {
    await disk.unlink(path);
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR", "EISDIR", "EPERM") && !(await isFile(path, disk))) return false;
    throw error;
  }
  // What retention deletes must not come back with the power.
  await syncDirectory(dirname(path), disk);
  return true;
}

async function isFile(path: string, disk: Disk): Promise<boolean> {
  return await disk.stat(path).then(
    (stat) => stat.isFile(),
    () => false,
  );
}

/** In no particular order. */
async function* listed(
  dir: string,
  prefix: string,
  disk: Disk,
): AsyncIterable<{ key: string; bytes: number; at: number }> {
  const folder = checkedPrefix(prefix).slice(0, prefix.lastIndexOf("/") + 1);
  for await (const { name, isDirectory, bytes, at } of filesIn(join(dir, folder), disk)) {
    const key = `${folder}${name}`;
    if (!isKey(key) || !key.startsWith(prefix)) continue;
    if (isDirectory) yield* listed(dir, `${key}/`, disk);
    else yield { key, bytes, at };
  }
}

/**
 * Makes the folders of a key, and syncs the folder above each: a new name is on disk only with that. A folder that is there already may
 * be one that was made just before a power cut, so the first use in a process syncs it too; after that it is remembered.
 */
function openFolders(root: string, disk: Disk) {
  const known = new Set<string>();

  async function make(folder: string): Promise<void> {
    if (folder === root || known.has(folder)) return;
    const above = dirname(folder);
    await make(above);
    await disk.mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
      if (!isCode(error, "EEXIST")) throw error;
    });
    await syncDirectory(above, disk);
    if (known.size >= mostKnown) known.clear();
    known.add(folder);
  }

  return { make, forget: () => known.clear() };
}
