/** What a CRM cannot do with a logged mail, by its own facts: done as far as it goes, and said where the story of the message is told. */
import type { Facts, Refs } from "../model/destination.ts";
import type { ActivityStep } from "../model/step.ts";
import type { StepOutcome } from "./ensure.ts";

export const unchangeable =
  "this CRM cannot change a logged mail: what it says of its files is as it was when it was logged, and its links lead to what is true now";

export interface Narrowed {
  readonly step: ActivityStep;
  /** Undefined where nothing was left out. */
  readonly note: string | undefined;
}

const mostNamed = 5;

/** On its first person alone, where a logged mail stands on one: a second activity for the others would be the same mail twice. */
export function narrowed(step: ActivityStep, refs: Refs, { can }: Pick<Facts, "can">): Narrowed {
  if (can.severalPeople) return { step, note: undefined };
  const isPerson = (key: string): boolean => refs.get(key)?.kind === "person";
  const [first, ...others] = step.about.filter(isPerson);
  const id = first === undefined ? undefined : refs.get(first)?.id;
  // Two addresses of one contact are one.
  const left = [...new Set(others.flatMap((key) => refs.get(key)?.id ?? []))].filter((other) => other !== id);
  const about = step.about.filter((key) => key === first || !isPerson(key));
  if (left.length === 0) return { step: { ...step, about }, note: undefined };
  const named = left.slice(0, mostNamed).join(", ");
  const more = left.length > mostNamed ? ` and ${left.length - mostNamed} more` : "";
  return {
    step: { ...step, about },
    note: `this CRM puts a logged mail on one contact: it is on ${id}, and not on ${named}${more}`,
  };
}

/** The outcome, with a note more where it is one that is told. */
export function alsoNoting(outcome: StepOutcome, note: string | undefined): StepOutcome {
  if (note === undefined || outcome.kind !== "confirmed" || outcome.note.state !== "confirmed") return outcome;
  const all = [outcome.note.note, note].filter((part) => part !== undefined).join("; ");
  return { ...outcome, ref: { ...outcome.ref, note: all }, note: { ...outcome.note, note: all } };
}
