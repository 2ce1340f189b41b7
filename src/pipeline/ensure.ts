/**
 * Hop 8 of the road: brings one step about at a destination, exactly once. The intent is committed before the call, an unclear outcome is
 * looked up before anything is sent again, and where looking cannot prove absence nothing is sent again at all.
 */
import type { Destination, Ref, Refs, Session } from "../model/destination.ts";
import type { ClaimedStep, FailureReason, Forget, Settlement, StepNote } from "../model/ledger.ts";
import { type Failure, failureOf, Refused } from "../model/outcome.ts";
import type { Clock } from "../model/ports.ts";
import type { Step } from "../model/step.ts";
import type { Unclear, UnclearQuery } from "../model/unclear.ts";
import { readBackDelaysMs } from "./backoff.ts";
import { LedgerFailed } from "./faults.ts";

/** A call to a vendor ends within this, one way or the other (DESIGN section 6). */
export const callDeadlineMs = 30_000;
/** A put may be a few calls: create, read back by key, associate. */
const putDeadlineMs = 4 * callDeadlineMs;

/** One step of a delivery, with what the steps before it left. */
export interface Turn {
  readonly step: Step;
  readonly row: ClaimedStep;
  readonly refs: Refs;
  /** Notes of earlier steps not yet committed; they go with the next commit. */
  readonly carried: readonly StepNote[];
}

export interface EnsurePorts {
  readonly session: Session;
  readonly facts: Destination<unknown>["facts"];
  readonly clock: Clock;
  /** Commits notes under the claim's lease; false means the lease was lost and nothing may be sent. */
  note(steps: readonly StepNote[], forget?: readonly Forget[]): Promise<boolean>;
  /** A call for this record that another delivery of the lane made, and that got no clear answer. */
  unclear(kind: UnclearQuery["kind"], key: string): Promise<Unclear | null>;
}

/** What came of one step. `wait` and `stop` end this turn of the delivery. */
export type StepOutcome =
  | { readonly kind: "confirmed"; readonly ref: Ref; readonly note: StepNote }
  | { readonly kind: "stop"; readonly settlement: Stop; readonly notes: readonly StepNote[] }
  /** `defect`: what was thrown was no Refused, so it is ours to mend. */
  | {
      readonly kind: "failed";
      readonly failure: Failure;
      readonly notes: readonly StepNote[];
      readonly defect?: unknown;
    }
  | { readonly kind: "lost" };

/** A decided end of the turn; the time of a retry after a `failed` step is the drain's to choose. */
export type Stop =
  | Extract<Settlement, { state: "held" }>
  | Extract<Settlement, { state: "failed" }>
  | Extract<Settlement, { state: "pending" }>;

/** Ensures one step. Never throws for what a vendor did; every way out is a StepOutcome. */
export async function ensure(turn: Turn, ports: EnsurePorts): Promise<StepOutcome> {
  const { step, row } = turn;
  try {
    if (isUnclear(row)) return await settleUnknown(turn, ports);
    const other = await unclearElsewhere(turn, ports);
    if (other !== undefined) return waitForOther(row, other, ports);
    const found = (await mustLookFirst(step, ports)) ? await ports.session.find(step, turn.refs) : undefined;
    if (found !== undefined) return await adopt(turn, found, ports);
    if ("create" in step && !step.create) return nobodyThere(turn, ports);
    return await send(turn, ports);
  } catch (error) {
    if (error instanceof LedgerFailed) throw error;
    return { kind: "failed", failure: failureOfRead(error), notes: [], ...defectIn(error) };
  }
}

export const defectIn = (thrown: unknown): { defect?: unknown } =>
  thrown instanceof Refused ? {} : { defect: thrown };

/**
 * People and companies are looked up before they are created: someone else may have made them. So is everything the vendor would let us
 * create twice: the ledger may have been rebuilt, or restored from a backup, after the first time.
 */
async function mustLookFirst(step: Step, { session }: EnsurePorts): Promise<boolean> {
  if (step.kind === "person" || step.kind === "company") return true;
  return (await session.dedupe(step.kind)).tier !== "unique-key";
}

const isUnclear = ({ state }: ClaimedStep): boolean => state === "unknown" || state === "sent";

/** How long a delivery rests at most before it asks again what became of the call of another. */
const longestWaitMs = 60_000;

/**
 * Two mails of one new sender, and the call of the first got no answer: a search that lags does not show what it may have made, and where
 * the vendor does not keep the key unique, the second mail would make a second person. So it is with companies, and with a deal whose first
 * mail became a dead letter. When to ask again; undefined when there is nothing to wait for.
 */
