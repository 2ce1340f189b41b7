/** A mapping file made ready to be asked: conditions, flags and templates compiled once, for every mail of its tenant. Pure. */
import type { DealChoice, MappingFile, MappingRule, NewDealOutcome, SureLevel } from "../../model/mapping.ts";
import { compileConditions, compileWhen, type Question } from "./conditions.ts";
import { compileFlag } from "./flags.ts";
import { compileTemplate, type Template } from "./template.ts";

type Outcome<K extends keyof MappingRule["do"]> = NonNullable<MappingRule["do"][K]>;

export interface Fields {
  readonly owner: string | null;
  readonly fields: readonly { readonly name: string; readonly value: Template }[];
}
export interface ContactRule extends Fields, Pick<Outcome<"contact">, "as" | "create"> {}
export interface CompanyRule extends Fields {
  readonly create?: SureLevel;
}
export interface NewDeal extends Fields, Pick<NewDealOutcome, "pipeline" | "stage" | "trust"> {
  readonly title: Template | null;
}
export interface DealRule {
  readonly create: NewDeal | null;
  readonly otherwise: DealChoice;
}
export interface ActivityRule extends Fields, Pick<Outcome<"activity">, "body" | "attachments"> {}

/** What a rule says, by kind of record. false: there is to be none. */
export interface Says {
  readonly contact?: ContactRule;
  readonly company?: CompanyRule | false;
  readonly deal?: DealRule | false;
  readonly activity?: ActivityRule;
}
export const spokenOf = ["contact", "company", "deal", "activity"] as const satisfies readonly (keyof Says)[];

/** Mail that a rule is about only where its conditions say so. */
export interface Named {
  readonly automated: boolean;
  readonly internal: boolean;
  readonly suspicious: boolean;
}

export interface CompiledRule {
  readonly name: string;
  readonly named: Named;
  readonly applies: Question;
  readonly end: { readonly kind: "skip" | "review"; readonly reason: string } | null;
  readonly says: Says;
  readonly stop: boolean;
}

export interface CompiledMapping {
  readonly rules: readonly CompiledRule[];
  readonly owners: readonly { readonly applies: Question; readonly owner: string }[];
  /** The other addresses of whoever has this one, in lower case. */
  readonly samePerson: ReadonlyMap<string, readonly string[]>;
  /** Whether the file is in force for a mail. */
  readonly inForce: Question;
  /** The number of its text in the ledger, where that has one. */
  readonly version: number | undefined;
  /** What decides about mail that it is not in force for; undefined: what is built in. */
  readonly otherwise: CompiledMapping | undefined;
}

/** `versions`: the numbers of the file and of those of its `else`, in their order, as far as they are known. */
export function compileMapping(
  { rules, owners, same_person, only, otherwise }: MappingFile,
  [version, ...others]: readonly (number | undefined)[] = [],
): CompiledMapping {
  return {
    rules: rules.map(compileRule),
    owners: owners.map(({ when, owner }) => ({ applies: compileConditions(when), owner })),
    samePerson: othersOf(same_person),
    // One salt for all versions: whoever has the new one at 10 % has it at 20 % too.
    inForce: compileFlag(only, "mapping"),
    version,
    otherwise: otherwise === undefined ? undefined : compileMapping(otherwise, others),
  };
}

export function compileRule({ name, when, only, do: outcome, stop }: MappingRule): CompiledRule {
  const [applies, flag] = [compileWhen(when), compileFlag(only, name)];
  return {
    name,
    named: namedOf(when),
    applies: (facts) => applies(facts) ?? flag(facts),
    end: endOf(outcome),
    says: saysOf(outcome),
    stop,
  };
}

export function namedOf({ class: kind, direction, trust }: MappingRule["when"]): Named {
  const levels = typeof trust === "object" && "at_least" in trust ? [] : listed(trust);
  return {
    automated: kind !== undefined,
    internal: listed(direction).includes("internal"),
    suspicious: levels.includes("suspicious"),
  };
}

const listed = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === "string" ? [value] : value;

function endOf({ skip, review }: MappingRule["do"]): CompiledRule["end"] {
  if (skip !== undefined) return { kind: "skip", reason: skip };
  return review === undefined ? null : { kind: "review", reason: review };
}

function saysOf({ contact, company, deal, activity }: MappingRule["do"]): Says {
  return {
    ...(contact === undefined ? {} : { contact: { ...contact, ...fieldsOf(contact) } }),
    ...(company === undefined ? {} : { company: company === false ? false : { ...company, ...fieldsOf(company) } }),
    ...(deal === undefined ? {} : { deal: deal === false ? false : dealOf(deal) }),
    ...(activity === undefined ? {} : { activity: { ...activity, ...fieldsOf(activity) } }),
  } as Says;
}

function dealOf({ create, else: otherwise = "none" }: Exclude<Outcome<"deal">, false>): DealRule {
  if (create === undefined) return { create: null, otherwise };
  const title = create.name === undefined ? null : compileTemplate(create.name);
  return { create: { ...create, ...fieldsOf(create), title }, otherwise };
}

function fieldsOf({
  owner,
  fields,
}: {
  owner?: string | undefined;
  fields?: Readonly<Record<string, string>> | undefined;
}): Fields {
  return {
    owner: owner?.toLowerCase() ?? null,
    fields: Object.entries(fields ?? {}).map(([name, text]) => ({ name, value: compileTemplate(text) })),
  };
}

function othersOf(groups: readonly (readonly string[])[]): Map<string, readonly string[]> {
  const others = new Map<string, readonly string[]>();
  for (const group of groups) {
    const addresses = group.map((address) => address.toLowerCase());
    for (const address of addresses) {
      const known = others.get(address) ?? [];
      others.set(
        address,
        [...new Set([...known, ...addresses])].filter((other) => other !== address),
      );
    }
  }
  return others;
}
