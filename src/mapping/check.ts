/** Finds rules of a mapping that can never decide anything: conditions that exclude each other, and rules that earlier ones leave nothing to. Pure. */
import { trustLevels } from "../model/event.ts";
import type { Conditions, MappingFile, MappingRule } from "../model/mapping.ts";
import { compileRule, type Named, namedOf, spokenOf } from "./rules/compile.ts";
import { compileGlob } from "./rules/glob.ts";

export interface RuleFinding {
  /** Its place in the file, from 0, and its name. */
  readonly index: number;
  readonly rule: string;
  readonly what: string;
}

/** Sound and not complete: what is found is so; what is not found may still never apply to the mail that comes. */
export function checkRules({ rules }: MappingFile): RuleFinding[] {
  return rules.flatMap((rule, index) => {
    const words = [...contradictions(rule), ...shadows(rule, rules.slice(0, index))];
    return words.map((what) => ({ index, rule: rule.name, what }));
  });
}

type List = string | readonly string[];
const listOf = (one: List | undefined): readonly string[] =>
  one === undefined ? [] : typeof one === "string" ? [one] : one;

function contradictions({ when, only, do: outcome }: MappingRule): string[] {
  const words: string[] = [];
  const empty = (range: { at_least?: number | undefined; below?: number | undefined } | undefined): boolean =>
    range?.at_least !== undefined && range.below !== undefined && range.at_least >= range.below;
  for (const name of ["size", "confidence"] as const)
    if (empty(when[name])) words.push(`${name}: nothing is at least the one and below the other`);
  const nots = when.not === undefined ? [] : Array.isArray(when.not) ? when.not : [when.not];
  for (const [at, not] of nots.entries())
    if (covers(not, when))
      words.push(`not${nots.length > 1 ? `[${at}]` : ""}: takes away all that the conditions before it let through`);
  const domains = listOf(when.domain);
  const senders = listOf(when.sender).filter((one) => !one.includes("*"));
  const apart = senders.length > 0 && senders.length === listOf(when.sender).length && domains.length > 0;
  if (apart && senders.every((one) => !domains.some((domain) => isBelow(one.slice(one.lastIndexOf("@") + 1), domain))))
    words.push("sender and domain: no address that is named is of a domain that is named");
  if (only?.percent === 0) words.push("only.percent: it is in force for no thread");
  const levels = levelsOf(when.trust);
  if (levels?.size === 1 && levels.has("suspicious") && outcome.skip === undefined && outcome.review === undefined)
    words.push("trust: nothing is ever made of suspicious mail; it can be skipped, or sent to review");
  return words;
}

/** One earlier rule that applies wherever this one does, and leaves it nothing to decide. */
function shadows(rule: MappingRule, earlier: readonly MappingRule[]): string[] {
  const named = namedOf(rule.when);
  const isAbove = (other: MappingRule): boolean =>
    other.only === undefined &&
    other.when.any === undefined &&
    other.when.not === undefined &&
    names(namedOf(other.when), named) &&
    covers(other.when, rule.when);
  const above = earlier.filter(isAbove);
  const ending = above.find((other) => compileRule(other).end !== null || other.stop);
  if (ending !== undefined) return [`never read: ${ending.name} ends the reading wherever it would apply`];
  if (rule.do.skip !== undefined || rule.do.review !== undefined || rule.stop) return [];
  const spoken = spokenOf.filter((kind) => rule.do[kind] !== undefined);
  const taken = spoken.map((kind) => above.find((other) => other.do[kind] !== undefined)?.name);
  if (spoken.length === 0 || taken.includes(undefined)) return [];
  return [`decides nothing: ${[...new Set(taken)].join(", ")} speaks before it of all that it speaks of`];
}

const names = (wider: Named, narrower: Named): boolean =>
  (!narrower.automated || wider.automated) &&
  (!narrower.internal || wider.internal) &&
  (!narrower.suspicious || wider.suspicious);

/** Whether mail that the narrower conditions let through is let through by the wider ones. */
export function covers(wider: Conditions, narrower: Conditions): boolean {
  const asked = Object.keys(wider) as (keyof Conditions)[];
  return asked.every((name) => {
    // `any` and `not` only ever narrow what is on the narrower side, and are left out on the wider one.
    if (wider[name] === undefined || !Object.hasOwn(implied, name)) return wider[name] === undefined;
    return narrower[name] !== undefined && implied[name](wider[name] as never, narrower[name] as never);
  });
}

type Implied = {
  readonly [K in keyof Conditions]-?: (
    wider: NonNullable<Conditions[K]>,
    narrower: NonNullable<Conditions[K]>,
  ) => boolean;
};

const allIn = (wider: List, narrower: List, is: (one: string, pattern: string) => boolean): boolean =>
  listOf(narrower).every((one) => listOf(wider).some((pattern) => is(one, pattern)));
/** A star in the narrower pattern is a letter like any other here: only a star of the wider one can stand for it. */
const isMatched = (one: string, pattern: string): boolean => compileGlob(pattern).is(one);
const isBelow = (one: string, domain: string): boolean => isMatched(one, domain) || isMatched(one, `*.${domain}`);
const patterns = (wider: List, narrower: List): boolean => allIn(wider, narrower, isMatched);
const words = (wider: List, narrower: List): boolean => allIn(wider, narrower, (one, word) => one === word);
const same = (wider: unknown, narrower: unknown): boolean => wider === narrower;
interface Range {
  readonly at_least?: number | undefined;
  readonly below?: number | undefined;
}
const within = (wider: Range, narrower: Range): boolean =>
  (wider.at_least === undefined || (narrower.at_least !== undefined && narrower.at_least >= wider.at_least)) &&
  (wider.below === undefined || (narrower.below !== undefined && narrower.below <= wider.below));

function levelsOf(trust: Conditions["trust"]): ReadonlySet<string> | undefined {
  if (trust === undefined) return undefined;
  if (typeof trust === "object" && "at_least" in trust)
    return new Set(trustLevels.slice(trustLevels.indexOf(trust.at_least)));
  return new Set(listOf(trust as List));
}

const implied: Implied = {
  recipient: patterns,
  tag: patterns,
  mailbox: patterns,
  account: patterns,
  source: words,
  backfill: same,
  sender: patterns,
  domain: (wider, narrower) => allIn(wider, narrower, isBelow),
  sender_kind: words,
  colleague: patterns,
  subject: (wider, narrower) => allIn(wider, narrower, (one, pattern) => compileGlob(pattern).isIn(one)),
  direction: words,
  class: words,
  trust: (wider, narrower) => [...(levelsOf(narrower) ?? [])].every((level) => levelsOf(wider)?.has(level)),
  thread: same,
  confidence: within,
  size: within,
  attachments: (wider, narrower) => {
    if (wider === true) return narrower !== false;
    if (typeof wider === "boolean" || typeof narrower === "boolean") return wider === narrower;
    const isImplied = (name: "type" | "name") =>
      wider[name] === undefined || (narrower[name] !== undefined && patterns(wider[name], narrower[name]));
    return isImplied("type") && isImplied("name");
  },
  language: words,
  list: same,
};
