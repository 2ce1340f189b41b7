/** Holds what is at a CRM, and what the ledger says of each mail, against the truth: every difference by its class, with the mail. */
import type { DeliveryRow, EventRow } from "../../src/model/history.ts";
import type { Year } from "./story.ts";
import type { There } from "./there.ts";
import type { YearMail } from "./told.ts";
import type { Expected, Truth } from "./truth.ts";

export interface Mismatch {
  /** `activity missing`, `deal`, `contact` … with what kind of mail it was. */
  readonly class: string;
  readonly mail: Pick<YearMail, "number" | "id" | "told"> | null;
  readonly truth: unknown;
  readonly there: unknown;
}

export interface Compared {
  readonly mismatches: readonly Mismatch[];
  /** Of the mails that have to be activities, the share that is one, on the right records. */
  readonly coverage: number;
  readonly activities: number;
  /** How many mails have none, by the reason that is stored. */
  readonly reasons: ReadonlyMap<string, number>;
}

export interface Outcome {
  readonly lane: string;
  readonly there: There;
  /** The owner of a deal can be compared. */
  readonly owners: boolean;
  /** By Message-ID. */
  readonly rows: ReadonlyMap<string, EventRow>;
}

export function compared(year: Year, truth: Truth, outcome: Outcome): Compared {
  const found: Mismatch[] = [];
  const reasons = new Map<string, number>();
  const mails = year.mails.filter(({ again }) => again === null);
  const byEvent = new Map<string, There["activities"][number][]>();
  for (const one of outcome.there.activities) byEvent.set(one.event, [...(byEvent.get(one.event) ?? []), one]);
  const dealOf = new Map<string, string>();
  let [wanted, right, activities] = [0, 0, 0];
  for (const mail of mails) {
    const expected = truth.mails.get(mail.id);
    const row = outcome.rows.get(mail.id);
    const delivery = row?.deliveries.find(({ lane }) => lane === outcome.lane);
    const logged = row === undefined ? [] : (byEvent.get(row.eventId) ?? []);
    activities += logged.length;
    if (row !== undefined) byEvent.delete(row.eventId);
    if (logged.length === 0) {
      const reason = delivery?.rule ?? delivery?.reason ?? "none";
      reasons.set(
        `${delivery?.state ?? "absent"} ${reason}`,
        (reasons.get(`${delivery?.state ?? "absent"} ${reason}`) ?? 0) + 1,
      );
    }
    const stays = outcome.there.stays === true && /^before (?:its|the) request$/.test(mail.told.note);
    const wrong = differences(expected, delivery, logged, dealOf, stays);
    if (expected?.kind === "activity") {
      wanted++;
      if (wrong.length === 0) right++;
    }
    for (const what of wrong)
      found.push({
        class: `${what} (${mail.told.what}${mail.told.note === "" ? "" : `, ${mail.told.note}`})`,
        mail,
        truth: expected,
        there: { delivery: shortly(delivery), logged },
      });
  }
  for (const [event, those] of byEvent)
    found.push({ class: "activity of no mail", mail: null, truth: null, there: { event, those } });
  found.push(...recordsOf(truth, outcome, dealOf));
  return { mismatches: found, coverage: wanted === 0 ? 1 : right / wanted, activities, reasons };
}

const shortly = (delivery: DeliveryRow | undefined) =>
  delivery === undefined
    ? null
    : { state: delivery.state, rule: delivery.rule, reason: delivery.reason, detail: delivery.detail };

function differences(
  expected: Expected | undefined,
  delivery: DeliveryRow | undefined,
  logged: There["activities"],
  dealOf: Map<string, string>,
  stays: boolean,
): string[] {
  if (expected === undefined) return ["a mail that the truth does not know"];
  if (delivery === undefined) return ["no delivery"];
  if (expected.kind !== "activity") {
    if (logged.length > 0) return ["an activity too many"];
    const state = expected.kind === "skip" ? "skipped" : "held";
    if (delivery.state !== state) return [`${delivery.state} where it is ${state}`];
    if (delivery.detail === null || delivery.detail === "") return ["no reason is stored"];
    return delivery.rule === expected.rule ? [] : ["another rule"];
  }
  const [one, ...others] = logged;
  if (others.length > 0) return ["filed twice"];
  if (one === undefined) return [`not filed: ${delivery.state}`];
  return [
    ...(delivery.state === "processed" ? [] : [`filed, and ${delivery.state}`]),
    ...(one.direction === expected.direction ? [] : ["direction"]),
    ...((one.onDeal === true && expected.deal !== null) ||
    same(one.contacts, one.onOne === true ? expected.contacts.slice(0, 1) : expected.contacts)
      ? []
      : ["contacts of an activity"]),
    ...(onCompanies(one, expected.companies) ? [] : ["companies of an activity"]),
    ...(stays && one.deals?.length === 0 ? [] : dealDifference(one.deals, expected.deal, dealOf)),
  ];
}

