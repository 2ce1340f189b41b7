/** Brings a delivery in line with what was planned for it: the first time, and each time its message is planned again. */
import type { PreparedDelivery, PreparedStep } from "../../model/ledger.ts";
import { undoRule } from "../../model/runs.ts";
import type { Connection } from "./connection.ts";
import { type Delivery, openDeliveries, turns, unsettled } from "./delivery.ts";
import { openElect, openHurry } from "./head.ts";
import { inLaterRun } from "./run-later.ts";
import { openRestore, openRunPlan } from "./run-plan.ts";
import { openStory } from "./story.ts";

/** One lane's share of a prepared message. */
export interface Planned {
  readonly event: number;
  readonly now: number;
  readonly thread: string;
  readonly mappingVersion: number;
  /** An operator asked for it: dead letters and held deliveries come back. */
  readonly reprocess: boolean;
  /** Asked for in bulk: live mail goes before it. */
  readonly replay: boolean;
  /** The run that plans it. */
  readonly run: number | null;
  readonly delivery: PreparedDelivery;
}

interface StepId {
  id: number;
  kind: string;
  key: string;
  position: number | null;
}

export interface Plans {
  /** Writes a plan down, or merges it with what is there; a delivery that is being worked gets it when that work ends. */
  merge(planned: Planned): void;
  /** Applies a plan that had to wait; called whenever a lease ends. True when there was one. */
  revise(delivery: number): boolean;
}

