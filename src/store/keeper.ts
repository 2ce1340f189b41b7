/** Keeps the write-ahead log beside the ledger until it is closed in order, however the ledger's thread or the process ends. */
import Database from "better-sqlite3";
import { storeFailed } from "./failed.ts";

/**
 * A thread that ends, and a connection that is given up after an I/O error, close their connection, and SQLite deletes the log with the
 * last one of a file. To the next start a log that went so looks like one that was taken away after a kill. While this idle, read-only
 * connection is there no other is the last, and it cannot delete the log itself. It holds no snapshot: checkpoints go on as without it.
 */
export interface Keeper {
  /** Takes hold of the log that is there; again after something else may have made it. Throws StoreFailed. */
  hold(): void;
  /** From now on whoever closes last takes the log away. */
  release(): void;
}

/** Reachable until released: a connection that is garbage collected is closed. */
const held = new Set<Database.Database>();

export function openKeeper(path: string): Keeper {
  let db: Database.Database | undefined;
  return {
    hold() {
      try {
        db ??= new Database(path, { readonly: true, fileMustExist: true, timeout: 5_000 });
        held.add(db);
        // A connection takes its part of the log with the first read, not when it is opened.
        db.prepare("SELECT count(*) FROM sqlite_schema").get();
      } catch (error) {
        throw storeFailed(error, path, false);
      }
    },
    release() {
      if (db === undefined) return;
      held.delete(db);
      db.close();
      db = undefined;
    },
  };
}
