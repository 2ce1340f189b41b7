/** WORDS: who belongs to a tenant, and who is nobody in particular. Handed in to the pure rooms, which read no file and no list. */

/** A domain here is always lower-case ASCII; addresses are taken as headers give them. */
export interface People {
  /** A colleague: of one of the tenant's domains or their subdomains, or listed by address. Inbound addresses are told by isInbound. */
  isOwn(email: string): boolean;
  /** One of the addresses that this tenant's mail comes in by, tags included. */
  isInbound(email: string): boolean;
  /** The entry of people.excluded that an address falls under, as written; undefined when none does. */
  excludedBy(email: string): string | undefined;
  /** sales@, support@ and their like: several people read them, or a machine. */
  isRole(email: string): boolean;
  /** Nobody reads what is sent there. */
  isNoReply(email: string): boolean;
  isFreemail(domain: string): boolean;
  isDisposable(domain: string): boolean;
  /** Registrable domain by the public suffix list; null for an address literal, a public suffix, or what is no domain. */
  registrable(domain: string): string | null;
  /** The tenant's own domains as configured, for look-alikes. */
  readonly ownDomains: readonly string[];
  /** Display names of colleagues, as configured, for impersonation. */
  readonly colleagueNames: readonly string[];
  /** The other addresses of whoever has this one, as the tenant's mapping lists them (`same_person`). */
  alsoAt(email: string): readonly string[];
}

/** What a tenant's configuration says of people. Domains and addresses in any spelling; an entry with `!` in front takes one off a built-in list. */
export interface PeopleLists {
  readonly own_domains: readonly string[];
  readonly own_addresses: readonly string[];
  readonly colleagues: readonly string[];
  readonly excluded: readonly string[];
  readonly role_names: readonly string[];
  readonly freemail: readonly string[];
  readonly disposable: readonly string[];
}
