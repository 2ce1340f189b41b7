/** What a person does with a message from outside: replay, confirm, drop, reprocess; and what a new process does with the leases of a dead one. */
import type { Requeue } from "../../model/ledger.ts";
import { openFollow } from "./account.ts";
import type { Connection } from "./connection.ts";
import { type Delivery, openDeliveries } from "./delivery.ts";
import { openDue } from "./file-list.ts";
import { openElect } from "./head.ts";
import type { Operations } from "./operations.ts";
import { openPlans } from "./plan.ts";
import { openRemember } from "./settle.ts";
import { openStory } from "./story.ts";

export function openRequeue(db: Connection): Operations["requeue"] {
  const deliveries = openDeliveries(db);
  const tell = openStory(db);
  const follow = openFollow(db);
  const remember = openRemember(db);
  const hasPlan = db.prepare<[number], number>("SELECT 1 FROM plan WHERE delivery = ?").pluck();
  const refusedAgain = db.prepare(
    "UPDATE step SET state = 'planned', settled_at = NULL WHERE delivery = ? AND state = 'refused'",
  );
  // Sends count anew: a person has looked, and one more create is allowed after an empty read-back.
  const unknownAnew = db.prepare("UPDATE step SET sends = 0, empty_reads = 0 WHERE delivery = ? AND state = 'unknown'");
  const firstUnknown = db.prepare<[number], { id: number; kind: string; key: string; position: number | null }>(
    "SELECT id, kind, key, position FROM step WHERE delivery = ? AND state = 'unknown' ORDER BY position IS NULL, position LIMIT 1",
  );
  const confirmStep = db.prepare(
    `UPDATE step SET state = 'confirmed', ref = ?, adopted = 1, note = 'confirmed by a person', reason = NULL, settled_at = ?
       WHERE id = ?`,
  );
  const fromStart = openFromStart(db);

  function deadLetter(id: number): Delivery | undefined {
    const delivery = deliveries.get(id);
    return delivery?.state === "failed" && delivery.reason !== "dropped" ? delivery : undefined;
  }

  /** Back into the queue; or done, when nothing is left to do. */
  function again(delivery: Delivery, now: number, what: string): boolean {
    if (deliveries.unconfirmed(delivery.id) === 0)
      deliveries.become(delivery, { state: "processed", attempts: delivery.attempts, at: now });
    else deliveries.become(delivery, { state: "pending", attempts: 0, dueAt: now, now });
    tell(delivery.event, now, what, delivery.lane);
    return true;
  }

  function drop(delivery: Delivery, now: number, detail: string): boolean {
    const { attempts } = delivery;
    deliveries.become(delivery, { state: "failed", attempts, at: now, reason: "dropped", detail });
    tell(delivery.event, now, "dropped by a person", `${delivery.lane}: ${detail}`);
    return true;
  }

  function confirm(delivery: Delivery, ref: string, now: number): boolean {
    const step = firstUnknown.get(delivery.id);
    if (step === undefined) return false;
    // The ref is one of the account that the lane has now.
    follow(delivery.id, now);
    const left = deliveries.unconfirmed(delivery.id) - (step.position === null ? 0 : 1);
    if (left > 0 && hasPlan.get(delivery.id) === undefined) return false;
    confirmStep.run(ref, now, step.id);
    remember(delivery.lane, step.kind, step.key, ref);
    refusedAgain.run(delivery.id);
    return again(delivery, now, "confirmed by a person");
  }

  function reprocess(eventId: string, now: number): boolean {
    const seq = fromStart(eventId, { replay: true });
    if (seq === undefined) return false;
    tell(seq, now, "reprocessing asked for");
    return true;
  }

  return (request: Requeue) => {
    if (request.kind === "reprocess") return reprocess(request.eventId, request.now);
    const delivery = deadLetter(request.delivery);
    if (delivery === undefined) return false;
    if (request.kind === "drop") return drop(delivery, request.now, request.detail);
    if (request.kind === "confirm") return confirm(delivery, request.ref, request.now);
    if (hasPlan.get(delivery.id) === undefined) return false;
    refusedAgain.run(delivery.id);
    unknownAnew.run(delivery.id);
    return again(delivery, request.now, "replayed by a person");
  };
}

/**
 * Orders the whole road again. The number of the event; undefined where there is none, or no raw bytes of it. A parse that is under way knows
 * nothing of what led to this, so that the message is planned once more after it.
 */
export function openFromStart(
  db: Connection,
): (eventId: string, how?: { readonly replay: boolean }) => number | undefined {
  // One that is live in any way stays live.
  const update = db
    .prepare<[{ replay: number; eventId: string }], number>(
      `UPDATE event SET reprocess = 1, replay = iif(stage = 'accepted', min(replay, $replay), $replay), stage = 'accepted', again = iif(lease IS NULL, again, 1),
       parse_attempts = iif(lease IS NULL, 0, parse_attempts), turn = iif(lease IS NULL, 0, turn), due_at = 0
       WHERE event_id = $eventId AND raw_kind <> 'gone' RETURNING seq`,
    )
    .pluck();
  // What could not be kept is tried once more, and all is judged by the policy of today; what a person said of a file stands.
  const refused = db.prepare(
    "UPDATE file SET status = 'checking', reason = NULL, kept = 0 WHERE event = ? AND status = 'refused'",
  );
  const files = db.prepare<[number], number>("SELECT 1 FROM filing WHERE event = ?").pluck();
  const dueFiles = openDue(db);
  return (eventId, how) => {
    const seq = update.get({ replay: how?.replay === true ? 1 : 0, eventId });
    if (seq !== undefined && files.get(seq) !== undefined) {
      refused.run(seq);
      dueFiles(seq);
    }
    return seq;
  };
}

export function openReclaim(db: Connection): Operations["reclaim"] {
  const elect = openElect(db);
  const plans = openPlans(db);
  const events = db.prepare("UPDATE event SET lease = NULL, lease_until = NULL, turn = 0 WHERE lease IS NOT NULL");
  const files = ["filing", "content"].map((table) =>
    db.prepare(`UPDATE ${table} SET lease = NULL, lease_until = NULL, turn = 0 WHERE lease IS NOT NULL`),
  );
  const freed = db.prepare<[], { id: number; lane: string; thread: string }>(
    "UPDATE delivery SET lease = NULL, lease_until = NULL, turn = 0 WHERE lease IS NOT NULL RETURNING id, lane, thread",
  );
  // Nobody knows when it ended: a call that outlasted its deadline was over with the process, now at the latest.
  const sent = db.prepare(
    "UPDATE step SET state = 'unknown', reason = 'the process ended before the answer', deadline = max(deadline, ?) WHERE state = 'sent'",
  );
  const accounts = db.prepare("UPDATE imap_account SET lease = NULL, lease_until = NULL WHERE lease IS NOT NULL");
  return (now) => {
    const parses = events.run().changes + accounts.run().changes;
    sent.run(now);
    const filesInWork = files.reduce((sum, free) => sum + free.run().changes, 0);
    const works = freed.all();
    for (const { id, lane, thread } of works) {
      elect(lane, thread);
      plans.revise(id);
    }
    return parses + works.length + filesInWork;
  };
}
