/** What a clock that is set back does to times in the ledger: nothing may wait longer than it would have. */
import type { Connection } from "./connection.ts";

/** Called with every `now` that decides what is due. */
export interface Backstep {
  (now: number): void;
  /** The transaction is over. What was not committed has to be done again. */
  ended(committed: boolean): void;
  /** A savepoint is set. */
  saved(): void;
  /** What came since the savepoint is taken back, and has to be done again. */
  undone(): void;
}

/** Callers on several threads read the clock a moment apart; less than this is no step back. */
const toleranceMs = 60_000;
/** No due time, pause or lease reaches further ahead than this; a restart under a clock set back leaves nothing else to go by. */
export const furthestMs = 24 * 3600_000;

/**
 * A step back seen while running moves every waiting time by as much, so that a retry due in five seconds stays so.
 * One that happened while nothing ran is bounded: `min(due, now + 24 h)`.
 */
export function openBackstep(db: Connection): Backstep {
  // Deliveries and lanes are bounded where they are claimed, lane by lane.
  const dues = [
    db.prepare(
      "UPDATE event SET due_at = max($now, due_at - $back) WHERE stage = 'accepted' AND turn = 1 AND due_at > $now",
    ),
    db.prepare(
      "UPDATE event SET lease_until = max($now, lease_until - $back) WHERE lease IS NOT NULL AND lease_until > $now",
    ),
    db.prepare(
      "UPDATE delivery SET due_at = max($now, due_at - $back) WHERE state = 'pending' AND turn = 1 AND due_at > $now",
    ),
    db.prepare(
      "UPDATE delivery SET lease_until = max($now, lease_until - $back) WHERE lease IS NOT NULL AND lease_until > $now",
    ),
    ...["filing", "content"].flatMap((table) => [
      db.prepare(`UPDATE ${table} SET due_at = max($now, due_at - $back) WHERE turn = 1 AND due_at > $now`),
      db.prepare(
        `UPDATE ${table} SET lease_until = max($now, lease_until - $back) WHERE lease IS NOT NULL AND lease_until > $now`,
      ),
    ]),
    db.prepare("UPDATE lane SET paused_until = max($now, paused_until - $back) WHERE paused_until > $now"),
    db.prepare("UPDATE lane SET old_until = max($now, old_until - $back) WHERE old_until > $now"),
  ];
  const bounds = [
    db.prepare("UPDATE event SET due_at = $now WHERE stage = 'accepted' AND turn = 1 AND due_at > $now"),
    db.prepare("UPDATE event SET lease_until = $now WHERE lease IS NOT NULL AND lease_until > $now"),
  ];
  let kept = Number.NEGATIVE_INFINITY;
  let seen = kept;
  let atSave = kept;
  const backstep = (now: number): void => {
    if (now < seen - toleranceMs) for (const shift of dues) shift.run({ now, back: seen - now });
    for (const bound of bounds) bound.run({ now: now + furthestMs });
    seen = now;
  };
  return Object.assign(backstep, {
    ended(committed: boolean) {
      if (committed) kept = seen;
      else seen = kept;
    },
    saved() {
      atSave = seen;
    },
    undone() {
      seen = atSave;
    },
  });
}