/** Which deal at the CRM is that of a conversation is known by the first of its mails. */
function dealDifference(
  there: readonly string[] | null,
  conversation: string | null,
  dealOf: Map<string, string>,
): string[] {
  if (there === null) return [];
  if (conversation === null) return there.length === 0 ? [] : ["a deal too many on an activity"];
  const [id, ...others] = there;
  if (id === undefined) return ["not on its deal"];
  const known = dealOf.get(conversation);
  if (known === undefined) dealOf.set(conversation, id);
  return others.length === 0 && (known ?? id) === id ? [] : ["on another deal"];
}

/** On all that it is to be on, directly or through others; and directly on no other. */
function onCompanies({ companies, through = [] }: There["activities"][number], wanted: readonly string[]): boolean {
  if (companies === null) return true;
  if (through.length === 0) return same(companies, wanted);
  const has = new Set([...companies, ...through].map((one) => one.toLowerCase()));
  const asked = new Set(wanted.map((one) => one.toLowerCase()));
  return [...asked].every((one) => has.has(one)) && companies.every((one) => asked.has(one.toLowerCase()));
}

const same = (one: readonly string[], other: readonly string[]): boolean => {
  const [a, b] = [new Set(one.map((text) => text.toLowerCase())), new Set(other.map((text) => text.toLowerCase()))];
  return one.length === a.size && a.size === b.size && [...a].every((text) => b.has(text));
};

function recordsOf(truth: Truth, { there, owners }: Outcome, dealOf: ReadonlyMap<string, string>): Mismatch[] {
  const found: Mismatch[] = [];
  const tell = (what: string, wanted: unknown, is: unknown): void => {
    found.push({ class: what, mail: null, truth: wanted, there: is });
  };
  const contacts = new Map(there.contacts.map((contact) => [contact.address, contact]));
  if (contacts.size < there.contacts.length)
    tell("contacts with one address", null, there.contacts.length - contacts.size);
  for (const [address, wanted] of truth.contacts) {
    const is = contacts.get(address);
    contacts.delete(address);
    if (is === undefined) tell("contact missing", { address, ...wanted }, null);
    else if (is.companies !== null && !same(is.companies, [...wanted.companies]))
      tell("companies of a contact", { address, companies: [...wanted.companies] }, is);
    else if (!same(is.flags, wanted.flags)) tell("flags of a contact", { address, flags: wanted.flags }, is);
    else if (wanted.name !== null && is.name !== wanted.name)
      tell("name of a contact", { address, name: wanted.name }, is);
  }
  for (const contact of contacts.values()) tell("contact too many", null, contact);
  if (!same(there.companies, [...truth.companies]))
    tell(
      "companies",
      difference([...truth.companies], there.companies),
      difference(there.companies, [...truth.companies]),
    );
  const deals = new Map(there.deals.map((deal) => [deal.id, deal]));
  const unnamed = there.activities.every((activity) => activity.deals === null);
  for (const [conversation, wanted] of truth.deals) {
    // Where no mail says on which deal it is, and under a mapping that wants no deals, one that bears the name is meant.
    const named = there.deals.find(({ id, name }) => deals.has(id) && name === wanted.name)?.id;
    const told = dealOf.get(conversation);
    const id = (unnamed ? (named ?? told) : (told ?? named)) ?? "";
    const is = deals.get(id);
    deals.delete(id);
    if (is === undefined) tell("deal missing", { conversation, ...wanted }, null);
    else if (is.name !== wanted.name || is.stage !== "qualification" || (owners && is.owner !== wanted.owner))
      tell("deal differs", { conversation, ...wanted }, is);
  }
  for (const deal of deals.values()) tell("deal too many", null, deal);
  return found;
}

const difference = (one: readonly string[], other: readonly string[]): string[] =>
  one.filter((text) => !other.includes(text)).slice(0, 20);
