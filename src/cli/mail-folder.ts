/** Finds the mail files of a folder, in an order that is the same every time. */
import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Cli } from "./cli.ts";
import { Failed } from "./exit.ts";

/** What stands beside mail: descriptions, pages, the half-written. */
const beside = /^\.|\.(?:json|jsonl|md|part)$/i;

/**
 * A file as it was named; of a folder all files in it and below it, by their names. Links are not followed: one that leads out of the
 * folder would hand over what nobody named.
 */
export async function mailFilesOf(named: readonly string[], cli: Cli): Promise<string[]> {
  const files: string[] = [];
  for (const name of named) {
    const path = resolve(cli.cwd, name);
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      throw new Failed(`${name} cannot be read (${error.code ?? error.message})`, 1, { cause: error });
    });
    if (!found.isDirectory()) files.push(name);
    else for await (const file of below(path)) files.push(file);
  }
  return files;
}

async function* below(folder: string): AsyncGenerator<string> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    if (beside.test(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* below(path);
    else if (entry.isFile()) yield path;
  }
}
