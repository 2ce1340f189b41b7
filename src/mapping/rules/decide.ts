/** Reads the rules of a mapping from the top for one mail, and remembers why each did or did not apply: pure. */
import type { CompiledMapping, CompiledRule, Says } from "./compile.ts";
import { spokenOf } from "./compile.ts";
import type { Facts } from "./facts.ts";

/** What kind of mail a rule has to name before it is about it. */
export interface About {
  readonly automated: boolean;
  readonly internal: boolean;
  readonly suspicious: boolean;
}

/** One rule and this mail. `failed`: the first condition that does not apply. `took`: of what it decided. */
export interface Reading {
  readonly rule: string;
  readonly failed: string | null;
  readonly took: readonly string[];
}

/** By kind of record: what the first rule that spoke of it says. */
export type Spoken = {
  readonly [K in keyof Says]: { readonly rule: string; readonly says: NonNullable<Says[K]> | false };
};

export interface Ruled {
  readonly end: { readonly kind: "skip" | "review"; readonly rule: string; readonly reason: string } | null;
  readonly spoken: Spoken;
  /** In the order of the file; rules after an end are not read. */
  readonly readings: readonly Reading[];
  /** Whose the records are, where no rule says. */
  readonly owner: string | null;
}

export const noRules: Ruled = { end: null, spoken: {}, readings: [], owner: null };

/** The rules that are in force for a mail, and why those before them are not. */
export function inForceFor(
  mapping: CompiledMapping,
  facts: Facts,
): { readonly rules: CompiledMapping | undefined; readonly passed: readonly Reading[] } {
  const passed: Reading[] = [];
  let rules: CompiledMapping | undefined = mapping;
  while (rules !== undefined) {
    const failed: string | undefined = rules.inForce(facts);
    if (failed === undefined) break;
    passed.push({ rule: "(file)", failed, took: [] });
    rules = rules.otherwise;
  }
  return { rules, passed };
}

export function ruled({ rules, owners }: CompiledMapping, facts: Facts, about: About): Ruled {
  const readings: Reading[] = [];
  const spoken: Record<string, { rule: string; says: unknown }> = {};
  let end: Ruled["end"] = null;
  for (const rule of rules) {
    const failed = unnamed(rule, about) ?? rule.applies(facts);
    if (failed !== undefined) {
      readings.push({ rule: rule.name, failed, took: [] });
      continue;
    }
    if (rule.end !== null) {
      end = { ...rule.end, rule: rule.name };
      readings.push({ rule: rule.name, failed: null, took: [rule.end.kind] });
      break;
    }
    const took = spokenOf.filter((kind) => rule.says[kind] !== undefined && spoken[kind] === undefined);
    for (const kind of took) spoken[kind] = { rule: rule.name, says: rule.says[kind] };
    readings.push({ rule: rule.name, failed: null, took });
    if (rule.stop) break;
  }
  const owner = owners.find(({ applies }) => applies(facts) === undefined)?.owner.toLowerCase() ?? null;
  return { end, spoken: spoken as Spoken, readings, owner };
}

/** The condition that the rule lacks for mail of this kind. */
function unnamed({ named, end }: CompiledRule, about: About): string | undefined {
  // Nothing is made of it, so it does no harm to skip or to show more than was thought of.
  if (about.suspicious && !named.suspicious) return "trust (suspicious is not named)";
  if (about.suspicious && end === null) return "trust (suspicious mail makes nothing)";
  if (about.automated && !named.automated) return "class (no class is named)";
  if (about.internal && !named.internal) return "direction (internal is not named)";
  return undefined;
}
