/** The master key file of the data folder: made once, durable, for its owner's eyes only, and never made anew beside data that needs the old one. */
import { randomBytes } from "node:crypto";
import { type FileHandle, link, open, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "./durable.ts";
import { KeyRefused, keyFromText, keyIdOf } from "./seal.ts";
import { keyBytes } from "./seal-format.ts";

export interface MasterKeyOptions {
  /** Whether there is data already that was sealed with a key. Then a missing key file is a loss, not a first start. */
  readonly dataExists: boolean;
  /** Where a new key's bytes come from; for tests. */
  readonly random?: (bytes: number) => Uint8Array;
}

/** A key file has 65 bytes; more than this is some other file. */
const maxFileBytes = 1024;

/** Rejects with KeyRefused, whose message says what is wrong with the file and the command that mends it. */
export async function loadOrCreateMasterKey(file: string, options: MasterKeyOptions): Promise<Uint8Array> {
  const found = await load(file);
  if (found !== undefined) return found;
  if (options.dataExists) {
    throw new KeyRefused(
      `the master key file ${file} is missing, but the data beside it was sealed with it: put the file back from its copy (a new key could not open that data)`,
    );
  }
  await create(file, options.random ?? randomBytes);
  const made = await load(file);
  if (made === undefined) throw new KeyRefused(`the master key file ${file} was made and is gone again`);
  return made;
}

async function load(file: string): Promise<Uint8Array | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, "r");
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw new KeyRefused(
      `the master key file ${file} cannot be read (${codeOf(error)}): give its owner's user the right to read it`,
      {
        cause: error,
      },
    );
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || stat.size > maxFileBytes) throw new KeyRefused(`${file} is not a master key file`);
    if ((stat.mode & 0o077) !== 0) {
      const mode = (stat.mode & 0o777).toString(8);
      throw new KeyRefused(
        `others than its owner can use the master key file ${file} (mode ${mode}); run: chmod 600 ${shellQuoted(file)}`,
      );
    }
    const key = keyFromText(await handle.readFile("utf8"));
    if (key === undefined) {
      throw new KeyRefused(`the master key file ${file} does not hold 64 hex digits: put it back from its copy`);
    }
    return key;
  } finally {
    await handle.close();
  }
}

/** Written aside and linked into place: a crash leaves a whole key or none, and of two first starts at once only one key stays. */
async function create(file: string, random: (bytes: number) => Uint8Array): Promise<void> {
  const key = Buffer.from(random(keyBytes));
  const draft = `${file}.${keyIdOf(key)}.new`;
  const handle = await open(draft, "wx", 0o600);
  try {
    try {
      await handle.writeFile(`${key.toString("hex")}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(draft, file).catch((error: unknown) => {
      if (!isCode(error, "EEXIST")) throw error;
    });
  } finally {
    await unlink(draft);
  }
  await syncDirectory(dirname(file));
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}

function isCode(error: unknown, code: string): boolean {
  return codeOf(error) === code;
}

function shellQuoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
