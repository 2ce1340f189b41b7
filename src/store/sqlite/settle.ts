/** Writes down what became of a claim's steps, and how the claim ended; nothing at all under a lease that was lost. */
import type { Forget, Settle, Settlement, StepNote, StepState } from "../../model/ledger.ts";
import { undoRule } from "../../model/runs.ts";
import { refuse } from "../failed.ts";
import { clip } from "./clip.ts";
import type { Connection } from "./connection.ts";
import { type Delivery, leftBehind, type Next, openDeliveries, unsettled } from "./delivery.ts";
import type { Operations } from "./operations.ts";
import { openPlans } from "./plan.ts";
import { openTakenBack } from "./run-made.ts";
import { openRestore } from "./run-plan.ts";
import { openStory } from "./story.ts";

export function openSettle(db: Connection): Pick<Operations, "note" | "settle"> {
  const deliveries = openDeliveries(db);
  const plans = openPlans(db);
  const tell = openStory(db);
  const write = openNotes(db);
  const forget = openForget(db);
  const leftSent = db.prepare(
    "UPDATE step SET state = 'unknown', reason = 'the work ended without an answer' WHERE delivery = ? AND state = 'sent'",
  );
  const rest = db.prepare<[number], { sent: number; unconfirmed: number; behind: string | null }>(
    `SELECT total(state = 'sent') AS sent, total(position IS NOT NULL AND state <> 'confirmed') AS unconfirmed, ${leftBehind} AS behind
       FROM step WHERE delivery = ?`,
  );
  const restore = openRestore(db);
  const heldBy = db.prepare("UPDATE delivery SET rule = ? WHERE id = ?");

  const sample = db.prepare(
    "INSERT INTO sample (event, tenant, at) SELECT seq, tenant, ? FROM event WHERE seq = ? ON CONFLICT DO NOTHING",
  );

  function settle({ claim, at, settlement: asked, steps }: Settle): boolean {
    const delivery = deliveries.held(claim.id, claim.lease.token);
    if (delivery === undefined) return false;
    for (const note of steps ?? []) write(delivery, note);
    const { sent, unconfirmed, behind } = rest.get(delivery.id) ?? { sent: 0, unconfirmed: 0, behind: null };
    if (sent > 0) leftSent.run(delivery.id);
    if (asked.state === "processed" && unconfirmed > 0) {
      throw refuse("misuse", `delivery ${delivery.id} cannot be processed: not every step of it is confirmed`);
    }
    const isShown = asked.state === "processed" && behind !== null && delivery.rule !== undoRule;
    const settlement = isShown ? unsettled(behind) : asked;
    deliveries.become(delivery, nextOf(delivery, settlement, at));
    if (settlement.state === "processed" && settlement.sampled === true) sample.run(at, delivery.event);
    if (settlement.state === "held") heldBy.run(settlement.rule, delivery.id);
    const line = told(settlement);
    if (line !== undefined) tell(delivery.event, at, line.what, `${delivery.lane}${line.detail}`);
    if (settlement.state === "processed" && delivery.rule === undoRule) restore(delivery, at);
    plans.revise(delivery.id);
    return true;
  }

  return {
    note({ claim, steps, forget: gone }) {
      const delivery = deliveries.held(claim.id, claim.lease.token);
      if (delivery === undefined) return false;
      for (const note of steps) write(delivery, note);
      for (const record of gone ?? []) forget(delivery, record);
      return true;
    },
    settle,
  };
}

function nextOf(delivery: Delivery, settlement: Settlement, at: number): Next {
  const attempts = delivery.attempts + 1;
  switch (settlement.state) {
    case "processed":
      return { state: "processed", attempts, at };
    case "failed":
      return { state: "failed", attempts, at, reason: settlement.reason, detail: settlement.detail };
    case "held":
      return { state: "held", attempts, at, detail: settlement.detail };
    case "pending": {
      const { dueAt, counted, detail } = settlement;
      return { state: "pending", attempts: counted ? attempts : delivery.attempts, dueAt, now: at, detail };
    }
    default:
      return settlement satisfies never;
  }
}

/** A lane that pauses tells no story: a thousand waits for the same window are no news of this message. */
function told(settlement: Settlement): { what: string; detail: string } | undefined {
  switch (settlement.state) {
    case "processed":
      return { what: "delivered", detail: "" };
    case "failed":
      return { what: "dead letter", detail: `: ${settlement.reason}: ${settlement.detail}` };
    case "held":
      return { what: "held for review", detail: `: ${settlement.detail} (rule ${settlement.rule})` };
    case "pending":
      return settlement.counted
        ? { what: "not delivered, tried again later", detail: `: ${settlement.detail}` }
        : undefined;
    default:
      return settlement satisfies never;
  }
}

interface StepNow {
  state: StepState;
  ref: string | null;
}

