/** Steps of a run: what the CRM holds after each is written down, and what is taken back is first held against that, so that nobody's change is lost. */
import { createHash } from "node:crypto";
import { stepKey } from "../mapping/keys.ts";
import type { KnownRef, Snapshot } from "../model/destination.ts";
import type { ClaimedStep } from "../model/ledger.ts";
import type { Sealer } from "../model/ports.ts";
import { type Confirmed, movedSince, recordKinds } from "../model/runs.ts";
import type { Step } from "../model/step.ts";
import { defectIn, type EnsurePorts, failureOfRead, type StepOutcome, type Turn } from "./ensure.ts";
import { LedgerFailed } from "./faults.ts";
import { ensureStep } from "./moving.ts";

/** What is kept of a record: enough to tell a change, and no text of it. */
export type Held = NonNullable<Archive["expect"]>;

type Move = Extract<Step, { kind: "link" | "unlink" }>;
type Archive = Extract<Step, { kind: "archive" }>;
const isMove = (step: Step): step is Move => step.kind === "link" || step.kind === "unlink";
const nameOf = ({ kind, id }: Pick<KnownRef, "kind" | "id">): string => `${kind}:${id}`;
/** A read that fails must not cost a run its way back. */
const mostReads = 3;

export function heldOf({ fields, links = [] }: Snapshot, had?: boolean): Held {
  const digest = (value: string) => createHash("sha256").update(value).digest("base64url").slice(0, 22);
  return {
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, value === null ? null : digest(value)]),
    ),
    links: [...links].sort(),
    ...(had === undefined ? {} : { had }),
  };
}

export interface RunPorts extends EnsurePorts {
  readonly sealer: Sealer;
}

/** As `ensureStep`, for a step of any plan. */
export async function ensureOfRun(turn: Turn, plan: readonly Step[], ports: RunPorts): Promise<StepOutcome> {
  const { step, row, refs } = turn;
  const named = { ...turn, step: ofGeneration(step, row) };
  const compares = "expect" in step && step.expect !== undefined;
  if (row.run === undefined && !compares) return await ensureStep(named, plan, ports);
  try {
    if (step.kind === "archive" && step.expect !== undefined) return await takeBack(turn, step, plan, ports);
    if (isMove(step) && step.expect !== undefined) {
      const alone = await othersSince(step, turn, ports);
      if (alone !== undefined) return leave(turn, alone.why, ports, alone.isDone ? tookBackBy(step, turn) : {});
    }
    const had = isMove(step) && row.sends === 0 ? await isLinked(step, turn, ports) : undefined;
    const outcome = await ensureStep(named, plan, ports);
    if (outcome.kind !== "confirmed" || outcome.note.state !== "confirmed") return outcome;
    if (isMove(step) && step.undoes !== undefined) return withoutMove(step, outcome, turn);
    // Found after a call without an answer: a mail and a deal carry our key; a contact or a company may be somebody else's by now.
    const unclear = row.state === "sent" || row.state === "unknown";
    const shared = step.kind === "person" || step.kind === "company";
    const ours = outcome.ref.adopted !== true || (unclear && (!shared || outcome.ref.ours === true));
    if (!ours || !(recordKinds.has(step.kind) || isMove(step))) return outcome;
    const about = isMove(step) ? refs.get(step.from) : { kind: step.kind, id: outcome.ref.id };
    const whole = about === undefined ? undefined : await holds(about, fieldsOf(step), ports);
    if (whole === undefined) return outcome;
    const isLate = unclear && outcome.ref.adopted === true && !isMove(step);
    const held = isLate ? await asLeft(whole, named, ports) : whole;
    if (held === undefined) return outcome;
    const snapshot = sealed(isMove(step) ? { ...held, had: had ?? step.kind === "unlink" } : held, ports);
    return { ...outcome, note: { ...outcome.note, snapshot } };
  } catch (error) {
    if (error instanceof LedgerFailed) throw error;
    // After a call of ours too: the step is `sent`, and is looked up the next time.
    return { kind: "failed", failure: failureOfRead(error), notes: [], ...defectIn(error) };
  }
}

/**
 * Looked at late, after a call whose answer was lost: what a person has written into it by then, and what has been hung on it, came since.
 * Undefined where the connector cannot say what was there at first.
 */
async function asLeft(late: Held, { step, refs }: Turn, { session }: RunPorts): Promise<Held | undefined> {
  const fields = await session.asMade?.(step, refs);
  if (fields === undefined) return undefined;
  const own = new Set([...refs.values()].map(nameOf));
  // Which of the open deals it was put on, the CRM said in that call alone: a person may have put it on the others, and none is taken for ours.
  const links = late.links.filter((link) => own.has(link));
  return heldOf({ id: "", archived: false, fields, links });
}

const sealed = (held: Held, { sealer }: RunPorts): Uint8Array =>
  sealer.seal(Buffer.from(JSON.stringify(held)), "snapshot");

/** The key of a record that was taken back is used up at the CRM: its archived holder has it. */
function ofGeneration(step: Step, { generation }: ClaimedStep): Step {
  if (generation === undefined || !recordKinds.has(step.kind)) return step;
  return { ...step, key: stepKey("", step.kind, [step.key, String(generation)]) };
}

