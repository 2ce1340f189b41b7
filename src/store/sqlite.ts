/** The SQLite ledger's synchronous core: one connection, batches of calls in one transaction each, and what happens when the disk fails. */
import { isFatal, type StoreFailed, sqliteCode, storeFailed } from "./failed.ts";
import type { Opened } from "./sqlite/opened.ts";
import { type Call, operations } from "./sqlite/operations.ts";
import { openSession, type Session, type SessionOptions } from "./sqlite/session.ts";

export { ledgerKind } from "./sqlite/session.ts";

export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: StoreFailed };

export interface Core {
  /** All calls in one transaction, and yet each succeeds or fails by itself; the answers are those of the calls, and stand only once this has returned. */
  run(calls: readonly Call[]): readonly Answer[];
  close(): void;
}

/** Throws StoreFailed with a sentence when the file cannot be the ledger to go on with. */
export function openCore(options: SessionOptions): Core {
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
    // A call that fails is rare, and a savepoint for each costs two statements: only a batch with a failure in it is run again with them.
    if (!runPlainly(at, calls, inside, answers)) {
      for (const index of inside) answers[index] = runGuarded(at, calls[index], path);
    }
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

function resultOf(at: Opened, call: Call | undefined): unknown {
  if (call === undefined || call.name === "probe" || call.name === "maintain")
    throw new TypeError("not a call for a transaction");
  const method = at.does[call.name] as (...args: readonly unknown[]) => unknown;
  return method(...call.args);
}

/** False when one of several failed by itself: then nothing of any is left, in a transaction begun anew. Throws what spoils the whole batch. */
function runPlainly(at: Opened, calls: readonly Call[], inside: readonly number[], answers: Answer[]): boolean {
  try {
    for (const index of inside) answers[index] = { ok: true, value: resultOf(at, calls[index]) };
    return true;
  } catch (error) {
    if (inside.length === 1 || isFatal(sqliteCode(error)) || !at.db.inTransaction) throw error;
  }
  const reading = inside.every((index) => isRead(calls[index]));
  at.rollback();
  if (reading) at.begin.read();
  else at.begin.write();
  return false;
}

/** Throws what spoils the whole batch; everything else is this call's own failure. */
function runGuarded(at: Opened, call: Call | undefined, path: string): Answer {
  const guarded = !isRead(call);
  try {
    if (guarded) at.save();
    const value = resultOf(at, call);
    if (guarded) at.release();
    return { ok: true, value };
  } catch (error) {
    if (isFatal(sqliteCode(error)) || !at.db.inTransaction) throw error;
    if (guarded) {
      at.undo();
      at.release();
    }
    return { ok: false, error: storeFailed(error, path, false) };
  }
}

function rollBack(at: Opened): void {
  try {
    if (at.db.inTransaction) at.rollback();
  } catch {
    // The connection is given up just after this; closing it rolls back.
  }
}
