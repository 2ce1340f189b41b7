/** MEMORY: whom a tenant has dealt with, and whom a person trusts, as keyed hashes. Read before a sender is judged; committed with `prepare`. */
import type { TrustLevel } from "./event.ts";

/** A hash under a key of this installation: the same value gives the same hash, and nobody without the key can tell or try the value. */
export type Keyed = (purpose: string, value: string) => string;

/** shuffled: a domain's letters in alphabetical order, for two that have changed places. */
export const acquaintanceKinds = ["address", "domain", "label", "skeleton", "shuffled", "name"] as const;
export type AcquaintanceKind = (typeof acquaintanceKinds)[number];

/** One thing that is known of somebody. */
export interface Feature {
  readonly kind: AcquaintanceKind;
  readonly hash: string;
  /** Whose it is: the hash of the organisation's domain, or of the address where there is no organisation. */
  readonly of: string;
}

/** What one message teaches. Taking it in twice changes nothing. */
export interface Lesson {
  readonly trust: Exclude<TrustLevel, "suspicious" | "unverified">;
  /** Epoch ms at which the message was received: of the message, so that reprocessing it says the same. */
  readonly at: number;
  readonly features: readonly Feature[];
}

/** What is to be known before a message is judged. */
export interface AcquaintanceQuestion {
  readonly tenant: string;
  /** What this very message taught before is no acquaintance. */
  readonly eventId: string;
  readonly hashes: readonly string[];
  /** Hash of the address of From, for what a person decided about it. */
  readonly address: string | null;
}

export interface Acquaintance extends Feature {
  /** The message that taught it first. */
  readonly eventId: string;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly trust: Lesson["trust"];
}

export interface Acquainted {
  /** A few of each hash at most. */
  readonly features: readonly Acquaintance[];
  /** Hashes of the domains with which a person trusts this address. */
  readonly trusted: readonly string[];
}

export const strangers: Acquainted = { features: [], trusted: [] };

/**
 * A person trusts a sender: this address, where this domain vouches for it by DKIM or SPF. Never the address alone, which anybody can write.
 * `kind` revoke takes it back.
 */
export interface SenderDecision {
  readonly kind: "trust" | "revoke";
  readonly tenant: string;
  /** Hashes. */
  readonly address: string;
  readonly domain: string;
  /** The message it was decided about. */
  readonly eventId: string;
  readonly by: string;
  readonly at: number;
}

/** Another message with the same Message-ID. */
export interface Namesake {
  readonly eventId: string;
  /** It came before this one. */
  readonly earlier: boolean;
  /** Its digest is that of this one: the first copy was held when this one came by another way. */
  readonly sameContent: boolean;
  /** As prepared last; undefined before that, and after retention. */
  readonly sealedEvent: Uint8Array | undefined;
  /** The lanes that have work of it, or have done it. */
  readonly lanes: readonly string[];
  /** It waits for its parse, or is in it. */
  readonly waiting: boolean;
}