/** Writes one note. A confirmed step is never taken back by a note: only `forget` says that its record is gone. */
function openNotes(db: Connection): (delivery: Pick<Delivery, "id" | "lane" | "event">, note: StepNote) => void {
  const takenBack = openTakenBack(db);
  const snapshot = db.prepare("UPDATE step SET snapshot = ? WHERE id = ? AND delivery = ?");
  const get = db.prepare<[number, number], StepNow>("SELECT state, ref FROM step WHERE id = ? AND delivery = ?");
  const where = "WHERE id = ? AND delivery = ? AND state <> 'confirmed'";
  const sent = db.prepare(
    `UPDATE step SET state = 'sent', sends = sends + 1, empty_reads = 0, sent_at = ?, deadline = ?, settled_at = NULL ${where}`,
  );
  const confirmed = db.prepare<unknown[], { kind: string; key: string }>(
    `UPDATE step SET state = 'confirmed', ref = $ref, adopted = $adopted, note = $note, reason = NULL, settled_at = $at
       WHERE id = $step AND delivery = $delivery AND (state <> 'confirmed' OR ref = $ref) RETURNING kind, key`,
  );
  // A call that outlasted its deadline may have written until it was over: what waits for the deadline waits for that.
  const unknown = db.prepare(
    `UPDATE step SET state = 'unknown', reason = $reason, empty_reads = empty_reads + $empty,
       deadline = max(deadline, coalesce($over, deadline)) WHERE id = $step AND delivery = $delivery AND state <> 'confirmed'`,
  );
  // Certainly not executed: a call that was under way does not count as one.
  const planned = db.prepare(
    `UPDATE step SET state = 'planned', sends = max(0, sends - (state = 'sent')), reason = ? ${where}`,
  );
  const refused = db.prepare(`UPDATE step SET state = 'refused', reason = ?, settled_at = ? ${where}`);
  const remember = openRemember(db);

  /** False when there is no such step that may be changed so. */
  function write(delivery: Pick<Delivery, "id" | "lane" | "event">, note: StepNote): boolean {
    const { step } = note;
    switch (note.state) {
      case "sent":
        return sent.run(note.at, note.deadline, step, delivery.id).changes === 1;
      case "confirmed": {
        const { at, ref } = note;
        const adopted = note.adopted ? 1 : 0;
        const words = note.note === undefined ? null : clip(note.note);
        const row = confirmed.get({ step, delivery: delivery.id, ref, adopted, note: words, at });
        if (row !== undefined && row.kind !== "archive") remember(delivery.lane, row.kind, row.key, ref);
        if (row !== undefined && note.snapshot !== undefined) snapshot.run(note.snapshot, step, delivery.id);
        if (row !== undefined && note.tookBack !== undefined) takenBack(delivery, step, note.tookBack);
        return row !== undefined;
      }
      case "unknown": {
        const empty = note.emptyRead === true ? 1 : 0;
        const about = { reason: clip(note.reason), empty, over: note.over ?? null };
        return unknown.run({ ...about, step, delivery: delivery.id }).changes === 1;
      }
      case "planned":
        return planned.run(clip(note.reason), step, delivery.id).changes === 1;
      case "refused":
        return refused.run(clip(note.reason), note.at, step, delivery.id).changes === 1;
      default:
        return note satisfies never;
    }
  }

  return (delivery, note) => {
    if (write(delivery, note)) return;
    const step = get.get(note.step, delivery.id);
    if (step === undefined) throw refuse("misuse", `step ${note.step} is not one of delivery ${delivery.id}`);
    throw refuse("misuse", `step ${note.step} is ${step.state} as ${step.ref}; it cannot become ${note.state}`);
  };
}

export type Remember = (lane: string, kind: string, key: string, ref: string) => void;

export function openRemember(db: Connection): Remember {
  const put = db.prepare(
    `INSERT INTO record (lane, kind, key, ref) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET ref = excluded.ref WHERE ref <> excluded.ref`,
  );
  return (lane, kind, key, ref) => {
    put.run(lane, kind, key, ref);
  };
}

/**
 * Forgets a record that has vanished at the vendor and plans this delivery's step for it again. Other pending deliveries that hold it
 * find out by themselves in the same way, when the vendor refuses them.
 */
function openForget(db: Connection): (delivery: Pick<Delivery, "id">, gone: Forget) => void {
  const drop = db.prepare("DELETE FROM record WHERE lane = ? AND kind = ? AND key = ? AND ref = ?");
  const planAgain = db.prepare(
    `UPDATE step SET state = 'planned', ref = NULL, adopted = 0, note = NULL, settled_at = NULL,
       reason = 'the record it had has vanished at the CRM'
       WHERE delivery = ? AND kind = ? AND key = ? AND ref = ? AND state = 'confirmed'`,
  );
  return (delivery, { lane, kind, key, ref }) => {
    drop.run(lane, kind, key, ref);
    planAgain.run(delivery.id, kind, key, ref);
  };
}
