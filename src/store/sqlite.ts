/** The SQLite ledger's synchronous core: one connection, batches of calls in one transaction each, and what happens when the disk fails. */
import { isFatal, refuse, type StoreFailed, sqliteCode, storeFailed } from "./failed.ts";
import { readMigrations } from "./migrate.ts";
import { openAccept } from "./sqlite/accept.ts";
import { openAttempt } from "./sqlite/attempt.ts";
import { openBackstep } from "./sqlite/backstep.ts";
import { openClaim } from "./sqlite/claim.ts";
import { type Connection, type FileKind, inMemory, type OpenOptions, openConnection } from "./sqlite/connection.ts";
import { openDeadLetters, openFind } from "./sqlite/find.ts";
import { openLanes } from "./sqlite/lanes.ts";
import { type Call, type Operations, operations } from "./sqlite/operations.ts";
import { openPrepare } from "./sqlite/prepare.ts";
import { openReclaim, openRequeue } from "./sqlite/requeue.ts";
import { openArchive, openPurge } from "./sqlite/retire.ts";
import { openSettle } from "./sqlite/settle.ts";
import { openStats } from "./sqlite/stats.ts";
import { readStory } from "./sqlite/story.ts";

/** "MWLG" in the header of every ledger file. */
export const ledgerKind: FileKind = {
  applicationId: 0x4d574c47,
  name: "ledger",
  migrations: readMigrations(new URL("./sqlite/", import.meta.url)),
};

export const busyTimeoutMs = 5_000;

export interface CoreOptions {
  readonly path: string;
  readonly check: "quick" | "none";
  /** For tests that make the disk fail. */
  readonly connect?: (options: OpenOptions) => Connection;
}

export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: StoreFailed };

export interface Core {
  /** All calls in one transaction, a savepoint for each; the answers are those of the calls, and stand only once this has returned. */
  run(calls: readonly Call[]): readonly Answer[];
  close(): void;
}

/** Throws StoreFailed with a sentence when the file cannot be the ledger to go on with. */
export function openCore(options: CoreOptions): Core {
  const session = openSession(options);
  session.open();
  return {
    run(calls) {
      const answers: Answer[] = new Array(calls.length);
      const inside: number[] = [];
      for (const [index, call] of calls.entries()) {
        if (call.name === "probe") answers[index] = attemptAlone(() => session.probe(call.args[0]), options.path);
        else if (call.name === "maintain") answers[index] = attemptAlone(() => session.maintain(), options.path);
        else inside.push(index);
      }
      runInside(session, calls, inside, answers, options.path);
      return answers;
    },
    close: () => session.close(),
  };
}

function attemptAlone(work: () => unknown, path: string): Answer {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    return { ok: false, error: storeFailed(error, path, false) };
  }
}

interface Opened {
  readonly db: Connection;
  readonly does: Operations;
  readonly begin: { readonly read: () => void; readonly write: () => void };
  readonly commit: () => void;
  readonly save: () => void;
  readonly release: () => void;
  readonly undo: () => void;
}

interface Session {
  open(): void;
  /** The connection, opened again and proven where that is due. Throws otherwise. */
  ready(): Opened;
  /** Nothing this connection believes can be trusted any more. */
  suspect(code: string | undefined): void;
  probe(ms: number): void;
  maintain(): boolean;
  close(): void;
}

/** Runs the calls that belong in a transaction, and answers for each. */
function runInside(
  session: Session,
  calls: readonly Call[],
  inside: readonly number[],
  answers: Answer[],
  path: string,
): void {
  if (inside.length === 0) return;
  const fail = (indexes: readonly number[], thrown: unknown, mayBeDurable: boolean) => {
    const error = storeFailed(thrown, path, mayBeDurable);
    for (const index of indexes) answers[index] = { ok: false, error };
  };
  const writes = inside.filter((index) => !isRead(calls[index]));
  let at: Opened;
  try {
    at = session.ready();
  } catch (error) {
    fail(inside, error, false);
    return;
  }
  try {
    if (writes.length === 0) at.begin.read();
    else at.begin.write();
  } catch (error) {
    session.suspect(sqliteCode(error));
    fail(writes.length === 0 ? inside : writes, error, false);
    // Whoever holds the lock holds up writers only.
    const reads = inside.filter((index) => isRead(calls[index]));
    if (writes.length > 0 && reads.length > 0) runInside(session, calls, reads, answers, path);
    return;
  }
  let committing = false;
  try {
    for (const index of inside) answers[index] = runOne(at, calls[index], inside.length === 1, path);
    committing = true;
    at.commit();
  } catch (error) {
    // A commit that failed may have reached the disk all the same.
    fail(inside, error, committing && writes.length > 0);
    rollBack(at);
    session.suspect(sqliteCode(error));
  }
}

function isRead(call: Call | undefined): boolean {
  return call !== undefined && call.name !== "probe" && call.name !== "maintain" && operations[call.name] === "read";
}

/** Throws what spoils the whole batch; everything else is this call's own failure. */
function runOne(at: Opened, call: Call | undefined, only: boolean, path: string): Answer {
  if (call === undefined || call.name === "probe" || call.name === "maintain")
    throw new TypeError("not a call for a transaction");
  const guarded = !only && !isRead(call);
  try {
    if (guarded) at.save();
    const method = at.does[call.name] as (...args: readonly unknown[]) => unknown;
    const value = method(...call.args);
    if (guarded) at.release();
    return { ok: true, value };
  } catch (error) {
    if (isFatal(sqliteCode(error)) || !at.db.inTransaction) throw error;
    if (only) throw error;
    if (guarded) {
      at.undo();
      at.release();
    }
    return { ok: false, error: storeFailed(error, path, false) };
  }
}

function rollBack(at: Opened): void {
  try {
    if (at.db.inTransaction) at.db.exec("ROLLBACK");
  } catch {
    // The connection is given up just after this; closing it rolls back.
  }
}

function openSession(options: CoreOptions): Session {
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

function openedOn(db: Connection): Opened {
  const backstep = openBackstep(db);
  const read = db.prepare("BEGIN");
  const write = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const save = db.prepare("SAVEPOINT one");
  const release = db.prepare("RELEASE one");
  const undo = db.prepare("ROLLBACK TO one");
  return {
    db,
    does: {
      accept: openAccept(db),
      ...openAttempt(db, backstep),
      prepare: openPrepare(db),
      claim: openClaim(db, backstep),
      ...openSettle(db),
      ...openLanes(db),
      ...openFind(db),
      story: readStory(db),
      deadLetters: openDeadLetters(db),
      requeue: openRequeue(db),
      ...openArchive(db),
      purge: openPurge(db),
      stats: openStats(db),
      reclaim: openReclaim(db),
    },
    begin: { read: () => void read.run(), write: () => void write.run() },
    commit: () => void commit.run(),
    save: () => void save.run(),
    release: () => void release.run(),
    undo: () => void undo.run(),
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
  if ((free.get() ?? 0) > 0) db.prepare(`PRAGMA incremental_vacuum(${pagesAtOnce})`).all();
  if ((free.get() ?? 0) > 0) return true;
  // Never wait for a reader here: the next quiet moment does.
  db.pragma("busy_timeout = 0");
  try {
    db.pragma("wal_checkpoint(TRUNCATE)");
  } finally {
    db.pragma(`busy_timeout = ${busyTimeoutMs}`);
  }
  return false;
}
