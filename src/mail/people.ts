/** Compiles a tenant's lists of people into what the rules ask of them. Pure: the lists are handed in. */
import type { People, PeopleLists } from "../model/people.ts";
import { takesNoReply } from "./automated/sender.ts";
import { asciiDomain, isDisposable, isFreemail, registrable } from "./domains.ts";
import { bareName, roleNames } from "./people/roles.ts";

export const noLists: PeopleLists = {
  own_domains: [],
  own_addresses: [],
  colleagues: [],
  excluded: [],
  role_names: [],
  freemail: [],
  disposable: [],
};

/**
 * The form in which addresses are compared: local part without case (RFC 5321 §2.4 allows it to count, and no CRM lets it), domain in
 * lower-case ASCII. Tags stay: `ana+shop@` may be another mailbox than `ana@`.
 */
export function addressKey(email: string): string {
  const at = email.lastIndexOf("@");
  const domain = email.slice(at + 1);
  return `${email.slice(0, at).normalize("NFC").toLowerCase()}@${asciiDomain(domain) ?? domain.toLowerCase()}`;
}

/** Of an address in the form above. */
const domainOf = (key: string): string => key.slice(key.lastIndexOf("@") + 1);

/** Of groups of addresses, each of one person: the others of whoever has one. */
export function alsoAtOf(groups: readonly (readonly string[])[]): People["alsoAt"] {
  const others = new Map<string, Set<string>>();
  for (const group of groups) {
    const keys = group.map(addressKey);
    for (const key of keys)
      others.set(key, new Set([...(others.get(key) ?? []), ...keys.filter((other) => other !== key)]));
  }
  return (email) => [...(others.get(addressKey(email)) ?? [])];
}

/**
 * `isInbound`: whether an address is one that this tenant's mail comes in by. Entries that are no domain or address match nothing.
 * `samePerson`: groups of addresses of one person each.
 */
export function compilePeople(
  lists: PeopleLists,
  isInbound: (email: string) => boolean,
  samePerson: readonly (readonly string[])[] = [],
): People {
  const ownDomains = new Set(domainsOf(lists.own_domains));
  const ownAddresses = new Set(lists.own_addresses.map(addressKey));
  const excluded = new Map(
    lists.excluded.map((entry) => [entry.includes("@") ? addressKey(entry) : asciiDomain(entry), entry]),
  );
  const roles = overlay(roleNames, lists.role_names, bareName);
  const freemail = exceptions(lists.freemail);
  const disposable = exceptions(lists.disposable);
  const listedAs =
    (own: Exceptions, builtIn: (domain: string) => boolean) =>
    (domain: string): boolean => {
      const ascii = asciiDomain(domain);
      if (ascii === null) return false;
      return (
        suffixesOf(ascii)
          .map((suffix) => own.get(suffix))
          .find((said) => said !== undefined) ?? builtIn(ascii)
      );
    };
  return {
    isOwn: (email) => {
      const key = addressKey(email);
      return ownAddresses.has(key) || suffixesOf(domainOf(key)).some((domain) => ownDomains.has(domain));
    },
    isInbound,
    excludedBy: (email) => {
      const key = addressKey(email);
      const found = [key, ...suffixesOf(domainOf(key))].find((name) => excluded.has(name));
      return found === undefined ? undefined : excluded.get(found);
    },
    isRole: (email) => roles.has(bareName(email.slice(0, email.lastIndexOf("@")))),
    isNoReply: (email) => takesNoReply({ email, name: "" }),
    isFreemail: listedAs(freemail, isFreemail),
    isDisposable: listedAs(disposable, isDisposable),
    registrable,
    ownDomains: [...ownDomains],
    colleagueNames: [...lists.colleagues],
    alsoAt: alsoAtOf(samePerson),
  };
}

/** `mail.shop.example`, `shop.example`, `example`: every domain that this one is in. */
function suffixesOf(domain: string): string[] {
  const labels = domain.split(".");
  return labels.map((_, index) => labels.slice(index).join("."));
}

function domainsOf(entries: readonly string[]): string[] {
  return entries.map(asciiDomain).filter((domain) => domain !== null);
}

function overlay(
  builtIn: ReadonlySet<string>,
  entries: readonly string[],
  form: (name: string) => string,
): Set<string> {
  const names = new Set(builtIn);
  for (const entry of entries) {
    if (entry.startsWith("!")) names.delete(form(entry.slice(1)));
    else names.add(form(entry));
  }
  return names;
}

type Exceptions = ReadonlyMap<string, boolean>;

/** What the configuration says of a domain, and of those below it. */
function exceptions(entries: readonly string[]): Exceptions {
  return new Map(
    entries.flatMap((entry) => {
      const domain = asciiDomain(entry.replace(/^!/, ""));
      return domain === null ? [] : [[domain, !entry.startsWith("!")] as const];
    }),
  );
}
