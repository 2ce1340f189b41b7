/** Writes down where a message stands, in the transaction of its event, and has those planned again that stand elsewhere because of it. */
import type { Placed } from "../../model/threads.ts";
import type { Connection } from "./connection.ts";
import { openStory } from "./story.ts";
import { factsFrom, factsText, keysOf } from "./thread-keys.ts";

interface Known {
  thread: string;
  begins: string;
  written_at: number;
  facts: string;
}

interface Moved {
  seq: number;
  thread: string;
  raw_kind: string;
}

/** A message whose place, or whose deal, is another one now: no dead letter comes back to life by it. */
export type PlanAgain = (seq: number) => void;

export function openPlanAgain(db: Connection): PlanAgain {
  // As a merged route does.
  const planAgain = db.prepare(
    "UPDATE event SET stage = 'accepted', turn = 0, due_at = 0, parse_attempts = 0 WHERE seq = ? AND stage = 'prepared'",
  );
  const planOnceMore = db.prepare("UPDATE event SET again = 1 WHERE seq = ? AND lease IS NOT NULL");
  return (seq) => {
    planAgain.run(seq);
    planOnceMore.run(seq);
  };
}

export type Place = (event: number, placed: Placed, now: number) => void;

export function openPlace(db: Connection): Place {
  const tell = openStory(db);
  const name = openNames(db);
  const known = db.prepare<[number], Known>("SELECT thread, begins, written_at, facts FROM threaded WHERE message = ?");
  const insert = db.prepare(
    `INSERT INTO threaded (message, placed, thread, begins, written_at, facts)
       VALUES (?, (SELECT coalesce(max(placed), 0) + 1 FROM threaded), ?, ?, ?, ?)`,
  );
  const change = db.prepare("UPDATE threaded SET thread = ?, begins = ?, written_at = ?, facts = ? WHERE message = ?");
  const addKey = db.prepare("INSERT OR IGNORE INTO thread_key (key, at, message, near) VALUES (?, ?, ?, ?)");
  const dropKey = db.prepare("DELETE FROM thread_key WHERE key = ? AND at = ? AND message = ?");
  const elsewhere = db.prepare<[string], Moved>(
    "SELECT t.message AS seq, t.thread, e.raw_kind FROM threaded t JOIN event e ON e.seq = t.message WHERE e.event_id = ?",
  );
  const move = db.prepare("UPDATE threaded SET thread = ? WHERE message = ?");
  const planAgain = openPlanAgain(db);

  function write(event: number, { facts, thread: { thread_id: thread } }: Placed): void {
    const { begins, writtenAt, eventId, tenant } = facts;
    const text = factsText(facts);
    const before = known.get(event);
    if (before === undefined) insert.run(event, thread, begins, writtenAt, text);
    else change.run(thread, begins, writtenAt, text, event);
    if (before !== undefined && before.thread !== thread) name.left(before.thread, thread);
    name.used(thread);
    if (before !== undefined && before.facts === text && before.written_at === writtenAt) return;
    if (before !== undefined) {
      const old = factsFrom(before.facts, { eventId, tenant, begins: before.begins, writtenAt: before.written_at });
      for (const { key } of keysOf(old)) dropKey.run(key, before.written_at, event);
    }
    for (const { key, near } of keysOf(facts)) addKey.run(key, writtenAt, event, near);
  }

  return (event, placed, now) => {
    write(event, placed);
    for (const { eventId, threadId } of placed.moved) {
      const other = elsewhere.get(eventId);
      if (other === undefined || other.thread === threadId || other.seq === event) continue;
      move.run(threadId, other.seq);
      name.left(other.thread, threadId);
      name.used(threadId);
      if (other.raw_kind === "gone") {
        tell(other.seq, now, "belongs to another thread now; its raw bytes are gone, so it is not planned again");
        continue;
      }
      planAgain(other.seq);
      tell(other.seq, now, "belongs to another thread now; it is planned again");
    }
  };
}

/** Names that are no longer used lead to where their messages went. */
function openNames(db: Connection) {
  const used = db.prepare<[string], number>("SELECT 1 FROM threaded WHERE thread = ? LIMIT 1").pluck();
  const leadTo = db.prepare(
    "INSERT INTO thread_alias (alias, thread) VALUES (?, ?) ON CONFLICT DO UPDATE SET thread = excluded.thread",
  );
  const pass = db.prepare("UPDATE thread_alias SET thread = ? WHERE thread = ?");
  const drop = db.prepare("DELETE FROM thread_alias WHERE alias = ?");
  return {
    /** A message went from one to another. */
    left(from: string, to: string): void {
      if (used.get(from) !== undefined) return;
      pass.run(to, from);
      leadTo.run(from, to);
    },
    used(name: string): void {
      drop.run(name);
    },
  };
}
