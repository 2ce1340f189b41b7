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
