/** What a sender is judged by, and the few questions that every rule asks of it. */

import type { TrustReasonCode } from "../../model/event/trust-reasons.ts";
import type { Address, Anomaly, Evidence, Message } from "../../model/event.ts";
import type { People } from "../../model/people.ts";
import type { Likeness } from "./lookalike.ts";

/** What the ledger knows, put in words that a rule can use. */
export interface Known {
  /** The organisation of From was dealt with before. */
  readonly domain: boolean;
  /** The domain of From looks like that of a known company, which this message taught. */
  readonly lookalike: Resemblance | null;
  /** A domain of Reply-To does. */
  readonly replyTo: Resemblance | null;
  /** The message by which somebody else became known under this display name. */
  readonly name: string | null;
  /** The domain that vouches for this mail, and with which a person trusts this address. */
  readonly trustedWith: string | null;
}
export interface Resemblance {
  readonly how: Likeness;
  readonly eventId: string;
}
export const nothingKnown: Known = { domain: false, lookalike: null, replyTo: null, name: null, trustedWith: null };

export interface Case {
  readonly message: Message;
  readonly anomalies: readonly Anomaly[];
  readonly evidence: Evidence;
  readonly people: People;
  readonly known: Known;
  /** Another mail with this Message-ID is known, and is not the same. */
  readonly conflict: boolean;
  /** Domains of forwarders whose ARC seal is believed. */
  readonly arcSealers: readonly string[];
  /** It lies among the sent mail of an account of the tenant. */
  readonly sent?: boolean;
}

export interface Finding {
  readonly code: TrustReasonCode;
  readonly detail: string | null;
}

/** The address that is judged: one that From names. */
export type Sender = Address & { readonly email: string; readonly domain: string };
export function senderOf({ from }: Pick<Message, "from">): Sender | null {
  return from === null || from.email === null || from.domain === null
    ? null
    : { ...from, email: from.email, domain: from.domain };
}

export const isOurs = ({ email }: Pick<Sender, "email">, people: People): boolean =>
  people.isOwn(email) || people.isInbound(email);

/** Whether two domains are of one organisation; nobody's domain is of none. */
export function sameOrganisation(a: string | null, b: string | null, people: People): boolean {
  if (a === null || b === null) return false;
  const organisation = people.registrable(a.toLowerCase());
  return organisation !== null && organisation === people.registrable(b.toLowerCase());
}

/** The blocks of results that a host which the tenant named has written. */
export const believed = ({ claimed }: Evidence): Evidence["claimed"] => claimed.filter(({ trusted }) => trusted);
