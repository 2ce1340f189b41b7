/** What a mapping would do to stored messages, counted: nothing is written, and no CRM is asked. */
import { type CompiledMapping, type Ground, tenantPlans } from "../main.ts";
import type { DecisionRow, Verdict } from "../model/reviews.ts";
import { type Cohort, leavesNothing } from "../model/runs.ts";
import type { StepKind } from "../model/step.ts";
import { inLine, plannedBefore } from "../pipeline/before.ts";
import { decide, participantsOf, type TenantPlan } from "../pipeline/enrich.ts";
import { mostFiles, withFiles } from "../pipeline/filed.ts";
import { destinationOf } from "./rows.ts";
import { type Chosen, cohortRows } from "./run-driver.ts";
import type { RunDry } from "./run-shapes.ts";

interface Lane {
  unchanged: number;
  skipped: number;
  readonly asked: Map<StepKind, number>;
  readonly unwanted: Map<StepKind, number>;
}

export async function rehearse(
  ground: Ground,
  tenant: string,
  rules: CompiledMapping,
  cohort: Cohort,
): Promise<RunDry> {
  const configured = tenantPlans(ground.settings, { linkOf: ground.links?.of }).find((each) => each.tenant === tenant);
  if (configured === undefined) throw new TypeError(`tenant ${tenant} is not in the configuration`);
  const plan: TenantPlan = { ...configured, mapping: { ...configured.mapping, rules } };
  const lanes = new Map<string, Lane>(
    plan.lanes.map((lane) => [lane, { unchanged: 0, skipped: 0, asked: new Map(), unwanted: new Map() }]),
  );
  let [messages, unable] = [0, 0];
  for await (const rows of cohortRows(ground, tenant, cohort)) {
    for (const chosen of rows) {
      messages++;
      if (chosen.event === null) unable++;
      else await count(ground, plan, chosen, lanes);
    }
  }
  return { dry_run: true, tenant, messages, unable, lanes: [...lanes].map(([lane, found]) => shapeOf(lane, found)) };
}

const isVerdict = (row: DecisionRow): row is DecisionRow & Verdict =>
  row.stands && (row.kind === "trust" || row.kind === "reject");

async function count(
  ground: Ground,
  plan: TenantPlan,
  { row, event }: Chosen,
  lanes: Map<string, Lane>,
): Promise<void> {
  if (event === null) return;
  const { ledger } = ground;
  const files = await ledger.files({ event: row.eventId, limit: mostFiles });
  const whole = withFiles({ ...event, participants: participantsOf(event, row, plan.people) }, row.digest, files);
  const [deal] = await ledger.dealsOf([event.thread.thread_id]);
  const verdict = (await ledger.decisions(row.eventId)).find(isVerdict);
  const decided = decide(whole, row.digest, plan, { deal: deal ?? undefined, ...(verdict && { verdict }) });
  const { decisions } = inLine(row.eventId, decided, await plannedBefore(row.eventId, ground), plan);
  for (const { lane, decision } of decisions) {
    const tally = lanes.get(lane);
    const delivery = row.deliveries.find((each) => each.lane === lane);
    // The same mail is there by its other way, whatever a mapping says.
    if (tally === undefined || delivery?.rule === "duplicate.variant") continue;
    const there = (delivery?.steps ?? []).filter(({ state }) => state === "confirmed");
    const has = (kind: StepKind, key: string) => there.some((step) => step.kind === kind && step.key === key);
    const steps = decision.kind === "steps" ? decision.steps : [];
    const asked = steps.filter(({ kind, key }) => !has(kind, key));
    const wanted = new Set(steps.map(({ kind, key }) => `${kind}:${key}`));
    const unwanted = there.filter(({ kind, key }) => !leavesNothing.has(kind) && !wanted.has(`${kind}:${key}`));
    if (asked.length === 0 && unwanted.length === 0) tally.unchanged++;
    if (decision.kind !== "steps" && there.length > 0) tally.skipped++;
    for (const { kind } of asked) tally.asked.set(kind, (tally.asked.get(kind) ?? 0) + 1);
    for (const { kind } of unwanted) tally.unwanted.set(kind, (tally.unwanted.get(kind) ?? 0) + 1);
  }
}

function shapeOf(lane: string, { unchanged, skipped, asked, unwanted }: Lane): RunDry["lanes"][number] {
  const list = (counts: ReadonlyMap<StepKind, number>) => [...counts].map(([kind, n]) => ({ kind, n }));
  return { destination: destinationOf(lane), unchanged, asked: list(asked), unwanted: list(unwanted), skipped };
}
