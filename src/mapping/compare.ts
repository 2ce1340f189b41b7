/** What another version of a mapping would do otherwise about one mail: pure, on the two plans. */

import type { Decision, Step, StepKind } from "../model/step.ts";
import { explainSteps } from "./explain.ts";

/** create: it asks for more than before, and for nothing less. no_longer: for less. change: for something else. rule: for the same, by another rule. */
export const differenceKinds = ["create", "change", "no_longer", "rule", "same"] as const;
export type DifferenceKind = (typeof differenceKinds)[number];

/** One record or association that the two plans do not agree about. */
export interface StepDifference {
  readonly what: "create" | "change" | "no_longer";
  readonly kind: StepKind;
  readonly key: string;
  /** What the step brings about, as a sentence: as the new version has it, or the old one where only that has it. */
  readonly does: string;
  /** Of a change: what is asked for otherwise. */
  readonly fields: readonly string[];
}

export interface Compared {
  readonly kind: DifferenceKind;
  readonly steps: readonly StepDifference[];
}

/** Where a step stands in the plan, and why, is not what it asks for; of which company a person is, that company's own step and its link tell. */
const aside: ReadonlySet<string> = new Set([
  "kind",
  "key",
  "why",
  "generation",
  "headers",
  "at",
  "company",
  "mapping_version",
]);

export function comparePlans(before: Decision, after: Decision): Compared {
  const steps = stepDifferences(stepsOf(before), stepsOf(after));
  return { kind: kindOf(before, after, steps), steps };
}

const stepsOf = (decision: Decision): readonly Step[] => (decision.kind === "steps" ? decision.steps : []);

function kindOf(before: Decision, after: Decision, steps: readonly StepDifference[]): DifferenceKind {
  const all = (what: StepDifference["what"]) => steps.length > 0 && steps.every((step) => step.what === what);
  if (before.kind === after.kind) {
    if (steps.length > 0) return kindOfSteps(steps);
    if (before.kind !== "steps" && after.kind !== "steps" && before.reason !== after.reason) {
      return before.rule === after.rule ? "change" : "rule";
    }
    return before.rule === after.rule ? "same" : "rule";
  }
  if (all("create")) return "create";
  return all("no_longer") ? "no_longer" : "change";
}

/** An activity that now also belongs to the deal that is made has changed because of that: what counts is the record that is more, or less. */
function kindOfSteps(steps: readonly StepDifference[]): DifferenceKind {
  const has = (what: StepDifference["what"]) => steps.some((step) => step.what === what);
  const told = steps.some(({ what, fields }) => what === "change" && fields.some((name) => name !== "about"));
  if (told || (has("create") && has("no_longer"))) return "change";
  if (has("create")) return "create";
  return has("no_longer") ? "no_longer" : "change";
}

function stepDifferences(before: readonly Step[], after: readonly Step[]): StepDifference[] {
  const idOf = ({ kind, key }: Step): string => `${kind} ${key}`;
  const old = new Map(before.map((step) => [idOf(step), step]));
  const now = new Set(after.map(idOf));
  const words = { old: wordsOf(before), now: wordsOf(after) };
  const differences = after.flatMap((step, at): StepDifference[] => {
    const { kind, key } = step;
    const was = old.get(idOf(step));
    const does = words.now(at);
    if (was === undefined) return [{ what: "create", kind, key, does: does(), fields: [] }];
    const fields = fieldsApart(was, step);
    return fields.length === 0 ? [] : [{ what: "change", kind, key, does: does(), fields }];
  });
  const gone = before.flatMap((step, at): StepDifference[] => {
    if (now.has(idOf(step))) return [];
    return [{ what: "no_longer", kind: step.kind, key: step.key, does: words.old(at)(), fields: [] }];
  });
  return [...differences, ...gone];
}

/** Put into words only where there is a difference: most mails of a million have none. */
function wordsOf(steps: readonly Step[]): (at: number) => () => string {
  let words: ReturnType<typeof explainSteps> | undefined;
  return (at) => () => {
    words ??= explainSteps(steps);
    return words[at]?.does ?? "";
  };
}

function fieldsApart(before: Step, after: Step): string[] {
  const [was, is] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  const names = new Set([...was.keys(), ...is.keys()].filter((name) => !aside.has(name)));
  return [...names].filter((name) => !isSame(was.get(name), is.get(name)));
}

/** Texts are compared as they are: written as JSON a long body would be copied twice for each mail. */
const isSame = (one: unknown, other: unknown): boolean =>
  one === other ||
  (typeof one === "object" && typeof other === "object" && JSON.stringify(one) === JSON.stringify(other));
