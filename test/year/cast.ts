/** Who takes part in a year: our own people, companies with theirs, private persons and machines; their servers, and what DNS says of them. */
import { Chance } from "../simulation/chance.ts";
import type { Zone } from "../support/dns-zone.ts";
import { signingKey } from "../support/signer.ts";
import { firstNames, heads, lastNames, tails } from "./words.ts";

/** What a domain can show for its mail: DMARC that rejects, a signature or SPF alone, or nothing. */
export type Shows = "dmarc" | "dkim" | "spf" | "nothing";

export interface Host {
  readonly domain: string;
  readonly ip: string;
  readonly shows: Shows;
}

export interface Person {
  /** As the year knows him or her, whatever the address. */
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly host: Host;
  /** Registrable domain of a company; null for private addresses. */
  readonly company: string | null;
}

export interface Company {
  readonly host: Host;
  readonly people: readonly Person[];
}

/** From a day on somebody writes from another address. */
export interface Change {
  readonly before: Person;
  readonly after: Person;
  /** Share of the year after which it is so; two at once where it is 0. */
  readonly from: number;
  /** The mapping says that both are one person. */
  readonly listed: boolean;
}

export interface Cast {
  readonly own: Host;
  readonly inbound: string;
  readonly colleagues: readonly Person[];
  readonly companies: readonly Company[];
  readonly freemail: readonly Person[];
  readonly disposable: readonly Person[];
  readonly excluded: readonly Person[];
  readonly changes: readonly Change[];
  readonly machines: readonly Person[];
  /** Servers of those who forge; everything about their own domain is in order. */
  readonly evil: Host;
  readonly stranger: Person;
}

const ownDomain = "acme.example";
export const inboundDomain = "in.acme.example";

const freemailHosts: readonly Host[] = [
  { domain: "gmail.com", ip: "198.18.1.1", shows: "dmarc" },
  { domain: "posteo.de", ip: "198.18.1.2", shows: "dmarc" },
  { domain: "gmx.de", ip: "198.18.1.3", shows: "spf" },
  { domain: "t-online.de", ip: "198.18.1.4", shows: "nothing" },
];
const disposableHost: Host = { domain: "mailinator.com", ip: "198.18.1.9", shows: "dmarc" };

/** `size`: how many mails the year has, so that a long one has more people. */
export function castOf(seed: number, size: number): Cast {
  const chance = new Chance(`year ${seed}`).split("cast");
  const names = fullNames(chance.split("names"));
  const own: Host = { domain: ownDomain, ip: "192.0.2.20", shows: "dmarc" };
  const person = (host: Host, company: boolean, name = names()): Person => personAt(host, company, name);
  const companies = companyDomains(chance.split("domains"), Math.min(480, 20 + Math.floor(size / 14))).map(
    (domain, at): Company => {
      const host: Host = {
        domain,
        ip: `198.18.${10 + Math.floor(at / 200)}.${1 + (at % 200)}`,
        shows: showsOf(chance),
      };
      return { host, people: Array.from({ length: chance.between(1, 4) }, () => person(host, true)) };
    },
  );
  // The shipped sales mapping names this customer.
  const big: Host = { domain: "big-client.example", ip: "198.18.9.1", shows: "dmarc" };
  const freemail = Array.from({ length: 6 + Math.floor(size / 60) }, () => person(chance.pick(freemailHosts), false));
  const changes = changesOf(chance.split("changes"), companies, 6 + Math.floor(size / 150), names);
  return {
    own,
    inbound: inboundDomain,
    colleagues: Array.from({ length: 6 }, () => person(own, true)),
    companies: [...companies, { host: big, people: [person(big, true), person(big, true)] }],
    freemail,
    disposable: Array.from({ length: 3 }, () => person(disposableHost, false)),
    excluded: [person({ domain: "tax-office.example", ip: "198.18.9.2", shows: "dmarc" }, true)],
    changes,
    machines: [
      { id: "m1", name: "Depot Weekly", address: "news@depot-weekly.example", ...machine("depot-weekly.example", 1) },
      {
        id: "m2",
        name: "Parcel Tracker",
        address: "no-reply@parcel-tracker.example",
        ...machine("parcel-tracker.example", 2),
      },
      {
        id: "m3",
        name: "Fair Organisers",
        address: "hello@fair-organisers.example",
        ...machine("fair-organisers.example", 3),
      },
    ],
    evil: { domain: "evil-sender.example", ip: "203.0.113.66", shows: "dmarc" },
    stranger: person({ domain: "evil-sender.example", ip: "203.0.113.66", shows: "dmarc" }, true),
  };
}