async function unclearElsewhere({ row }: Turn, ports: EnsurePorts): Promise<number | undefined> {
  const { kind, key } = row;
  if (kind !== "person" && kind !== "company" && kind !== "deal") return undefined;
  if ((await ports.session.dedupe(kind)).tier === "unique-key") return undefined;
  const other = await ports.unclear(kind, key);
  if (other === null) return undefined;
  // Both unclear: the older one waits for the later one, which was waited for already when it comes to the same; never each for the other.
  if (isUnclear(row) && other.deadline <= (row.deadline ?? 0)) return undefined;
  return askAgainAt(other, ports);
}

/** Pure. A vendor may commit until `lateCommitMs` after the deadline, and its search may show that `searchLagMs` later. */
export function askAgainAt(
  { deadline, pending }: Unclear,
  { clock, facts }: Pick<EnsurePorts, "clock" | "facts">,
): number | undefined {
  const now = clock.now();
  const sentAt = deadline - putDeadlineMs;
  // Before the call left, says a clock that was set back: its time is worth nothing, but the reads of its own delivery come to an end.
  if (now < sentAt) return pending ? now + longestWaitMs : undefined;
  const over = deadline + facts.lateCommitMs + facts.searchLagMs;
  if (now > over) return undefined;
  // Soon after the call: it may be that its clear answer is just being written down.
  return Math.min(over + 1, now + Math.min(longestWaitMs, Math.max(leastReadGapMs, now - sentAt)));
}

function waitForOther(row: ClaimedStep, dueAt: number, { clock }: EnsurePorts): StepOutcome {
  const reason = `a call for the same ${row.kind}, made for another mail, got no clear answer yet; waiting, so that no second one is made`;
  return {
    kind: "stop",
    settlement: { state: "pending", dueAt, counted: false, detail: reason },
    notes: [{ step: row.id, state: isUnclear(row) ? "unknown" : "planned", at: clock.now(), reason }],
  };
}

/** A look-up writes nothing, so whatever went wrong with it, nothing happened: an unknown exception is a reason to try again. */
export function failureOfRead(error: unknown): Failure {
  const failure = failureOf(error);
  return failure.kind === "ambiguous" ? { kind: "retryable", reason: failure.reason } : failure;
}

function confirmed(row: ClaimedStep, ref: Ref, { clock }: EnsurePorts): StepOutcome {
  const note: StepNote = {
    step: row.id,
    state: "confirmed",
    at: clock.now(),
    ref: ref.id,
    adopted: ref.adopted ?? false,
    ...(ref.note === undefined ? {} : { note: ref.note }),
  };
  return { kind: "confirmed", ref, note };
}

/**
 * What was found may lack its associations: the call that made it could have been cut between the two. Repeating them changes nothing. One
 * that is refused for good (its contact was deleted by hand, say) does not unmake the record: it stands, and the refusal is noted.
 */
async function adopt(turn: Turn, found: Ref, ports: EnsurePorts): Promise<StepOutcome> {
  const { step, row, refs } = turn;
  const notes = found.note === undefined ? [] : [found.note];
  for (const key of "about" in step ? step.about : []) {
    const target = refs.get(key);
    if (target === undefined) continue;
    try {
      await ports.session.link({ kind: step.kind, id: found.id }, target);
    } catch (error) {
      if (!(error instanceof Refused) || error.failure.kind !== "permanent") throw error;
      notes.push(`it could not be associated with ${target.kind} ${target.id}: ${error.failure.reason}`);
    }
  }
  const note = notes.length === 0 ? {} : { note: notes.join("; ") };
  return confirmed(row, { ...found, adopted: true, ...note }, ports);
}

function nobodyThere({ step, row }: Turn, { clock }: EnsurePorts): StepOutcome {
  const reason = `no such ${step.kind} at the CRM, and the mapping does not let this mail make one (${step.why})`;
  const rule = (step.kind === "person" ? step.gate : null) ?? "trust.create_contact";
  return {
    kind: "stop",
    settlement: { state: "held", rule, detail: reason },
    notes: [{ step: row.id, state: "planned", at: clock.now(), reason }],
  };
}

/** Intent, commit, call. */
async function send({ step, row, refs, carried }: Turn, ports: EnsurePorts): Promise<StepOutcome> {
  const { clock, session } = ports;
  const at = clock.now();
  const owned = await ports.note([...carried, { step: row.id, state: "sent", at, deadline: at + putDeadlineMs }]);
  if (!owned) return { kind: "lost" };
  try {
    return confirmed(row, await session.put(step, refs), ports);
  } catch (error) {
    const failure = failureOf(error);
    return { kind: "failed", failure, notes: [noteOfFailure(row, failure, clock.now())], ...defectIn(error) };
  }
}

