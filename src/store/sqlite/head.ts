/** Whose turn it is in a thread: one pending delivery per thread and lane is its head, and only heads can be claimed. */
import type { Connection } from "./connection.ts";

/** Called after any change of what is pending in a thread and lane. Two index look-ups, however long the thread is. */
export type Elect = (lane: string, thread: string) => void;

interface Candidate {
  id: number;
  head: number;
  lease: string | null;
}

/**
 * The earliest arrival is head. A head that is being worked stays so until its lease ends, even if an earlier message turns up meanwhile
 * (its parse took longer): two of one thread are never in flight at once.
 */
export function openElect(db: Connection): Elect {
  // The planner would rather walk all that is pending in the lane than sort a thread, so it is told.
  const first = db.prepare<[string, string], Candidate>(
    `SELECT id, head, lease FROM delivery INDEXED BY delivery_thread
       WHERE lane = ? AND thread = ? AND state = 'pending' ORDER BY event LIMIT 1`,
  );
  const head = db.prepare<[string, string], Candidate>(
    `SELECT id, head, lease FROM delivery INDEXED BY delivery_head
       WHERE lane = ? AND thread = ? AND state = 'pending' AND head = 1`,
  );
  const crown = db.prepare<[number, number]>("UPDATE delivery SET head = ? WHERE id = ?");
  return (lane, thread) => {
    const next = first.get(lane, thread);
    if (next === undefined || next.head === 1) return;
    const present = head.get(lane, thread);
    if (present !== undefined) {
      if (present.lease !== null) return;
      crown.run(0, present.id);
    }
    crown.run(1, next.id);
  };
}

/** Called with a delivery that has come to wait in its thread, or waits as something else now. */
export type Hurry = (delivery: { readonly id: number; readonly lane: string; readonly thread: string }) => void;

/**
 * Old mail that stands before live mail in its thread must not hold it up, whichever of them came to wait first: it goes as live mail does. So
 * all that stands before the last live one is live, and who comes among them has to look at the next one only.
 */
export function openHurry(db: Connection): Hurry {
  const self = db.prepare<[number], { event: number; replay: number }>(
    "SELECT event, replay FROM delivery WHERE id = ? AND state = 'pending'",
  );
  const before = db.prepare<[string, string, number]>(
    `UPDATE delivery INDEXED BY delivery_thread SET replay = 0
       WHERE lane = ? AND thread = ? AND state = 'pending' AND event < ? AND replay = 1`,
  );
  const next = db
    .prepare<[string, string, number], number>(
      `SELECT replay FROM delivery INDEXED BY delivery_thread
         WHERE lane = ? AND thread = ? AND state = 'pending' AND event > ? ORDER BY event LIMIT 1`,
    )
    .pluck();
  const live = db.prepare<[number]>("UPDATE delivery SET replay = 0 WHERE id = ?");
  return ({ id, lane, thread }) => {
    const mine = self.get(id);
    if (mine === undefined) return;
    if (mine.replay === 0) before.run(lane, thread, mine.event);
    else if (next.get(lane, thread, mine.event) === 0) live.run(id);
  };
}
