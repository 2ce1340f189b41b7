/** Keeps a second daemon out of a data folder: a lock that the operating system itself takes back when the process dies, however it dies. */
import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { refuse, sqliteCode } from "./failed.ts";

export interface DataFolderLock {
  release(): void;
}

/** A handle that nothing refers to would be collected, and the lock with it. */
const held = new Set<Database.Database>();

/**
 * Throws StoreFailed (`locked`) when another process, or this one, has the folder. Node has no flock, so the lock is an exclusive
 * transaction on a database of its own. It rests on POSIX record locks: nothing in this process may open and close the lock file by other
 * means, for that would let it go (fcntl(2)).
 */
export function lockDataFolder(dir: string): DataFolderLock {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, "daemon.lock");
  if (!existsSync(file)) closeSync(openSync(file, "a", 0o600));
  const db = new Database(file, { timeout: 0 });
  try {
    db.pragma("locking_mode = EXCLUSIVE");
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    if (sqliteCode(error)?.startsWith("SQLITE_BUSY") === true) {
      throw refuse("locked", `Another Mailwright daemon works in ${dir}. Stop it first, or set another data_dir.`);
    }
    const said = error instanceof Error ? error.message : String(error);
    throw refuse("locked", `The data folder ${dir} cannot be locked: ${said} (${file}). Look at its owner and mode.`);
  }
  held.add(db);
  return {
    release() {
      if (!held.delete(db)) return;
      db.exec("ROLLBACK");
      db.close();
    },
  };
}
