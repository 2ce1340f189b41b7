/** The core's connection through good and bad times: given up after an I/O error, opened again, and proven before it is trusted. */
import { isFatal, refuse, type StoreFailed, sqliteCode, storeFailed } from "../failed.ts";
import { readMigrations } from "../migrate.ts";
import { type Connection, type FileKind, inMemory, type OpenOptions, openConnection } from "./connection.ts";
import { type Opened, openedOn } from "./opened.ts";

/** "MWLG" in the header of every ledger file. */
export const ledgerKind: FileKind = {
  applicationId: 0x4d574c47,
  name: "ledger",
  migrations: readMigrations(new URL("./", import.meta.url)),
};

export const busyTimeoutMs = 5_000;

export interface SessionOptions {
  readonly path: string;
  readonly check: "quick" | "none";
  /** For tests that make the disk fail. */
  readonly connect?: (options: OpenOptions) => Connection;
}

export interface Session {
  open(): void;
  /** The connection, opened again and proven where that is due. Throws otherwise. */
  ready(): Opened;
  /** Nothing this connection believes can be trusted any more. */
  suspect(code: string | undefined): void;
  probe(ms: number): void;
  maintain(): boolean;
  close(): void;
}

export function openSession(options: SessionOptions): Session {
  const { path } = options;
  const connect = options.connect ?? openConnection;
  let opened: Opened | undefined;
  let closed = false;
  let unproven = false;
  let damage: StoreFailed | undefined;

  function open(check: "quick" | "none"): Opened {
    const db = connect({ path, kind: ledgerKind, check, busyTimeoutMs });
    try {
      return openedOn(db);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  function ready(): Opened {
    if (closed) throw refuse("closed", `The ledger ${path} was closed.`);
    if (damage !== undefined) throw damage;
    if (opened === undefined) {
      try {
        opened = open(unproven && !inMemory(path) ? "quick" : "none");
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "damaged")
          damage = storeFailed(error, path, false);
        throw error;
      }
    }
    if (unproven) {
      try {
        prove(opened.db, connect, path);
      } catch (error) {
        giveUp();
        throw error;
      }
      unproven = false;
    }
    return opened;
  }

  function giveUp(): void {
    // An in-memory ledger lives in its connection.
    if (inMemory(path)) return;
    const db = opened?.db;
    opened = undefined;
    try {
      db?.close();
    } catch {
      // What cannot be closed is left behind; it holds no lock that a commit would not have held.
    }
  }

  return {
    open() {
      opened = open(options.check);
    },
    ready,
    suspect(code) {
      if (!isFatal(code)) return;
      unproven = true;
      giveUp();
    },
    probe(ms) {
      const { db } = ready();
      db.pragma(`busy_timeout = ${Math.max(0, Math.floor(ms))}`);
      try {
        write(db);
      } catch (error) {
        this.suspect(sqliteCode(error));
        throw error;
      } finally {
        if (db.open) db.pragma(`busy_timeout = ${busyTimeoutMs}`);
      }
    },
    maintain() {
      const { db } = ready();
      try {
        return tidy(db);
      } catch (error) {
        this.suspect(sqliteCode(error));
        throw error;
      }
    },
    close() {
      closed = true;
      opened?.db.close();
      opened = undefined;
    },
  };
}

/** A commit like that of an accept, on one page. */
function write(db: Connection): number {
  return db
    .transaction(
      () => db.prepare<[], number>("UPDATE ledger SET probe = probe + 1 RETURNING probe").pluck().get() ?? -1,
    )
    .immediate();
}

/** After an I/O error: writes, and reads back through a connection that has seen nothing of it. */
function prove(db: Connection, connect: (options: OpenOptions) => Connection, path: string): void {
  const written = write(db);
  if (inMemory(path)) return;
  const second = connect({ path, kind: ledgerKind, check: "none", busyTimeoutMs });
  try {
    const found = second.prepare<[], number>("SELECT probe FROM ledger").pluck().get();
    if (found !== written) throw refuse("suspect", `The disk under ${path} does not give back what was written to it.`);
  } finally {
    second.close();
  }
}

const pagesAtOnce = 1_000;

/** One slice of giving freed pages back to the file system; the WAL is emptied when nothing else is left. True when there is more to do. */
function tidy(db: Connection): boolean {
  const free = db.prepare<[], number>("PRAGMA freelist_count").pluck();
  const before = free.get() ?? 0;
  if (before > 0) db.exec(`PRAGMA incremental_vacuum(${pagesAtOnce})`);
  const after = free.get() ?? 0;
  if (after > 0 && after < before) return true;
  // Never wait for a reader here: the next quiet moment does.
  db.pragma("busy_timeout = 0");
  try {
    db.pragma("wal_checkpoint(TRUNCATE)");
  } finally {
    db.pragma(`busy_timeout = ${busyTimeoutMs}`);
  }
  return false;
}
