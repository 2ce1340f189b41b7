/** What the ledger knows of a message that was planned before, so that a new plan can move what is at the CRM instead of leaving it where it was. */
import { withFiles } from "../mapping/filing.ts";
import { type Before, withMoves } from "../mapping/moves.ts";
import type { Ledger } from "../model/ledger.ts";
import type { Sealer } from "../model/ports.ts";
import type { NewReview } from "../model/reviews.ts";
import type { LaneDecision, TenantPlan } from "./enrich.ts";
import { viaLedger } from "./faults.ts";
import { readStepsBare } from "./stored.ts";

export interface BeforePorts {
  readonly ledger: Pick<Ledger, "find" | "steps">;
  readonly sealer: Sealer;
}

/** By lane. Empty for a message that was never planned. */
export async function plannedBefore(eventId: string, { ledger, sealer }: BeforePorts): Promise<Map<string, Before>> {
  const before = new Map<string, Before>();
  const [row] = await viaLedger(ledger.find({ event: eventId, limit: 1 }));
  for (const { id, lane, state, steps: rows } of row?.deliveries ?? []) {
    const sealed = await viaLedger(ledger.steps(id));
    // Skipped, held by a rule, or so old that retention has removed the plan: nothing to compare with.
    if (sealed !== undefined) before.set(lane, { state, rows, steps: readStepsBare(sealer.open(sealed).plain) });
  }
  return before;
}

export interface InLine {
  readonly decisions: readonly LaneDecision[];
  /** What the CRM cannot move, and a person has to. */
  readonly reviews: readonly NewReview[];
}

/** The decisions, with the steps that move what is at the CRM already, and those that say there what became of its files. Pure. */
export function inLine(
  eventId: string,
  decisions: readonly LaneDecision[],
  before: ReadonlyMap<string, Before>,
  { tenant, unmovable }: Pick<TenantPlan, "tenant" | "unmovable">,
): InLine {
  const words: string[] = [];
  const moved = decisions.map(({ lane, decision }): LaneDecision => {
    const found = withMoves(decision, before.get(lane), tenant, unmovable?.has(lane) !== true);
    if (found.byHand !== null) words.push(`${lane}: ${found.byHand}`);
    return { lane, decision: withFiles(found.decision, before.get(lane), tenant) };
  });
  const reviews: NewReview[] = words.length === 0 ? [] : [{ eventId, kind: "move", detail: words.join("; ") }];
  return { decisions: moved, reviews };
}
