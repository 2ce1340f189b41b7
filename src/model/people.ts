/** WORDS: who belongs to a tenant, and who is nobody in particular. Handed in to the pure rooms, which read no file and no list. */

/** A domain here is always lower-case ASCII. */
export interface People {
  /** Domains whose addresses are colleagues, with their subdomains. */
  isOwn(email: string): boolean;
  /** One of the addresses that this tenant's mail comes in by, tags included. */
  isInbound(email: string): boolean;
  /** The entry of people.excluded that an address falls under, as written; undefined when none does. */
  excludedBy(email: string): string | undefined;
  /** sales@, support@ and their like, and no_reply addresses. */
  isRole(email: string): boolean;
  isNoReply(email: string): boolean;
  isFreemail(domain: string): boolean;
  isDisposable(domain: string): boolean;
  /** Registrable domain by the public suffix list; null for an address literal, a public suffix, or what is no domain. */
  registrable(domain: string): string | null;
  /** The tenant's own registrable domains, for look-alikes. */
  readonly ownDomains: readonly string[];
  /** Display names of colleagues, as configured, for impersonation. */
  readonly colleagueNames: readonly string[];
}