/** `at`: when the call was over. */
function noteOfFailure(row: ClaimedStep, failure: Failure, at: number): StepNote {
  const { reason } = failure;
  switch (failure.kind) {
    case "retryable":
    case "rate_limited":
    case "blocked":
      return { step: row.id, state: "planned", at, reason };
    case "ambiguous":
      return { step: row.id, state: "unknown", at, reason, over: at };
    case "permanent":
      return { step: row.id, state: "refused", at, reason };
    default:
      return failure satisfies never;
  }
}

/** A step may have happened. Look; send again only where that cannot make a second record. */
async function settleUnknown(turn: Turn, ports: EnsurePorts): Promise<StepOutcome> {
  const { step, row } = turn;
  const found = await ports.session.find(step, turn.refs, { sent: true });
  if (found !== undefined) return await adopt(turn, found, ports);
  const verdict = afterEmptyRead(row, await ports.session.dedupe(step.kind), ports);
  switch (verdict.kind) {
    case "send": {
      const other = await unclearElsewhere(turn, ports);
      return other === undefined ? await send(turn, ports) : waitForOther(row, other, ports);
    }
    case "wait":
      return waitForReadBack(row, verdict.dueAt, ports);
    case "give_up":
      return outcomeUnknown(row, verdict.reason, ports);
    default:
      return verdict satisfies never;
  }
}

/** Two reads in the same moment are one. */
const leastReadGapMs = 1_000;
/** One more than the scheduled reads before the last can have been, so that at least one full wait lies after the clock was set back. */
const readsAfterClockSetBack = readBackDelaysMs.length + 2;

type Verdict =
  | { readonly kind: "send" }
  | { readonly kind: "wait"; readonly dueAt: number }
  | { readonly kind: "give_up"; readonly reason: string };

/** What an empty read-back allows (DESIGN section 4, exactly-once). Pure. */
export function afterEmptyRead(
  row: Pick<ClaimedStep, "sends" | "emptyReads" | "deadline">,
  dedupe: Awaited<ReturnType<Session["dedupe"]>>,
  { clock, facts }: Pick<EnsurePorts, "clock" | "facts">,
): Verdict {
  // A second create with a unique key is refused by the vendor; sends 0 is an operator's replay, who has looked and asks for it.
  if (dedupe.tier === "unique-key" || row.sends === 0) return { kind: "send" };
  const now = clock.now();
  const reads = row.emptyReads + 1;
  const deadline = row.deadline ?? now;
  const lagMs = dedupe.absenceProvable ? facts.lateCommitMs : Math.max(facts.searchLagMs, readBackDelaysMs.at(-1) ?? 0);
  if (now < deadline - putDeadlineMs) {
    // Before the call left, says a clock that was set back: its times are worth nothing, waits from now on are.
    if (reads < readsAfterClockSetBack) return { kind: "wait", dueAt: now + putDeadlineMs + lagMs + 1 };
  } else if (now <= deadline + lagMs || reads < 2) {
    const next = deadline + (readBackDelaysMs[reads] ?? Number.POSITIVE_INFINITY);
    // A hair later: the read that counts has to be after the latest moment the vendor may commit.
    return { kind: "wait", dueAt: Math.max(now + leastReadGapMs, Math.min(next, deadline + lagMs + 1)) };
  }
  if (!dedupe.absenceProvable) {
    return {
      kind: "give_up",
      reason: "the call got no clear answer, and this CRM has no read that could prove that nothing was written",
    };
  }
  if (row.sends > 1) return { kind: "give_up", reason: "two calls got no clear answer" };
  return { kind: "send" };
}

function waitForReadBack(row: ClaimedStep, dueAt: number, { clock }: EnsurePorts): StepOutcome {
  const reason = "the outcome of the last call is unknown; nothing found yet, reading again later";
  return {
    kind: "stop",
    settlement: { state: "pending", dueAt, counted: false, detail: reason },
    notes: [{ step: row.id, state: "unknown", at: clock.now(), reason, emptyRead: true }],
  };
}

function outcomeUnknown(row: ClaimedStep, reason: string, { clock }: EnsurePorts): StepOutcome {
  const failed: FailureReason = "outcome_unknown";
  return {
    kind: "stop",
    settlement: { state: "failed", reason: failed, detail: `${reason}; look at the CRM, then confirm or replay` },
    notes: [{ step: row.id, state: "unknown", at: clock.now(), reason, emptyRead: true }],
  };
}