export function openPlans(db: Connection): Plans {
  const deliveries = openDeliveries(db);
  const elect = openElect(db);
  const hurry = openHurry(db);
  const tell = openStory(db);
  const steps = openStepMerge(db);
  const revisions = openRevisions(db);
  const runs = openRunPlan(db);
  const restore = openRestore(db);
  // A live plan takes the place of what a run asked for and has not come about: the run has to ask again.
  const askAgain = db.prepare<[{ event: number; delivery: number }]>(
    `UPDATE run_event INDEXED BY run_event_of SET state = 'waiting' WHERE event = $event AND state = 'planned'
       AND EXISTS (SELECT 1 FROM run r WHERE r.id = run_event.run AND r.state <> 'done')
       AND NOT ${inLaterRun("$event", "run_event.run")}
       AND (EXISTS (SELECT 1 FROM revision v WHERE v.delivery = $delivery AND v.run = run_event.run)
         OR EXISTS (SELECT 1 FROM step s INDEXED BY step_delivery
           WHERE s.delivery = $delivery AND s.run = run_event.run AND s.position IS NOT NULL AND s.state <> 'confirmed'))`,
  );
  const knowsLane = db.prepare<[string], number>("SELECT 1 FROM lane WHERE name = ?").pluck();
  const addLane = db.prepare("INSERT INTO lane (name, tenant) SELECT ?, tenant FROM event WHERE seq = ?");
  const insert = db.prepare(
    `INSERT INTO delivery (event, lane, thread, decision, rule, state, detail, attempts, head, turn, due_at, mapping_version, prepared_at,
       settled_at, replay) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, 0, ?, ?, ?, ?, ?)`,
  );
  const others = db
    .prepare<[string, string], number>(
      "SELECT 1 FROM delivery INDEXED BY delivery_thread WHERE lane = ? AND thread = ? AND state = 'pending' LIMIT 1",
    )
    .pluck();
  const decide = db.prepare(
    `UPDATE delivery SET decision = ?, rule = ?, mapping_version = ?, prepared_at = ?, thread = ?, head = 0,
       replay = iif(state = 'pending', min(replay, $replay), $replay) WHERE id = ?`,
  );
  const keepRule = db.prepare("UPDATE delivery SET rule = ? WHERE id = ?");
  const putPlan = db.prepare(
    "INSERT INTO plan (delivery, sealed) VALUES (?, ?) ON CONFLICT DO UPDATE SET sealed = excluded.sealed",
  );
  const dropPlan = db.prepare("DELETE FROM plan WHERE delivery = ?");

  function insertNew({ event, now, thread, mappingVersion, replay, run, delivery }: Planned): void {
    const { lane, decision } = delivery;
    if (knowsLane.get(lane) === undefined) addLane.run(lane, event);
    const nothingToDo = decision.kind === "steps" && decision.steps.length === 0;
    const state = nothingToDo ? "processed" : firstState[decision.kind];
    const detail = decision.kind === "steps" ? null : decision.reason;
    const settledAt = state === "pending" ? null : now;
    // Nobody else waits in its thread, as with most mail: then it is head from the start.
    const head = state === "pending" && others.get(lane, thread) === undefined;
    const { lastInsertRowid } = insert.run(
      event,
      lane,
      thread,
      decision.kind,
      decision.rule,
      state,
      detail,
      head ? 1 : 0,
      now,
      mappingVersion,
      now,
      settledAt,
      replay ? 1 : 0,
    );
    const id = Number(lastInsertRowid);
    if (run !== null) runs.write(run, id, decision, undefined, true);
    if (decision.kind !== "steps") return;
    putPlan.run(id, decision.sealedSteps);
    steps.insert(id, decision.steps, run);
    if (state !== "pending" || head) return;
    hurry({ id, lane, thread });
    elect(lane, thread);
  }

  function mergeInto(known: Delivery, planned: Planned): void {
    const { decision } = planned.delivery;
    if (planned.run === null) askAgain.run({ event: planned.event, delivery: known.id });
    if (known.lease !== null) {
      revisions.put(known.id, planned);
      return;
    }
    // What is done is done: records exist at the CRM. And what failed waits for a person, who sees the plan that failed.
    const stays = known.state === "processed" || (known.state === "failed" && !planned.reprocess);
    const leaves = decision.kind !== "steps" && stays;
    if (planned.run !== null) runs.write(planned.run, known.id, decision, runs.before(known), !leaves);
    if (leaves) return;
    const { rule } = decision;
    const replay = planned.replay ? 1 : 0;
    decide.run(decision.kind, rule, planned.mappingVersion, planned.now, planned.thread, known.id, { replay });
    if (known.thread !== planned.thread) elect(known.lane, known.thread);
    const delivery = { ...known, thread: planned.thread };
    if (decision.kind === "steps") {
      putPlan.run(known.id, decision.sealedSteps);
      const gained = steps.merge(known.id, decision.steps, planned);
      afterSteps(delivery, known, gained, planned);
      if (rule !== undoRule) return;
      // Nothing of it had come about: there is no work whose end would do this.
      const now = deliveries.get(known.id);
      if (now?.state === "processed") restore(now, planned.now);
      return;
    }
    steps.merge(known.id, [], planned);
    dropPlan.run(known.id);
    setAside(delivery, decision.kind, decision.reason, planned.now);
  }

  function afterSteps(delivery: Delivery, before: Delivery, gained: boolean, planned: Planned): void {
    const { now, reprocess, run } = planned;
    const { rule } = planned.delivery.decision;
    const todo = deliveries.unconfirmed(delivery.id) > 0;
    switch (before.state) {
      case "failed":
        if (!reprocess) return;
        break;
      case "held":
        // Held by a rule of the old plan: the new one decides. Held while it was worked: that reason still stands, but under another mapping.
        if (!reprocess && run === null && !gained && before.decision !== "hold") {
          keepRule.run(before.rule, delivery.id);
          return;
        }
        break;
      case "processed":
        if (!todo) return;
        break;
      case "pending":
        if (todo && !reprocess) {
          deliveries.become(delivery, {
            state: "pending",
            attempts: before.attempts,
            dueAt: before.due_at,
            now: dueNow(before, now),
            detail: before.detail,
          });
          return;
        }
        break;
      case "skipped":
        break;
      default:
        before.state satisfies never;
    }
    const { attempts } = before;
    const behind = todo || rule === undoRule ? null : deliveries.leftBehind(delivery.id);
    if (todo) deliveries.become(delivery, { state: "pending", attempts: 0, dueAt: now, now });
    else if (behind !== null) deliveries.become(delivery, { ...unsettled(behind), attempts, at: now });
    else deliveries.become(delivery, { state: "processed", attempts, at: now });
  }

  /** No more steps are wanted; but a call whose outcome is unknown must not disappear from sight with them. */
  function setAside(delivery: Delivery, kind: "skip" | "hold", reason: string, now: number): void {
    const { attempts } = delivery;
    if (kind === "hold") deliveries.become(delivery, { state: "held", attempts, at: now, detail: reason });
    else if (!deliveries.unclear(delivery.id))
      deliveries.become(delivery, { state: "skipped", attempts, at: now, detail: reason });
    else {
      const detail = `planned again and skipped (${reason}), while the outcome of a call is unknown; look at the CRM, then confirm or drop`;
      deliveries.become(delivery, { state: "failed", attempts, at: now, reason: "outcome_unknown", detail });
    }
  }

  function merge(planned: Planned): void {
    const { event, now, delivery } = planned;
    const known = deliveries.of(event, delivery.lane);
    tell(event, now, toldOf[delivery.decision.kind], detailOf(delivery, known));
    if (known === undefined) insertNew(planned);
    else mergeInto(known, planned);
  }

  return {
    merge,
    revise(id) {
      const planned = revisions.take(id);
      const known = deliveries.get(id);
      if (planned === undefined || known === undefined) return false;
      mergeInto(known, { ...planned, event: known.event });
      return true;
    },
  };
}

const firstState = { steps: "pending", skip: "skipped", hold: "held" } as const;
const toldOf = { steps: "planned", skip: "skipped", hold: "held for review" } as const;

/** A delivery that was ready stays ready, whatever the clock says of the time it was planned for. */
const dueNow = (before: Delivery, now: number): number =>
  before.turn === turns.ready ? Math.max(now, before.due_at) : now;

function detailOf({ lane, decision }: PreparedDelivery, known: Delivery | undefined): string {
  const what =
    decision.kind === "steps" ? decision.steps.map(({ kind }) => kind).join(", ") || "no steps" : decision.reason;
  const later = known?.lease == null ? "" : "; takes effect when the work under way ends";
  return `${lane}: ${what} (rule ${decision.rule})${later}`;
}

