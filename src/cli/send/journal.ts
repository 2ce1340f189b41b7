/** What a replay has handed over, in a file: a run that was stopped goes on behind it. */
import { open, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Failed, usage } from "../exit.ts";

export interface Journal {
  /** Files that a server took. */
  readonly taken: ReadonlySet<string>;
  note(result: { readonly file: string; readonly ok: boolean; readonly reply: string }): Promise<void>;
  close(): Promise<void>;
}

/** Another mail every time. */
const standardInput = "-";
const nowhere: Journal = { taken: new Set(), note: async () => undefined, close: async () => undefined };

/** A line of JSON for each mail. The last may be cut off: its mail is sent again, and the daemon knows it for the same. */
export async function openJournal(named: string | undefined, cwd: string): Promise<Journal> {
  if (named === undefined) return nowhere;
  if (named === "-") throw usage("--done - : a file is wanted, which the next run reads; ./- for one of that name");
  const path = resolve(cwd, named);
  const fail = (error: NodeJS.ErrnoException): never => {
    throw new Failed(`--done ${named} cannot be used (${error.code ?? error.message})`, 1, { cause: error });
  };
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) =>
    error.code === "ENOENT" ? "" : fail(error),
  );
  const taken = new Set<string>();
  for (const line of text.split("\n")) {
    const [file, ok] = entryOf(line);
    if (ok && file !== standardInput) taken.add(file);
  }
  const handle = await open(path, "a", 0o600).catch(fail);
  if (text !== "" && !text.endsWith("\n")) await handle.write("\n");
  return {
    taken,
    note: async ({ file, ok, reply }) => void (await handle.write(`${JSON.stringify({ file, ok, reply })}\n`)),
    close: () => handle.close(),
  };
}

function entryOf(line: string): readonly [string, boolean] {
  try {
    const { file, ok } = JSON.parse(line) as { file?: unknown; ok?: unknown };
    return [String(file), ok === true];
  } catch {
    return ["", false];
  }
}
