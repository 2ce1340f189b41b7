/** Writes down what a run found of a delivery, and what it made of it, in the transaction that plans it. */
import type { PreparedDelivery } from "../../model/ledger.ts";
import type { RunBefore, RunOutcome, Unwanted } from "../../model/runs.ts";
import type { StepKind } from "../../model/step.ts";
import type { Connection } from "./connection.ts";
import type { Delivery } from "./delivery.ts";

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
    `INSERT INTO run_delivery (run, delivery, before, plan, outcome) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET outcome = excluded.outcome`,
  );
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
      // Moves and lists of files say how something was to be once; that they are not asked for again leaves nothing behind.
      const unwanted = (before?.confirmed ?? []).flatMap(({ kind, key, ref }): Unwanted[] =>
        wanted.has(`${kind}:${key}`) || kind === "file" || kind === "unlink" ? [] : [{ kind, ref }],
      );
      const outcome: RunOutcome = {
        decision: decision.kind,
        rule: decision.rule,
        reason: decision.kind === "steps" ? null : decision.reason,
        was: before?.row.state ?? null,
        taken,
        unwanted,
        ...(decision.kind === "steps" && decision.kept !== undefined ? { kept: decision.kept } : {}),
      };
      put.run(
        run,
        delivery,
        before === undefined ? null : JSON.stringify(before.row),
        before?.plan ?? null,
        JSON.stringify(outcome),
      );
    },
  };
}
