/** Steps on what is at the CRM already, and on what it can do: nothing is called for where there is nothing to do, or nothing to be had. */
import type { KnownRef, Refs } from "../model/destination.ts";
import type { Step } from "../model/step.ts";
import { alsoNoting, narrowed, unchangeable } from "./able.ts";
import { type EnsurePorts, ensure, type StepOutcome, type Turn } from "./ensure.ts";

type Move = Extract<Step, { kind: "link" | "unlink" }>;

/** Keys of the records that a step cannot be carried out without. */
export const belongsTo = (step: Step): readonly string[] =>
  "about" in step ? step.about : step.kind === "link" ? [step.to] : [];

/** As `ensure`, for any step of this plan. */
export async function ensureStep(turn: Turn, plan: readonly Step[], ports: EnsurePorts): Promise<StepOutcome> {
  const { step, refs } = turn;
  if (step.kind === "file" && !ports.facts.can.changeActivity) return done(turn, step.activity, unchangeable, ports);
  if (step.kind === "activity") {
    const one = narrowed(step, refs, ports.facts);
    return alsoNoting(await ensure({ ...turn, step: one.step }, ports), one.note);
  }
  if (step.kind !== "link" && step.kind !== "unlink") return await ensure(turn, ports);
  const needless = needlessFor(step, refs, plan);
  if (needless !== undefined) return done(turn, step.from, needless, ports);
  const outcome = await ensure(turn, ports);
  if (outcome.kind !== "failed" || outcome.failure.kind !== "permanent") return outcome;
  return (await isGone(refs.get(step.from), ports))
    ? done(turn, step.from, "what it would move is no longer at the CRM", ports)
    : outcome;
}

function needlessFor({ kind, from, to }: Move, refs: Refs, plan: readonly Step[]): string | undefined {
  if (kind === "link") return undefined;
  const target = refs.get(to);
  // In another account, say, than the one where it was associated.
  if (target === undefined || !refs.has(from)) return "the CRM has no record of it that we know of";
  const owner = plan.find(({ key }) => key === from);
  const about = owner !== undefined && "about" in owner ? owner.about : [];
  // Two addresses of one contact: what is wanted must not be taken away under its other name.
  const isWanted = about.some((key) => refs.get(key)?.id === target.id && refs.get(key)?.kind === target.kind);
  return isWanted ? "it is a record that the message belongs to" : undefined;
}

/** False also where it could not be read. */
async function isGone(ref: KnownRef | undefined, { session }: EnsurePorts): Promise<boolean> {
  if (ref === undefined) return false;
  try {
    const there = await session.read(ref.kind, ref.id);
    return there === undefined || there.archived;
  } catch {
    return false;
  }
}

/** `about`: key of the record that it would have changed. */
function done({ row, refs }: Turn, about: string, note: string, { clock }: EnsurePorts): StepOutcome {
  const ref = { id: refs.get(about)?.id ?? "none", adopted: true, note };
  const at = clock.now();
  return { kind: "confirmed", ref, note: { step: row.id, state: "confirmed", at, ref: ref.id, adopted: true, note } };
}