/** Steps by (kind, key): what is known of them stays, what is new is planned, what is no longer wanted goes if it was never sent. */
function openStepMerge(db: Connection) {
  const known = db.prepare<[number], StepId>(
    "SELECT id, kind, key, position FROM step WHERE delivery = ? AND undone IS NULL",
  );
  const insert = db.prepare(
    "INSERT INTO step (delivery, position, kind, key, why, run, state) VALUES (?, ?, ?, ?, ?, ?, 'planned')",
  );
  // What was planned before and never sent is the run's too, if it comes about by its plan.
  const place = db.prepare(
    "UPDATE step SET position = ?, why = ?, run = iif(sends = 0 AND state IN ('planned', 'refused'), coalesce(?, run), run) WHERE id = ?",
  );
  const setAside = db.prepare("UPDATE step SET position = NULL WHERE id = ? AND position IS NOT NULL");
  const forget = db.prepare("DELETE FROM step WHERE id = ? AND sends = 0 AND state IN ('planned', 'refused')");
  const tryAgain = db.prepare(
    "UPDATE step SET state = 'planned', settled_at = NULL WHERE delivery = ? AND state = 'refused'",
  );
  return {
    /** Of a delivery that has none yet. */
    insert(delivery: number, planned: readonly PreparedStep[], run: number | null): void {
      const placed = new Set<string>();
      for (const { kind, key, why } of planned) {
        const name = `${kind}:${key}`;
        if (placed.has(name)) continue;
        insert.run(delivery, placed.size, kind, key, why, run);
        placed.add(name);
      }
    },
    /** True when the plan holds a step that the one before did not. */
    merge(
      delivery: number,
      planned: readonly PreparedStep[],
      { reprocess, run }: Pick<Planned, "reprocess" | "run">,
    ): boolean {
      const before = new Map(known.all(delivery).map((step) => [`${step.kind}:${step.key}`, step]));
      const placed = new Set<string>();
      let gained = false;
      for (const { kind, key, why } of planned) {
        const name = `${kind}:${key}`;
        if (placed.has(name)) continue;
        const step = before.get(name);
        // What became of its files brings nothing back that was held for another reason.
        gained ||= kind !== "file" && (step === undefined || step.position === null);
        if (step === undefined) insert.run(delivery, placed.size, kind, key, why, run);
        else place.run(placed.size, why, run, step.id);
        placed.add(name);
      }
      for (const [name, { id }] of before) {
        if (placed.has(name)) continue;
        if (forget.run(id).changes === 0) setAside.run(id);
      }
      if (reprocess) tryAgain.run(delivery);
      return gained;
    },
  };
}

interface Revision {
  at: number;
  thread: string;
  reprocess: number;
  mapping_version: number;
  replay: number;
  run: number | null;
  decision: string;
  sealed: Uint8Array | null;
}

type StoredDecision = {
  lane: string;
  kind: "steps" | "skip" | "hold";
  rule: string;
  reason: string;
  steps: PreparedStep[];
};

function openRevisions(db: Connection) {
  const insert = db.prepare(
    `INSERT INTO revision (delivery, at, thread, reprocess, mapping_version, replay, run, decision, sealed)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET at = excluded.at, thread = excluded.thread, reprocess = max(reprocess, excluded.reprocess),
       mapping_version = excluded.mapping_version, replay = min(replay, excluded.replay),
       run = excluded.run, decision = excluded.decision, sealed = excluded.sealed`,
  );
  const take = db.prepare<[number], Revision>("DELETE FROM revision WHERE delivery = ? RETURNING *");
  return {
    put(id: number, planned: Planned): void {
      const { now, thread, reprocess, replay, run, mappingVersion } = planned;
      const { lane, decision } = planned.delivery;
      const isSteps = decision.kind === "steps";
      const stored: StoredDecision = {
        lane,
        kind: decision.kind,
        rule: decision.rule,
        reason: isSteps ? "" : decision.reason,
        steps: isSteps ? [...decision.steps] : [],
      };
      const sealed = isSteps ? decision.sealedSteps : null;
      const told = JSON.stringify(stored);
      insert.run(id, now, thread, reprocess ? 1 : 0, mappingVersion, replay ? 1 : 0, run, told, sealed);
    },
    take(id: number): Omit<Planned, "event"> | undefined {
      const row = take.get(id);
      if (row === undefined) return undefined;
      const { lane, kind, rule, reason, steps } = JSON.parse(row.decision) as StoredDecision;
      const decision: PreparedDelivery["decision"] =
        kind === "steps" ? { kind, rule, steps, sealedSteps: row.sealed ?? new Uint8Array() } : { kind, rule, reason };
      return {
        now: row.at,
        thread: row.thread,
        reprocess: row.reprocess === 1,
        replay: row.replay === 1,
        run: row.run,
        mappingVersion: row.mapping_version,
        delivery: { lane, decision },
      };
    },
  };
}
