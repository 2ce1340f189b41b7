/**
 * What has to be at the CRM when the year is over, by what the story knows and what the documentation promises: one pass in order of arrival.
 * Nothing of the program under test is asked.
 */
import type { Person } from "./cast.ts";
import type { Year } from "./story.ts";
import type { Told, YearMail } from "./told.ts";

type Trust = "verified" | "aligned-weak" | "unverified" | "suspicious";
const levels: readonly Trust[] = ["suspicious", "unverified", "aligned-weak", "verified"];
const atLeast = (one: Trust, other: Trust): boolean => levels.indexOf(one) >= levels.indexOf(other);

/** What a mail is to the mapping. */
export interface Seen {
  readonly told: Told;
  readonly trust: Trust;
  /** Inbound addresses without tag, all by which it came. */
  readonly locals: readonly string[];
  readonly tags: readonly string[];
  /** The contact is known already. */
  knows(person: Person): boolean;
}

export type Asked =
  | { readonly kind: "skip" | "hold"; readonly rule: string }
  | {
      readonly kind: "file";
      readonly company: boolean;
      readonly deal: boolean;
      /** Unknown people are let in. */
      readonly newContacts: boolean;
      /** The rule that holds the mail where they are not. */
      readonly gate: string;
      readonly owner: string | null;
      /** Not even the deal that its thread has. */
      readonly noDeals: boolean;
    };

/** What a mapping asks for about one mail, before anybody is looked up at the CRM. */
export type Ask =
  | { readonly kind: "skip" | "hold"; readonly rule: string }
  | {
      readonly kind: "file";
      readonly people: number;
      readonly companies: number;
      readonly conversation: string;
      /** It would belong to the deal of its conversation. */
      readonly mayDeal: boolean;
      /** There is one by then. */
      readonly hasDeal: boolean;
    };

/** A mapping file in the words of a story: what it asks for where nothing is decided before it. */
export interface Policy {
  /** Ends the reading, before what is built in. */
  ends(seen: Seen): { readonly kind: "skip" | "hold"; readonly rule: string } | undefined;
  files(seen: Seen): Omit<Extract<Asked, { kind: "file" }>, "kind">;
}

export type Expected =
  | { readonly kind: "skip" | "hold"; readonly rule: string }
  | {
      readonly kind: "activity";
      readonly direction: "inbound" | "outbound";
      /** Main addresses. */
      readonly contacts: readonly string[];
      readonly companies: readonly string[];
      /** The conversation whose deal it is. */
      readonly deal: string | null;
    };

export interface ExpectedDeal {
  readonly name: string;
  readonly owner: string | null;
}
export interface Truth {
  /** By Message-ID. */
  readonly mails: ReadonlyMap<string, Expected>;
  readonly contacts: ReadonlyMap<
    string,
    { readonly name: string | null; readonly flags: readonly string[]; readonly companies: ReadonlySet<string> }
  >;
  readonly companies: ReadonlySet<string>;
  /** By conversation. */
  readonly deals: ReadonlyMap<string, ExpectedDeal>;
  /** By Message-ID. */
  readonly asks: ReadonlyMap<string, Ask>;
}

/** A mapping that is laid over mail which another one has filed. */
export interface Laid {
  readonly over: Truth;
  /** By Message-ID: the others stay as they are. */
  isMeant(id: string): boolean;
}

const ownProof: Readonly<Record<Person["host"]["shows"], Trust>> = {
  dmarc: "verified",
  dkim: "aligned-weak",
  spf: "aligned-weak",
  nothing: "unverified",
};

