/** The steps of a mail that is filed: its people, their companies, the deal of its thread, and the one activity. Pure. */
import type { CanonicalEvent } from "../model/event.ts";
import type { OpenDealChoice } from "../model/mapping.ts";
import type { CompanyStep, DealStep, Decision, LinkStep, PersonStep } from "../model/step.ts";
import { activityOf } from "./activity.ts";
import { isSure } from "./gate.ts";
import { companyKey, dealKey, stepKey } from "./keys.ts";
import { hearsayFlag, peopleOf } from "./people.ts";
import type { Known, Mapping } from "./plan.ts";
import type { NewDeal } from "./rules/compile.ts";
import type { Ruled } from "./rules/decide.ts";
import type { Facts } from "./rules/facts.ts";
import { wantedOf } from "./rules/wanted.ts";

export function filed(facts: Facts, mapping: Mapping, known: Known, said: Ruled): Decision {
  const { event } = facts;
  const found = peopleOf(facts, mapping, said);
  const { companies, links } = companiesOf(facts, found, said);
  const people = found.map((person) => withCompany(person, companies, links));
  const deal = dealOf(
    facts,
    known,
    said,
    [...people, ...companies].map(({ key }) => key),
  );
  if (deal?.kind === "hold") return deal;
  const about = [...people, ...companies, ...(deal === undefined ? [] : [deal])];
  const activity = activityOf(
    facts,
    known.digest,
    said,
    about.map(({ key }) => key),
    mapping.linkOf,
  );
  const deals = deal === undefined ? openDealsOf(facts, said) : undefined;
  const logged = deals === undefined || people.length === 0 ? activity : { ...activity, deals };
  return { kind: "steps", rule: ruleOf(event, said), steps: [...about, ...links, logged] };
}

/** Of the file, the rule that spoke of the activity or first of anything; else the built-in one. */
function ruleOf({ participants: { basis, direction } }: CanonicalEvent, { spoken }: Ruled): string {
  const rule = (spoken.activity ?? spoken.deal ?? spoken.contact ?? spoken.company)?.rule;
  if (rule !== undefined) return `mapping.${rule}`;
  if (basis === "original") return "default.forwarded";
  return basis === "form" ? "default.form" : `default.${direction}`;
}

const nothing = { companies: [], links: [] };
/** A mail to a whole address book is no reason to make companies of all of it. */
const mostCompanies = 5;

/** Only where a rule asks for them: of each person's domain, never of a freemail or disposable one. */
function companiesOf(
  facts: Facts,
  people: readonly PersonStep[],
  { spoken, owner }: Ruled,
): { companies: CompanyStep[]; links: LinkStep[] } {
  const asked = spoken.company;
  if (asked === undefined || asked.says === false) return nothing;
  const { says, rule } = asked;
  const { event } = facts;
  // A company that was only looked up and is not there would fail the mail: whoever is not sure is filed under the person alone.
  if (hearsayFlag(event).length > 0 || !isSure(event, says.create)) return nothing;
  const domains = new Map<string, string[]>();
  for (const [index, { organisation }] of event.participants.filed_under.entries()) {
    const person = people[index];
    if (organisation === null || person === undefined) continue;
    const their = domains.get(organisation) ?? [];
    if (their.length > 0 || domains.size < mostCompanies) domains.set(organisation, [...their, person.key]);
  }
  const companies = [...domains.keys()].map(
    (domain): CompanyStep => ({
      kind: "company",
      key: companyKey(event.tenant, domain),
      why: `mapping.${rule}`,
      domain,
      name: domain,
      create: true,
      ...wantedOf(says, facts, owner),
    }),
  );
  const links = [...domains].flatMap(([domain, persons]) =>
    persons.map((from): LinkStep => {
      const to = companyKey(event.tenant, domain);
      return { kind: "link", key: stepKey(event.tenant, "link", [from, to]), why: `mapping.${rule}`, from, to };
    }),
  );
  return { companies, links };
}

function withCompany(person: PersonStep, companies: readonly CompanyStep[], links: readonly LinkStep[]): PersonStep {
  const to = links.find(({ from }) => from === person.key)?.to;
  const its = companies.find(({ key }) => key === to);
  return its === undefined ? person : { ...person, company: { key: its.key, domain: its.domain } };
}

/** The thread's own deal goes before any other; a new one only from a sender who is sure. */
function dealOf(
  facts: Facts,
  { deal, digest }: Known,
  { spoken, owner }: Ruled,
  about: readonly string[],
): DealStep | Extract<Decision, { kind: "hold" }> | undefined {
  const asked = spoken.deal;
  if (asked?.says === false) return undefined;
  const { event } = facts;
  const own = dealKey(event.tenant, event.message.message_id, digest);
  // What this message asks for itself has what its rule wants on it.
  if (deal !== undefined && (deal.key !== own || asked?.says.create == null)) {
    return { kind: "deal", ...deal, why: "the deal of its thread", name: nameOf(event), about: [...about] };
  }
  if (asked === undefined) return undefined;
  const { create, otherwise } = asked.says;
  if (create !== null && isSure(event, create.trust)) {
    return newDeal(create, facts, digest, asked.rule, owner, about);
  }
  if (otherwise !== "review") return undefined;
  return {
    kind: "hold",
    rule: `mapping.${asked.rule}`,
    reason: "its thread has no deal: which one does it belong to?",
  };
}

/** A forged mail under a customer's name is not to be logged on what is being sold to that customer. */
function openDealsOf({ event }: Facts, { spoken }: Ruled): OpenDealChoice | undefined {
  const asked = spoken.deal;
  if (asked === undefined || asked.says === false || !isSure(event)) return undefined;
  const { otherwise } = asked.says;
  switch (otherwise) {
    case "newest":
    case "recent_five":
      return otherwise;
    case "none":
    case "review":
      return undefined;
    default:
      return otherwise satisfies never;
  }
}

const mostNameChars = 200;

function nameOf({ message }: CanonicalEvent): string {
  const name = (message.subject_normalised ?? message.subject ?? "").trim().slice(0, mostNameChars);
  return name === "" ? "(no subject)" : name;
}

function newDeal(
  { pipeline, stage, title, trust: _, ...wanted }: NewDeal,
  facts: Facts,
  digest: string,
  rule: string,
  owner: string | null,
  about: readonly string[],
): DealStep {
  const { event } = facts;
  const name = title?.(facts).trim().slice(0, mostNameChars) ?? "";
  return {
    kind: "deal",
    key: dealKey(event.tenant, event.message.message_id, digest),
    why: `mapping.${rule}`,
    name: name === "" ? nameOf(event) : name,
    pipeline: pipeline ?? null,
    stage: stage ?? "qualification",
    about: [...about],
    ...wantedOf(wanted, facts, owner),
  };
}