const machine = (domain: string, at: number) => ({
  host: { domain, ip: `198.18.8.${at}`, shows: "dmarc" as const },
  company: domain,
});

function showsOf(chance: Chance): Shows {
  const drawn = chance.unit();
  if (drawn < 0.78) return "dmarc";
  if (drawn < 0.86) return "dkim";
  return drawn < 0.93 ? "spf" : "nothing";
}

function personAt(host: Host, company: boolean, name: string): Person {
  const local = plain(name).replaceAll(" ", ".");
  return { id: local, name, address: `${local}@${host.domain}`, host, company: company ? host.domain : null };
}

export const plain = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll("ü", "ue")
    .replaceAll("ö", "oe")
    .replaceAll("ä", "ae")
    .normalize("NFD")
    .replace(/[^a-z. ]/g, "");

/** Nobody shares a name with anybody: a namesake is a finding of its own. */
function fullNames(chance: Chance): () => string {
  const taken = new Set<string>();
  return () => {
    for (;;) {
      const name = `${chance.pick(firstNames)} ${chance.pick(lastNames)}`;
      if (taken.has(name)) continue;
      taken.add(name);
      return name;
    }
  };
}

function companyDomains(chance: Chance, count: number): string[] {
  const found = new Set<string>();
  while (found.size < count) found.add(`${chance.pick(heads)}-${chance.pick(tails)}.example`);
  return [...found];
}

/** People of companies that can show who they are move to others that can, or work for both. */
function changesOf(chance: Chance, companies: readonly Company[], count: number, names: () => string): Change[] {
  const proven = companies.filter(({ host }) => host.shows === "dmarc");
  return Array.from({ length: count }, (_, at): Change => {
    const old = chance.pick(proven).host;
    const next = chance.pick(proven.filter((company) => company.host !== old)).host;
    const name = names();
    const [before, after] = [personAt(old, true, name), personAt(next, true, name)];
    return {
      before,
      after: { ...after, id: before.id },
      from: at % 3 === 0 ? 0 : 0.3 + chance.unit() / 3,
      listed: at % 2 === 0,
    };
  });
}

/** Everything that DNS has to say of them. */
export function publish(cast: Cast, zone: Zone): void {
  const people = [
    ...cast.colleagues, ...cast.companies.flatMap((company) => company.people), ...cast.freemail, ...cast.disposable,
    ...cast.excluded, ...cast.machines, cast.stranger,
  ]; // biome-ignore format: a list
  const hosts = new Map([...people.map(({ host }) => host), ...lookalikesOf(cast)].map((host) => [host.domain, host]));
  for (const host of hosts.values()) {
    const { domain, ip, shows } = host;
    if (shows === "dmarc" || shows === "spf") zone.add(domain, "TXT", `v=spf1 ip4:${ip} -all`);
    if (shows === "dmarc") zone.add(`_dmarc.${domain}`, "TXT", "v=DMARC1; p=reject");
    if (shows === "dmarc" || shows === "dkim") zone.add(`s1._domainkey.${domain}`, "TXT", keyOf(host).record);
    zone.add(`mail.${domain}`, "A", ip);
  }
}

/** One key for all: making one takes a while, and which one it is makes no difference. */
export const keyOf = (_: Host) => signingKey("ed25519", "year");

/** The domain with two letters of its first word changed over, which its owner does not have. */
export function lookalikeOf({ host }: Company, evil: Host): Host {
  const { domain } = host;
  return { ...evil, domain: `${domain.slice(0, 2)}${domain.charAt(3)}${domain.charAt(2)}${domain.slice(4)}` };
}

const lookalikesOf = ({ companies, evil }: Cast): Host[] => companies.map((company) => lookalikeOf(company, evil));