export function truthOf(year: Year, policy: Policy, laid?: Laid): Truth {
  const acquaintances = openAcquaintances(year);
  const contacts = new Map<string, { name: string | null; flags: readonly string[]; companies: Set<string> }>(
    [...(laid?.over.contacts ?? [])].map(([address, one]) => [address, { ...one, companies: new Set(one.companies) }]),
  );
  const companies = new Set<string>(laid?.over.companies);
  const deals = new Map<string, ExpectedDeal>(laid?.over.deals);
  const asks = new Map<string, Ask>();
  const filed = new Map<
    string,
    { conversation: string; expected: Extract<Expected, { kind: "activity" }>; noDeal: boolean }
  >();
  const mails = new Map<string, Expected>();
  const routes = routesOf(year.mails);
  const mainOf = openMainAddresses(year, contacts);

  function look(mail: YearMail): void {
    const { told, id } = mail;
    const trust = acquaintances.judge(told);
    const was = laid?.over.mails.get(id);
    if (was !== undefined && laid?.isMeant(id) !== true) {
      mails.set(id, was);
      return;
    }
    const inbound = routes.get(id) ?? [];
    const seen: Seen = {
      told,
      trust,
      locals: inbound.map((route) => route.replace(/[+@].*$/, "")),
      tags: inbound.flatMap((route) => /\+([^@]*)@/.exec(route)?.[1] ?? []),
      knows: (person) => mainOf(person) !== undefined,
    };
    const ended = decided(seen, policy);
    if (ended === undefined) file(mail, seen);
    else {
      mails.set(id, ended);
      asks.set(id, ended);
    }
    // What is there and not wanted any more stays.
    if (was?.kind === "activity" && mails.get(id)?.kind !== "activity") mails.set(id, was);
  }

  function file({ id, told }: YearMail, seen: Seen): void {
    const asked = policy.files(seen);
    const { trust } = seen;
    const isSure = trust === "verified" && told.hearsay === null;
    const organisations = asked.company && isSure ? told.under.flatMap(({ company }) => company ?? []) : [];
    const makesDeal = asked.deal && trust === "verified";
    asks.set(id, {
      kind: "file",
      people: told.under.length,
      companies: new Set(organisations).size,
      conversation: told.conversation,
      mayDeal: !asked.noDeals && told.what !== "intruder",
      hasDeal: makesDeal || deals.has(told.conversation),
    });
    const unknown = told.under.filter((person) => !seen.knows(person));
    const disposable = told.what === "disposable" ? "people.disposable" : undefined;
    const shut = asked.newContacts ? disposable : asked.gate;
    if (unknown.length > 0 && shut !== undefined) {
      mails.set(id, { kind: "hold", rule: shut });
      return;
    }
    for (const person of unknown) {
      const shown = person === told.from && told.shown === "" ? null : person.name;
      const flags = [...(trust === "verified" ? [] : [trust]), ...(told.hearsay === null ? [] : [told.hearsay])];
      contacts.set(person.address, { name: shown, flags, companies: new Set() });
    }
    const main = told.under.map((person) => mainOf(person) ?? person.address);
    const theirs = organisations;
    for (const company of theirs) companies.add(company);
    for (const [at, { company }] of told.under.entries()) {
      if (company !== null && theirs.includes(company)) contacts.get(main[at] ?? "")?.companies.add(company);
    }
    if (makesDeal && !deals.has(told.conversation)) {
      deals.set(told.conversation, { name: told.subject.replace(/^(?:Fwd|FW|WG): /, ""), owner: asked.owner });
    }
    const expected = {
      kind: "activity",
      direction: told.direction === "outbound" ? "outbound" : "inbound",
      contacts: main,
      companies: theirs,
      deal: null,
    } as const;
    mails.set(id, expected);
    filed.set(id, { conversation: told.conversation, expected, noDeal: asked.noDeals || told.what === "intruder" });
  }

  for (const mail of year.mails) if (mail.again === null) look(mail);
  // What is of a conversation belongs to its deal, whichever of them came first.
  for (const [id, { conversation, expected, noDeal }] of filed) {
    if (deals.has(conversation) && !noDeal) mails.set(id, { ...expected, deal: conversation });
  }
  return { mails, contacts, companies, deals, asks };
}

/** What is built in, and what a rule of the file says before it. docs/mapping.md, docs/people.md, docs/trust.md. */
function decided(seen: Seen, policy: Policy): Extract<Expected, { kind: "skip" | "hold" }> | undefined {
  const { told, trust } = seen;
  if (told.what === "excluded") return { kind: "skip", rule: "people.excluded" };
  if (told.machine !== null) return { kind: "skip", rule: `automated.${told.machine}` };
  if (trust === "suspicious") return { kind: "hold", rule: "trust.suspicious" };
  if (told.direction === "internal") return { kind: "skip", rule: "people.internal" };
  const ended = policy.ends(seen);
  if (ended !== undefined) return ended;
  if (told.what === "broadcast") return { kind: "hold", rule: "people.broadcast" };
  return told.what === "no_reply" ? { kind: "skip", rule: "people.no_reply" } : undefined;
}

/** Routes of all copies count, whenever they came. */
function routesOf(mails: readonly YearMail[]): Map<string, string[]> {
  const routes = new Map<string, string[]>();
  for (const { id, envelope } of mails) routes.set(id, [...(routes.get(id) ?? []), ...envelope.routes]);
  return routes;
}

/** The address under which somebody stands at the CRM: the first by which he came, where the mapping says that two are one person. */
function openMainAddresses(
  { samePerson }: Year,
  contacts: ReadonlyMap<string, unknown>,
): (person: Person) => string | undefined {
  const others = new Map(samePerson.flatMap((group) => group.map((address) => [address, group] as const)));
  return ({ address }) =>
    contacts.has(address) ? address : (others.get(address) ?? []).find((other) => contacts.has(other));
}

/** docs/trust.md: the display name of somebody who is known at another address makes a mail `unverified`, and what shows no proof teaches nothing. */
function openAcquaintances({ samePerson }: Year) {
  const places = new Map<string, Set<string>>();
  const addresses = new Set<string>();
  const one = new Map(samePerson.flatMap((group) => group.map((address) => [address, group] as const)));
  const placeOf = ({ company, address }: Person): string => company ?? address;

  return {
    judge({ from, shown, forged, direction, hearsay, machine }: Told): Trust {
      if (forged) return "suspicious";
      if (direction !== "inbound" || hearsay !== null) return "verified";
      const proof = ownProof[from.host.shows];
      const known = places.get(shown);
      const named = shown !== "" && known !== undefined && !known.has(placeOf(from)) && !addresses.has(from.address);
      const elsewhere = named && !(one.get(from.address) ?? []).some((address) => addresses.has(address));
      const trust = elsewhere && atLeast(proof, "unverified") ? "unverified" : proof;
      if (atLeast(trust, "aligned-weak") && machine === null) {
        addresses.add(from.address);
        if (shown !== "") places.set(shown, new Set([...(known ?? []), placeOf(from)]));
      }
      return trust;
    },
  };
}