const fieldsOf = (step: Step): string[] => ("fields" in step ? Object.keys(step.fields ?? {}) : []);

async function holds(
  { kind, id }: Pick<KnownRef, "kind" | "id">,
  fields: readonly string[],
  { session }: EnsurePorts,
): Promise<Held | undefined> {
  for (let read = 1; ; read++) {
    try {
      const snapshot = await session.read(kind, id, { fields });
      return snapshot === undefined || snapshot.archived ? undefined : heldOf(snapshot);
    } catch (error) {
      if (read >= mostReads) throw error;
    }
  }
}

async function isLinked({ from, to }: Move, { refs }: Turn, ports: EnsurePorts): Promise<boolean | undefined> {
  const [one, other] = [refs.get(from), refs.get(to)];
  if (one === undefined || other === undefined) return undefined;
  return (await holds(one, [], ports))?.links.includes(nameOf(other));
}

function leave({ row }: Turn, why: string, { clock }: EnsurePorts, more: Confirmed = {}): StepOutcome {
  const note = `left alone: ${why}`;
  const ref = { id: "none", adopted: true, note };
  return {
    kind: "confirmed",
    ref,
    note: { step: row.id, state: "confirmed", at: clock.now(), ref: ref.id, adopted: true, note, ...more },
  };
}

/** The move that was taken back may be asked for again under the same key. */
function withoutMove(step: Move, outcome: Extract<StepOutcome, { kind: "confirmed" }>, turn: Turn): StepOutcome {
  if (outcome.note.state !== "confirmed") return outcome;
  return { ...outcome, note: { ...outcome.note, ...tookBackBy(step, turn) } };
}

function tookBackBy({ kind, from, undoes }: Move, { refs }: Turn): Confirmed {
  const ref = refs.get(from);
  if (ref === undefined || undoes === undefined) return {};
  return { tookBack: { kind: kind === "link" ? "unlink" : "link", key: undoes, ref: ref.id, ours: false } };
}

/** A record goes only where it is as the run left it: nobody wrote into it, and nothing else belongs to it. */
async function takeBack(turn: Turn, step: Archive, plan: readonly Step[], ports: RunPorts): Promise<StepOutcome> {
  const { row, refs } = turn;
  const target = refs.get(step.target);
  if (target === undefined || step.expect === undefined) return leave(turn, "nothing is known of it any more", ports);
  const { kind, id } = target;
  const tookBack = { kind, key: step.target, ref: id };
  const expected: Held = step.expect;
  const now = await holds(target, Object.keys(expected.fields), ports);
  if (now === undefined) {
    // By our own call, whose answer was lost; or a person was before us.
    if (row.sends > 0) return done(turn, id, ports, { tookBack: { ...tookBack, ours: true } });
    return leave(turn, `${kind} ${id} is not there any more`, ports, { tookBack: { ...tookBack, ours: false } });
  }
  const names = new Set([...Object.keys(expected.fields), ...Object.keys(now.fields)]);
  const changed = [...names].filter((name) => (now.fields[name] ?? null) !== (expected.fields[name] ?? null));
  if (changed.length > 0) return leave(turn, `${kind} ${id} was changed since: ${changed.join(", ")}`, ports);
  const more = now.links.filter((link) => !expected.links.includes(link));
  if (more.length > 0) return leave(turn, `${kind} ${id} has ${more.join(", ").replaceAll(":", " ")} since`, ports);
  const outcome = await ensureStep(turn, plan, ports);
  if (outcome.kind !== "confirmed" || outcome.note.state !== "confirmed") return outcome;
  return { ...outcome, note: { ...outcome.note, tookBack: { ...tookBack, ours: true } } };
}

function done({ row }: Turn, id: string, { clock }: EnsurePorts, more: Confirmed): StepOutcome {
  const note = { step: row.id, state: "confirmed", at: clock.now(), ref: id, adopted: false, ...more } as const;
  return { kind: "confirmed", ref: { id }, note };
}

/** Moves are taken back one by one from the last, so that each finds what it left; whatever else is there, a person has moved, or a move of the run that is still to go. */
async function othersSince(
  step: Move,
  { refs, row }: Turn,
  ports: EnsurePorts,
): Promise<{ readonly why: string; readonly isDone: boolean } | undefined> {
  const [from, to] = [refs.get(step.from), refs.get(step.to)];
  if (from === undefined || to === undefined || step.expect === undefined)
    return { why: "nothing is known of it any more", isDone: false };
  const now = await holds(from, [], ports);
  if (now === undefined) return { why: `${from.kind} ${from.id} is not there any more`, isDone: false };
  const ofKind = (links: readonly string[]) => links.filter((link) => link.startsWith(`${to.kind}:`)).join();
  if (ofKind(now.links) === ofKind(step.expect.links)) return undefined;
  const isDone = now.links.includes(nameOf(to)) === (step.kind === "link");
  // Our own call may have got through before its answer was lost.
  if (row.sends > 0 && isDone) return undefined;
  return { why: `${from.kind} ${from.id} ${movedSince}`, isDone };
}
