/** Compares what a case of a mapping expects with what was planned, and says the differences so that they can be read: pure. */
import type { Difference, Expectation, ExpectedStep, KnownOfCase } from "../model/mapping-cases.ts";
import type { Decision, Step } from "../model/step.ts";
import { compileGlob } from "./rules/glob.ts";

type Records = KnownOfCase["records"];

/** What comes of a decision at a CRM that knows these records and no others: as `ensure` would find it. */
export function atKnownRecords(decision: Decision, records: Records): Decision {
  if (records === undefined || decision.kind !== "steps") return decision;
  const stopped = decision.steps.find((step) => comesOf(step, records) === "missing");
  if (stopped === undefined) return decision;
  const rule = (stopped.kind === "person" ? stopped.gate : null) ?? "trust.create_contact";
  return { kind: "hold", rule, reason: `no such ${stopped.kind} at the CRM, and this mail may not make one` };
}

function comesOf(step: Step, records: NonNullable<Records>): "found" | "created" | "missing" | undefined {
  if (step.kind !== "person" && step.kind !== "company") return undefined;
  const has = (list: readonly string[], one: string) => list.some((known) => known.toLowerCase() === one.toLowerCase());
  const isKnown =
    step.kind === "person"
      ? [step.email, ...(step.also ?? [])].some((email) => has(records.contacts, email))
      : has(records.companies, step.domain);
  if (isKnown) return "found";
  return step.create ? "created" : "missing";
}

/** `decision`: as planned, and at the records that the case states. Empty where all is as expected. */
export function differencesOf(expected: Expectation, decision: Decision, records?: Records): Difference[] {
  const { outcome, rule, reason, steps = [], no = [] } = expected;
  const differences: Difference[] = [];
  const differ = (where: string, wanted: string, found: string): void => {
    differences.push({ where, expected: wanted, found });
  };
  const planned = decision.kind === "steps" ? decision.steps : [];
  if (outcome !== undefined && outcome !== decision.kind) differ("outcome", outcome, summaryOf(decision));
  if (rule !== undefined && decision.rule !== rule && decision.rule !== `mapping.${rule}`) {
    differ("rule", rule, decision.rule);
  }
  if (reason !== undefined) {
    const found = decision.kind === "steps" ? null : decision.reason;
    if (found === null) differ("reason", reason, "no reason: there are steps");
    else if (!compileGlob(reason).isIn(found)) differ("reason", reason, found);
  }
  for (const kind of no) {
    const there = planned.filter((step) => step.kind === kind);
    if (there.length > 0) differ("no", `no ${kind}`, there.map(labelOf).join(", "));
  }
  return [...differences, ...stepDifferences(steps, decision, planned, records)];
}

/** Each planned step stands for one expected one: those that fit wholly are given away first, then the nearest of what is left. */
function stepDifferences(
  expected: readonly ExpectedStep[],
  decision: Decision,
  planned: readonly Step[],
  records: Records,
): Difference[] {
  const free = new Set(planned);
  const found = new Map<number, Difference[]>();
  for (const best of [true, false]) {
    for (const [at, wanted] of expected.entries()) {
      if (found.has(at)) continue;
      const ranked = [...free]
        .filter(({ kind }) => kind === wanted.kind)
        .map((step) => ({ step, differences: fieldsApart(wanted, step, planned, records, `steps[${at}]`) }))
        .sort((a, b) => a.differences.length - b.differences.length);
      const [first] = ranked;
      if (first === undefined || (best && first.differences.length > 0)) continue;
      free.delete(first.step);
      found.set(at, first.differences);
    }
  }
  return expected.flatMap(
    (wanted, at) =>
      found.get(at) ?? [
        { where: `steps[${at}]`, expected: `a step of kind ${wanted.kind}`, found: summaryOf(decision) },
      ],
  );
}

function fieldsApart(
  wanted: ExpectedStep,
  step: Step,
  planned: readonly Step[],
  records: Records,
  where: string,
): Difference[] {
  const { kind: _, ...asked } = wanted;
  return Object.entries(asked).flatMap(([name, value]): Difference[] => {
    if (value === undefined) return [];
    const at = `${where}.${name}`;
    if (name === "fields") return customFields(value as Record<string, string>, step, at);
    const there = saidOf(name, step, planned, records);
    const same = name === "text" ? compileGlob(String(value)).isIn(String(there)) : isSame(name, value, there);
    return same ? [] : [{ where: at, expected: written(value), found: written(there) }];
  });
}

function customFields(wanted: Readonly<Record<string, string>>, step: Step, at: string): Difference[] {
  const there = new Map(Object.entries(("fields" in step ? step.fields : undefined) ?? {}));
  return Object.entries(wanted).flatMap(([name, value]): Difference[] =>
    there.get(name) === value
      ? []
      : [{ where: `${at}.${name}`, expected: written(value), found: written(there.get(name)) }],
  );
}

/** In the words of the case. */
function saidOf(name: string, step: Step, planned: readonly Step[], records: Records): unknown {
  if (name === "comes") return records === undefined ? "nothing is said: state known.records" : comesOf(step, records);
  if (step.kind === "activity" && name === "attachments") return step.attachments.map(({ filename }) => filename);
  if (step.kind === "activity" && name === "about") return kindsOf(step.about, planned);
  const value: unknown = new Map<string, unknown>(Object.entries(step)).get(name);
  return value === undefined && unsaid.has(name) ? null : value;
}
/** Left out of a step where nobody asked for it. */
const unsaid: ReadonlySet<string> = new Set(["owner", "gate", "deals"]);

const kindsOf = (keys: readonly string[], planned: readonly Step[]): string[] => [
  ...new Set(keys.flatMap((key) => planned.find((step) => step.key === key)?.kind ?? [])),
];

const isSet: ReadonlySet<string> = new Set(["flags", "about", "also"]);

function isSame(name: string, wanted: unknown, found: unknown): boolean {
  if (name === "as" && found === undefined) return wanted === "contact";
  if (!isSet.has(name)) return JSON.stringify(wanted) === JSON.stringify(found);
  const sorted = (value: unknown) => JSON.stringify(Array.isArray(value) ? [...value].sort() : []);
  return sorted(wanted) === sorted(found);
}

const mostShownChars = 120;
function written(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > mostShownChars ? `${text.slice(0, mostShownChars)}...` : text;
}

function summaryOf(decision: Decision): string {
  if (decision.kind !== "steps") return `${decision.kind} by ${decision.rule} (${decision.reason})`;
  return `steps by ${decision.rule}: ${decision.steps.map(labelOf).join(", ")}`;
}

function labelOf(step: Step): string {
  switch (step.kind) {
    case "person":
      return `person ${step.email}`;
    case "company":
      return `company ${step.domain}`;
    case "deal":
      return `deal "${step.name}"`;
    case "activity":
    case "file":
    case "link":
    case "unlink":
    case "archive":
    case "event_copy":
      return step.kind;
    default:
      return step satisfies never;
  }
}
