/** Plans the taking back of what a run made of one message: archives, and associations the other way round, from the last to the first. */

import { withFiles } from "../mapping/filing.ts";
import { stepKey } from "../mapping/keys.ts";
import { isMove } from "../mapping/moves.ts";
import { mappingVersion } from "../mapping/plan.ts";
import type { CanonicalEvent } from "../model/event.ts";
import { schemaVersion } from "../model/event.ts";
import type { Attempt, Ledger, Prepared, PreparedDelivery } from "../model/ledger.ts";
import type { Clock, Sealer } from "../model/ports.ts";
import { type Made, type MadeStep, type PlannedBy, type RunOutcome, recordKinds, undoRule } from "../model/runs.ts";
import type { Step, StepKind } from "../model/step.ts";
import { viaLedger } from "./faults.ts";
import type { Held } from "./run-steps.ts";
import { readSteps, readStepsBare, writeMail, writeSteps } from "./stored.ts";

export interface UndoPorts {
  readonly ledger: Pick<Ledger, "runMade" | "find" | "prepare">;
  readonly sealer: Sealer;
  readonly clock: Clock;
}

/** Without deliveries where the run made nothing of it. Rejects with LedgerFailed. */
export async function undoPlan(
  attempt: Attempt,
  run: PlannedBy,
  event: CanonicalEvent,
  { ledger, sealer, clock }: UndoPorts,
): Promise<Prepared> {
  // Before it is read what there is: what comes about from here on is not in this plan, and it is not taken on.
  const now = clock.now();
  const made = await viaLedger(ledger.runMade({ run: run.of ?? 0, undo: run.id, eventId: attempt.eventId }));
  const [row] = await viaLedger(ledger.find({ event: attempt.eventId, limit: 1 }));
  const bytes = Buffer.from(writeMail(event));
  const open = (sealed: Uint8Array | undefined): Step[] =>
    sealed === undefined ? [] : readSteps(sealer.open(sealed).plain, () => bytes);
  const deliveries = made.deliveries.map((one): PreparedDelivery => {
    const rows = row?.deliveries.find(({ lane }) => lane === one.lane)?.steps ?? [];
    const planned = one.now === undefined ? [] : readStepsBare(sealer.open(one.now).plain);
    const { steps, kept } = backward(one, { run, pass: made.pass, tenant: attempt.tenant, now: planned, sealer });
    // What a lane held, for want of a contact say, was not on its way: it is held again.
    const asked = one.before?.decision === "steps" && one.before.state !== "held";
    const had = asked ? open(one.plan) : [];
    const before = { state: one.state, steps: planned, rows };
    const filed = withFiles({ kind: "steps", rule: "", steps: had }, before, attempt.tenant);
    const wanted = filed.kind === "steps" ? filed.steps : had;
    // Asked for before the run as well, and not come about until then: it stays.
    const isWanted = ({ target }: { readonly target: string }): boolean => wanted.some(({ key }) => key === target);
    const all = [...wanted, ...steps.filter((step) => step.kind !== "archive" || !isWanted(step))];
    return {
      lane: one.lane,
      decision: {
        kind: "steps",
        rule: asked ? (one.before?.rule ?? "") : undoRule,
        steps: all.map(({ kind, key, why }) => ({ kind, key, why })),
        sealedSteps: sealer.seal(writeSteps(all, event), `steps ${attempt.eventId}`),
        kept,
      },
    };
  });
  return {
    eventId: attempt.eventId,
    lease: attempt.lease,
    now,
    byRun: run.id,
    sealedEvent: sealer.seal(bytes, `event ${attempt.eventId}`),
    schemaVersion,
    mappingVersion:
      made.deliveries.find(({ before }) => before !== null)?.before?.mappingVersion ?? attempt.pinned ?? mappingVersion,
    parseStatus: event.parse_status,
    threadKey: event.thread.thread_id,
    deliveries: deliveries.filter((_, at) => isToDo(made.deliveries[at])),
  };
}

/** A dead letter is a person's; and what the run did not change needs no plan. */
const isToDo = (one: Made["deliveries"][number] | undefined): boolean => one !== undefined && one.state !== "failed";

interface About {
  readonly run: PlannedBy;
  readonly pass: number;
  readonly tenant: string;
  readonly now: readonly Step[];
  readonly sealer: Sealer;
}

/** By pass: what goes only when nothing that the run made hangs on it any more. */
const kindsOf: readonly (readonly StepKind[])[] = [[], ["activity"], ["deal"], ["person"], ["company"]];

function backward(
  { steps }: Pick<Made["deliveries"][number], "steps">,
  about: About,
): { steps: Step[]; kept: NonNullable<RunOutcome["kept"]> } {
  const kept: { kind: StepKind; ref: string | null; why: string }[] = [];
  const back: Step[] = [];
  const unclear = steps.filter(({ state }) => state === "sent" || state === "unknown");
  if (unclear.length > 0) {
    for (const { kind, ref } of unclear)
      kept.push({ kind, ref, why: "the outcome of its call is unknown; look at the CRM" });
    return { steps: [], kept };
  }
  const here = steps.filter(
    ({ kind, state }) =>
      // Moves in every pass: of two that the run made of one record, the later one has to go first, and its message may come later.
      state === "confirmed" && (kindsOf[about.pass]?.includes(kind) || isMoveKind(kind)),
  );
  for (const step of here.reverse()) {
    const found = reversed(step, about);
    if (found === undefined) continue;
    if ("left" in found) kept.push(found.left);
    else back.push(found.step);
  }
  // Moves first, while what they move is there.
  return { steps: [...back.filter(isMove), ...back.filter((step) => !isMove(step))], kept };
}

const isMoveKind = (kind: StepKind): boolean => kind === "link" || kind === "unlink";

type Reversed = { readonly step: Step } | { readonly left: NonNullable<RunOutcome["kept"]>[number] };

/** Undefined where the run brought nothing about. */
function reversed({ kind, key, ref, adopted, sends, snapshot }: MadeStep, about: About): Reversed | undefined {
  const { run, tenant, now, sealer } = about;
  const why = `takes back run ${run.of}`;
  if (snapshot === undefined) {
    // Found there, not made; what was made without a look at it afterwards is nobody's to delete unseen.
    if (adopted && (sends === 0 || !recordKinds.has(kind))) return undefined;
    const found = "it was found after a call without an answer: it may be somebody else's";
    return { left: { kind, ref, why: adopted ? found : "what the CRM held after it was made is not known" } };
  }
  const expect = JSON.parse(Buffer.from(sealer.open(snapshot).plain).toString("utf8")) as Held;
  if (recordKinds.has(kind)) {
    const natural = [key, String(run.id)];
    return { step: { kind: "archive", key: stepKey(tenant, "archive", natural), why, target: key, expect } };
  }
  const again = now.filter(isMove).find(({ undoes }) => undoes === key);
  if (again !== undefined) return { step: again };
  const move = now.filter(isMove).find((step) => step.kind === kind && step.key === key);
  // It was so before the run.
  if (move === undefined || expect.had === (kind === "link")) return undefined;
  const other = move.kind === "link" ? "unlink" : "link";
  const { from, to } = move;
  const how = { key: stepKey(tenant, other, [from, to, `run ${run.id}`]), why, from, to, expect, undoes: key };
  return { step: { kind: other, ...how } };
}
