/** Ledgers with something in them, and ways to break them as disks do. */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import Database from "better-sqlite3";
import type { StepNote } from "../../src/model/ledger.ts";
import type { Placed } from "../../src/model/threads.ts";
import { openLedger } from "../../src/store/index.ts";
import { facts } from "./contract/threads.ts";
import { bytes, lane, message, preparedOf, steps } from "./contract/world.ts";
import type { Folder } from "./folder.ts";

export const pageBytes = 4096;

/**
 * A closed ledger of `count` messages: the first third waits for its parse, of the rest every other one is delivered. Numbers are stable.
 */
export async function filledLedger(folder: Folder, count: number): Promise<string> {
  const path = folder.file("ledger.sqlite");
  const ledger = await openLedger({ path, thread: "calling" });
  const names = Array.from({ length: count }, (_, n) => `m${n}`);
  await ledger.accept(
    names.map((name) => message(name, { raw: { kind: "inline", sealed: bytes(`raw of ${name} ${"x".repeat(500)}`) } })),
  );
  const room = Math.floor((count * 2) / 3);
  const attempts = await ledger.attempt({ tenants: ["acme"], room, now: 1_500, leaseMs: 1 });
  await ledger.prepare(
    attempts.map((attempt, n) => ({
      ...preparedOf(attempt, { [lane]: steps("person-p", `activity-${attempt.eventId}`) }),
      thread: inTrios(n),
    })),
  );
  const { claims } = await ledger.claim({ lane, room: Math.floor(room / 2), now: 3_000, leaseMs: 1_000 });
  for (const claim of claims) {
    const notes = claim.steps.map(
      ({ id, key }): StepNote => ({ step: id, state: "confirmed", at: 3_000, ref: `ref-of-${key}`, adopted: false }),
    );
    await ledger.settle({ claim, at: 3_000, settlement: { state: "processed" }, steps: notes });
  }
  await ledger.reclaim(4_000);
  await ledger.close();
  return path;
}

/** Conversations of three: each names those before it. */
function inTrios(n: number): Placed {
  const first = n - (n % 3);
  const names = Array.from({ length: n % 3 }, (_, at) => `id-m${first + at}`);
  const thread = { parent_event_id: null, confidence: 1, method: "new", review: false, candidates: [] } as const;
  return {
    facts: facts(`m${n}`, { names }),
    thread: { ...thread, thread_id: `thread-m${first}`, candidates: [] },
    moved: [],
  };
}

/** Overwrites whole pages (counted from 1) with bytes that are no page. */
export function damagePages(path: string, pages: readonly number[]): void {
  const fd = openSync(path, "r+");
  try {
    const page = Buffer.alloc(pageBytes);
    for (const number of pages) {
      for (let at = 0; at < pageBytes; at++) page[at] = (at * 31 + number * 17 + 0x55) & 0xff;
      writeSync(fd, page, 0, pageBytes, (number - 1) * pageBytes);
    }
  } finally {
    closeSync(fd);
  }
}

/** First byte of a page: 13 is a leaf of a table, 5 its inside, 10 and 2 those of an index. */
export function pageKind(path: string, page: number): number {
  const fd = openSync(path, "r");
  try {
    const first = Buffer.alloc(1);
    readSync(fd, first, 0, 1, (page - 1) * pageBytes + (page === 1 ? 100 : 0));
    return first[0] ?? 0;
  } finally {
    closeSync(fd);
  }
}

export function rawOpen<T>(path: string, work: (db: Database.Database) => T): T {
  const db = new Database(path);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

/** The pages that hold a table's rows, by SQLite's own account. */
export function pagesOf(path: string, table: string): number[] {
  return rawOpen(path, (db) =>
    db
      .prepare<[string], number>("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY pageno")
      .pluck()
      .all(table),
  );
}
