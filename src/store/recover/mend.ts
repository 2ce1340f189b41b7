/** Makes saved rows a ledger again: heads, open plans, raw bytes and remembered records that agree with each other. */

import type { Connection } from "../sqlite/connection.ts";
import { openElect } from "../sqlite/head.ts";
import { openStory } from "../sqlite/story.ts";
import { factsFrom, keysOf } from "../sqlite/thread-keys.ts";

/** `gaps`: deliveries or steps are missing somewhere, so every message is planned again that still can be. */
export function mend(db: Connection, gaps: boolean): { replanned: number; rawLost: number } {
  return db.transaction(() => {
    rememberRefs(db);
    keysOfThreads(db);
    bodiesThatAreThere(db);
    const rawLost = rawThatIsGone(db);
    const replanned = planAgain(db, gaps);
    electAll(db);
    return { replanned, rawLost };
  })();
}

/** What steps confirmed in the account that the lane has now is known to it, whether or not that page could be read. */
function rememberRefs(db: Connection): void {
  // A lane whose row is lost has the newest account that its deliveries know of.
  db.exec(
    "UPDATE lane SET binding = max(binding, coalesce((SELECT max(d.binding) FROM delivery d WHERE d.lane = lane.name), 0))",
  );
  db.exec(
    `INSERT OR IGNORE INTO record (lane, kind, key, ref)
       SELECT d.lane, s.kind, s.key, s.ref FROM step s JOIN delivery d ON d.id = s.delivery
         JOIN lane l ON l.name = d.lane AND l.binding = d.binding WHERE s.state = 'confirmed' AND s.undone IS NULL`,
  );
}

/** What messages are found by follows from what is known of them. A row that damage has changed is made again with its message. */
function keysOfThreads(db: Connection): void {
  const threaded = db.prepare<
    [],
    { message: number; tenant: string; begins: string; written_at: number; facts: string }
  >(
    "SELECT t.message, e.tenant, t.begins, t.written_at, t.facts FROM threaded t JOIN event e ON e.seq = t.message ORDER BY t.message",
  );
  const add = db.prepare("INSERT OR IGNORE INTO thread_key (key, at, message, near) VALUES (?, ?, ?, ?)");
  const drop = db.prepare("DELETE FROM threaded WHERE message = ?");
  for (const { message, tenant, begins, written_at: writtenAt, facts } of threaded.all()) {
    try {
      const keys = [...keysOf(factsFrom(facts, { eventId: "", tenant, begins, writtenAt }))];
      for (const { key, near } of keys) add.run(key, writtenAt, message, near);
    } catch {
      drop.run(message);
    }
  }
}

function bodiesThatAreThere(db: Connection): void {
  db.exec("UPDATE event SET has_body = EXISTS (SELECT 1 FROM body b WHERE b.event = event.seq)");
}

function rawThatIsGone(db: Connection): number {
  const tell = openStory(db);
  const gone = db
    .prepare<[], { seq: number; received_at: number }>(
      `UPDATE event SET raw_kind = 'gone', raw_name = NULL
         WHERE raw_kind = 'inline' AND NOT EXISTS (SELECT 1 FROM raw r WHERE r.event = event.seq) RETURNING seq, received_at`,
    )
    .all();
  for (const { seq, received_at } of gone) tell(seq, received_at, "raw bytes lost to damage of the ledger");
  return gone.length;
}

/**
 * A message with work left is derived again from its raw bytes: steps, plan or whole deliveries of it may be among what was lost. Its keys
 * come out the same, and what is there already is found at the CRM before anything is sent.
 */
function planAgain(db: Connection, gaps: boolean): number {
  const tell = openStory(db);
  // A lane may have its work in hand before its parse has, and can do nothing but make a dead letter of what is not whole: that comes back.
  db.prepare<[number]>(
    `UPDATE event SET reprocess = 1 WHERE raw_kind <> 'gone' AND open > 0
       AND EXISTS (SELECT 1 FROM delivery d WHERE d.event = event.seq AND d.state = 'pending'
         AND (? OR NOT EXISTS (SELECT 1 FROM plan p WHERE p.delivery = d.id)))
       AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event = event.seq AND d.reason = 'dropped')`,
  ).run(gaps ? 1 : 0);
  const again = db
    .prepare<[number], { seq: number; received_at: number }>(
      `UPDATE event SET stage = 'accepted', parse_attempts = 0
         WHERE stage = 'prepared' AND raw_kind <> 'gone'
           AND (? OR open > 0 OR NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event = event.seq))
         RETURNING seq, received_at`,
    )
    .all(gaps ? 1 : 0);
  for (const { seq, received_at } of again)
    tell(seq, received_at, "planned again: the ledger was recovered from damage");
  // What became of files, and was not in their plans yet, is looked for in all.
  db.exec("UPDATE filing SET change = 1");
  // Without a plan nothing can be delivered. Without its bytes either, it cannot go on by itself: a person sees it.
  db.exec(
    `UPDATE delivery SET state = 'failed', reason = 'defect', settled_at = due_at,
         detail = iif((SELECT e.raw_kind FROM event e WHERE e.seq = delivery.event) = 'gone',
           'its plan and its raw bytes were lost to damage of the ledger', 'its plan was lost to damage of the ledger; it is planned again')
       WHERE state = 'pending' AND NOT EXISTS (SELECT 1 FROM plan p WHERE p.delivery = delivery.id)`,
  );
  return again.length;
}

function electAll(db: Connection): void {
  const elect = openElect(db);
  const threads = db
    .prepare<[], { lane: string; thread: string }>("SELECT DISTINCT lane, thread FROM delivery WHERE state = 'pending'")
    .all();
  for (const { lane, thread } of threads) elect(lane, thread);
}
