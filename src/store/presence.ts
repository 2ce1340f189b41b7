/** Tells a ledger that was never there from one that has gone: an emptied data folder must not look like a new one. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { damaged, refuse } from "./failed.ts";

/** Beside the ledger, under a name that `rm ledger*` does not match. */
export const markerPath = (path: string): string => join(dirname(path), `.${basename(path)}.marker`);

const markerSchema = z.object({
  about: z.string(),
  /** open: a process has it, or was killed while it had it. closed: the last one closed it in order. */
  state: z.enum(["open", "closed"]),
  /** Of the ledger file: a restored copy is another file. */
  inode: z.number(),
});
type Marker = z.infer<typeof markerSchema>;

const about =
  "Mailwright keeps a ledger in this folder. While this file is here, a missing ledger is an error and is not made anew.";

/** Throws StoreFailed (`missing`, `damaged`) when something that was here is not here any more. */
export function refuseMissing(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  const marker = readMarker(path);
  if (size === undefined || size === 0) {
    const trace = marker === undefined ? traceOf(dirname(path)) : `the marker ${markerPath(path)}`;
    if (trace !== undefined) throw refuse("missing", goneSentence(path, size === 0, trace));
    return;
  }
  // While it has the ledger the program never lets the log be deleted (keeper.ts), so every way it can end but an orderly one leaves it.
  // A -shm file is no evidence either way: it goes with the log when another SQLite program closes the file, and with `rm ledger*-*`.
  const sameFile = marker?.inode === statSync(path).ino;
  if (marker?.state === "open" && sameFile && !existsSync(`${path}-wal`)) {
    throw damaged(
      path,
      `it was not closed in order, and its write-ahead log ${path}-wal, which holds the last commits, is gone. Put the log back; ` +
        `if this file was just restored from a backup, or another SQLite program has opened and closed it since, nothing is missing: ` +
        `delete ${markerPath(path)}. Otherwise`,
    );
  }
}

function goneSentence(path: string, emptied: boolean, trace: string): string {
  return (
    `The ledger ${path} is ${emptied ? "empty" : "missing"}, but this data folder has held mail (${trace}). ` +
    "Put the file back, or `mailwright restore` a backup, or run `mailwright recover` to build a new ledger from what is left. " +
    "To begin anew on purpose, move the whole data folder away."
  );
}

/** Sealed mail that only a ledger can have promised. */
function traceOf(folder: string): string | undefined {
  for (const name of ["spool", "blobs"]) {
    const place = join(folder, name);
    if (existsSync(place) && readdirSync(place).length > 0) return `there are files in ${place}`;
  }
  return undefined;
}

export function mark(path: string, state: Marker["state"]): void {
  const marker: Marker = { about, state, inode: statSync(path).ino };
  const known = readMarker(path);
  if (known?.state === marker.state && known.inode === marker.inode) return;
  const file = markerPath(path);
  // Commands beside a daemon may end at the same moment: each has a draft of its own.
  const draft = `${file}.${process.pid}.new`;
  const fd = openSync(draft, "w", 0o600);
  try {
    writeSync(fd, `${JSON.stringify(marker)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(draft, file);
  syncFolder(dirname(path));
}

export function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function readMarker(path: string): Marker | undefined {
  const file = markerPath(path);
  if (!existsSync(file)) return undefined;
  try {
    return markerSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    // A marker that cannot be read still says that there was a ledger.
    return { about, state: "closed", inode: 0 };
  }
}
