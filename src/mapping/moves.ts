/**
 * What has to change at a CRM when a message that is there already is planned again and belongs to other records now: pure, on what the ledger
 * knows of the plan before. Only associations that an earlier plan of the same delivery asked for are ever taken away.
 */
import type { DeliveryState, StepState } from "../model/ledger.ts";
import type { ActivityStep, Decision, Step, StepKind } from "../model/step.ts";
import { stepKey } from "./keys.ts";

/** A delivery as it was planned last, and what became of its steps; those that are planned no more are among them. */
export interface Before {
  readonly state: DeliveryState;
  readonly steps: readonly Step[];
  readonly rows: readonly {
    readonly kind: StepKind;
    readonly key: string;
    readonly state: StepState;
    readonly sends: number;
    readonly ref: string | null;
  }[];
}

export interface Moved {
  readonly decision: Decision;
  /** What a person has to do where the CRM cannot move it; null otherwise. */
  readonly byHand: string | null;
}

type Move = Extract<Step, { kind: "link" | "unlink" }>;

export const isActivity = (step: Step): step is ActivityStep => step.kind === "activity";
export const isMove = (step: Step): step is Move => step.kind === "link" || step.kind === "unlink";

/**
 * The decision with the steps that bring associations into line. Moves that an earlier plan asked for stay for as long as the message belongs
 * where they led; when it belongs elsewhere again, new ones of the next generation take their place: a key that was confirmed once is never
 * worked again, and a message may well move back.
 */
export function withMoves(decision: Decision, before: Before | undefined, tenant: string, canMove: boolean): Moved {
  if (decision.kind !== "steps" || before === undefined) return { decision, byHand: null };
  const moves: Move[] = [];
  const words: string[] = [];
  for (const step of decision.steps.filter(isActivity)) {
    const found = movesOf(step, before, tenant);
    if (canMove) moves.push(...found.kept, ...found.made);
    else if (found.made.length > 0) words.push(byHand(step, found.made, before));
  }
  const steps = moves.length === 0 ? decision.steps : [...decision.steps, ...moves];
  return { decision: { ...decision, steps }, byHand: words.length === 0 ? null : words.join("; ") };
}

function movesOf(step: ActivityStep, before: Before, tenant: string): { kept: readonly Move[]; made: readonly Move[] } {
  const old = before.steps.find((each): each is ActivityStep => isActivity(each) && each.key === step.key);
  if (old === undefined || !mayExist(step, before)) return { kept: [], made: [] };
  const kept = before.steps.filter(isMove).filter(({ from }) => from === step.key);
  const [now, then] = [new Set(step.about), new Set(old.about)];
  if (now.size === then.size && [...now].every((key) => then.has(key))) return { kept, made: [] };
  const isDone = (move: Move): boolean => rowOf(before, move)?.state === "confirmed";
  const earlier = (kind: Move["kind"], to: string) => kept.find((move) => move.kind === kind && move.to === to);
  const generation = Math.max(0, ...kept.map((move) => move.generation ?? 0)) + 1;
  const make = (kind: Move["kind"], to: string, why: string): Move => {
    const key = stepKey(tenant, kind, [step.key, to, String(generation)]);
    return { kind, key, why, from: step.key, to, generation };
  };
  const isLinked = (to: string): boolean => {
    const move = earlier("link", to);
    return then.has(to) && (move === undefined || isDone(move));
  };
  const isUnlinked = (to: string): boolean => {
    const move = earlier("unlink", to);
    return move !== undefined && isDone(move);
  };
  // Everything that it may be associated with by us: where the plan before put it, and what that plan had yet to take away.
  const ever = new Set([...then, ...kept.filter(({ kind }) => kind === "unlink").map(({ to }) => to)]);
  const links = [...now].filter((to) => !isLinked(to));
  const unlinks = [...ever].filter((to) => !now.has(to) && !isUnlinked(to));
  // First linked, then unlinked: at no moment does it belong to nobody.
  const made = [
    ...links.map((to) => make("link", to, "it belongs to this record since it was planned again")),
    ...unlinks.map((to) => make("unlink", to, "it does not belong to this record any more since it was planned again")),
  ];
  return { kept: [], made };
}

export const rowOf = (before: Before, { kind, key }: Pick<Step, "kind" | "key">) =>
  before.rows.find((row) => row.kind === kind && row.key === key);

/** Not only where it is confirmed: a call may be under way, and a delivery that waits may be worked while this is planned. */
export function mayExist(step: ActivityStep, before: Before): boolean {
  const row = rowOf(before, step);
  if (row === undefined) return false;
  const neverSent = row.sends === 0 && (row.state === "planned" || row.state === "refused");
  return !neverSent || before.state === "pending" || before.state === "failed";
}

const recordNames: Partial<Record<StepKind, string>> = { person: "contact", company: "company", deal: "deal" };

/** With the CRM's own ids, so that the sentence holds no address. */
function byHand(step: ActivityStep, made: readonly Move[], before: Before): string {
  const name = (key: string): string => {
    const row = before.rows.find((each) => each.key === key && each.ref !== null);
    return row === undefined
      ? "a record that this message's plan names"
      : `${recordNames[row.kind] ?? row.kind} ${row.ref}`;
  };
  const of = (kind: Move["kind"]) => made.filter((move) => move.kind === kind).map(({ to }) => name(to));
  const [to, from] = [of("link"), of("unlink")];
  const parts = [
    ...(to.length === 0 ? [] : [`belongs to ${to.join(", ")} now`]),
    ...(from.length === 0 ? [] : [`no longer to ${from.join(", ")}`]),
  ];
  const ref = rowOf(before, step)?.ref;
  return `${step.kind}${ref == null ? "" : ` ${ref}`} ${parts.join(" and ")}; this CRM cannot move it: do it there by hand`;
}
