/** Writes down what a run found of a delivery, and what it made of it, in the transaction that plans it. */
import type { PreparedDelivery } from "../../model/ledger.ts";
import { leavesNothing, type RunBefore, type RunOutcome, type Unwanted } from "../../model/runs.ts";
import type { StepKind } from "../../model/step.ts";
import type { Connection } from "./connection.ts";
import { type Delivery, openDeliveries } from "./delivery.ts";

interface Row {
  kind: StepKind;
  key: string;
  why: string;
  state: string;
  ref: string | null;
}

export interface RunPlan {
  /** What it is now; to be asked before it is changed. */
  before(known: Delivery): Found;
  /** `before` missing: the run makes it. */
  write(
    run: number,
    delivery: number,
    decision: PreparedDelivery["decision"],
    before: Found | undefined,
    taken: boolean,
  ): void;
}

export interface Found {
  readonly row: RunBefore;
  readonly plan: Uint8Array | null;
  readonly confirmed: readonly { readonly kind: StepKind; readonly key: string; readonly ref: string }[];
}

export function openRunPlan(db: Connection): RunPlan {
  const version = db.prepare<[number], number>("SELECT mapping_version FROM delivery WHERE id = ?").pluck();
  const plan = db.prepare<[number], Uint8Array>("SELECT sealed FROM plan WHERE delivery = ?").pluck();
  const steps = db.prepare<[number], Row>(
    "SELECT kind, key, why, state, ref FROM step WHERE delivery = ? AND position IS NOT NULL ORDER BY position",
  );
  // What it was before the run began stays, however often the run plans it.
  const put = db.prepare(
    `INSERT INTO run_delivery (run, delivery, before, plan, outcome, open)
       SELECT ?, id, ?, ?, ?, state = 'pending' FROM delivery WHERE id = ?
       ON CONFLICT DO UPDATE SET outcome = excluded.outcome, open = excluded.open`,
  );
  const known = db
    .prepare<[number, number], string>("SELECT outcome FROM run_delivery WHERE run = ? AND delivery = ?")
    .pluck();
  return {
    before(known) {
      const { decision, rule, state, detail } = known;
      const rows = steps.all(known.id);
      return {
        row: {
          decision,
          rule,
          state,
          detail,
          mappingVersion: version.get(known.id) ?? 0,
          steps: rows.map(({ kind, key, why }) => ({ kind, key, why })),
        },
        plan: plan.get(known.id) ?? null,
        confirmed: rows.flatMap(({ kind, key, state: step, ref }) =>
          step === "confirmed" && ref !== null ? [{ kind, key, ref }] : [],
        ),
      };
    },
    write(run, delivery, decision, before, taken) {
      const wanted = new Set(decision.kind === "steps" ? decision.steps.map(({ kind, key }) => `${kind}:${key}`) : []);
      const unwanted = (before?.confirmed ?? []).flatMap(({ kind, key, ref }): Unwanted[] =>
        wanted.has(`${kind}:${key}`) || leavesNothing.has(kind) ? [] : [{ kind, ref }],
      );
      const earlier = known.get(run, delivery);
      const keptBefore = earlier === undefined ? [] : ((JSON.parse(earlier) as RunOutcome).kept ?? []);
      const outcome: RunOutcome = {
        decision: decision.kind,
        rule: decision.rule,
        reason: decision.kind === "steps" ? null : decision.reason,
        was: before?.row.state ?? null,
        taken,
        unwanted,
        ...(decision.kind === "steps" && decision.kept !== undefined
          ? { kept: [...keptBefore, ...decision.kept] }
          : {}),
      };
      put.run(
        run,
        before === undefined ? null : JSON.stringify(before.row),
        before?.plan ?? null,
        JSON.stringify(outcome),
        delivery,
      );
    },
  };
}

/** A delivery of which nothing is at the CRM any more becomes what it was before the run: skipped, or held. */
export function openRestore(db: Connection): (delivery: Delivery, now: number) => void {
  const deliveries = openDeliveries(db);
  const putBack = openPutBack(db);
  const before = db.prepare<[number], { before: string | null; plan: Uint8Array | null }>(
    `SELECT r.before, r.plan FROM run_delivery u JOIN run ON run.id = u.run AND run.kind = 'undo'
       JOIN run_delivery r ON r.run = run.of AND r.delivery = u.delivery WHERE u.delivery = ? ORDER BY u.run DESC LIMIT 1`,
  );
  const decide = db.prepare("UPDATE delivery SET decision = ?, rule = ?, mapping_version = ? WHERE id = ?");
  const version = db.prepare<[number], number>("SELECT mapping_version FROM delivery WHERE id = ?").pluck();
  const left = db
    .prepare<[number], number>(
      "SELECT 1 FROM step WHERE delivery = ? AND kind = 'activity' AND state = 'confirmed' AND undone IS NULL LIMIT 1",
    )
    .pluck();
  return (delivery, now) => {
    // A person has changed the activity: it stays, and so does the delivery.
    if (left.get(delivery.id) !== undefined) return;
    const found = before.get(delivery.id);
    const was = found?.before == null ? null : (JSON.parse(found.before) as RunBefore);
    // By a lane, which found no contact, say: its plan is there for whoever decides about it.
    const byLane = was?.decision === "steps" && was.state === "held";
    const decision = was === null || (was.decision === "steps" && !byLane) ? "skip" : was.decision;
    decide.run(decision, was?.rule ?? delivery.rule, was?.mappingVersion ?? version.get(delivery.id) ?? 0, delivery.id);
    putBack(delivery.id, byLane ? was.steps : [], byLane ? (found?.plan ?? null) : null);
    const detail = was?.detail ?? "what a run made of it was taken back";
    const state = decision === "skip" ? "skipped" : "held";
    deliveries.become(delivery, { state, attempts: delivery.attempts, at: now, detail });
  };
}

/** In place of what is planned now: nothing, or an earlier plan. */
function openPutBack(db: Connection): (id: number, steps: RunBefore["steps"], plan: Uint8Array | null) => void {
  const aside = db.prepare("UPDATE step SET position = NULL WHERE delivery = ? AND position IS NOT NULL");
  const dropPlan = db.prepare("DELETE FROM plan WHERE delivery = ?");
  const putPlan = db.prepare("INSERT INTO plan (delivery, sealed) VALUES (?, ?)");
  const place = db.prepare(
    "UPDATE step SET position = $position, why = $why WHERE delivery = $id AND kind = $kind AND key = $key AND undone IS NULL",
  );
  const insert = db.prepare(
    "INSERT INTO step (delivery, position, kind, key, why, state) VALUES ($id, $position, $kind, $key, $why, 'planned')",
  );
  return (id, steps, plan) => {
    aside.run(id);
    dropPlan.run(id);
    if (plan === null) return;
    putPlan.run(id, plan);
    for (const [position, step] of steps.entries()) {
      const row = { id, position, ...step };
      if (place.run(row).changes === 0) insert.run(row);
    }
  };
}
