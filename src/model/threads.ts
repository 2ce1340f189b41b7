/**
 * MEMORY: what the ledger keeps of conversations, of whom a tenant has dealt with, and of what people decided. The second interface of the
 * store (DESIGN section 5), on the same file and in the same transactions: a message's place in its thread is committed with its event.
 *
 * The clusters are a function of the set of messages and decisions, whatever the order of arrival: `around` gives everything that a new
 * message could touch, a pure judge (mail/thread.ts) decides, `Prepared.thread` commits. Addresses and subjects are kept as keyed hashes.
 */
import type { Thread } from "./event.ts";

/** What is remembered of one message for threading. Small, bounded, and never its text. */
export interface ThreadFacts {
  readonly eventId: string;
  readonly tenant: string;
  /** Own Message-ID, then the ids it names; bounded by the reader. */
  readonly messageId: string | null;
  readonly inReplyTo: readonly string[];
  readonly references: readonly string[];
  /** The conversation of Outlook's Thread-Index: its first 22 bytes, hex. */
  readonly threadIndex: string | null;
  /** X-GM-THRID of the account that the message was read from. */
  readonly gmailThread: string | null;
  /** The thread that a valid token in a recipient address names. */
  readonly token: string | null;
  /** Hash of the normalised subject; null where it is empty. */
  readonly subject: string | null;
  /** The subject began with a reply or forward prefix. */
  readonly reply: boolean;
  /** Epoch ms: the mail's Date where it is plausible, else its arrival. */
  readonly writtenAt: number;
  readonly receivedAt: number;
  readonly sender: ThreadPerson | null;
  /** The sender is one of the tenant's own, and that is authenticated. */
  readonly own: boolean;
  /** suspicious mail joins nothing by itself. */
  readonly suspicious: boolean;
  /** Everybody outside in From, Reply-To, To and Cc, and the original sender of a forwarded mail. */
  readonly people: readonly ThreadPerson[];
  /** Sent to many: it ties those who answer it together by nothing. */
  readonly broadcast: boolean;
}

export interface ThreadPerson {
  /** Hash of the address. */
  readonly address: string;
  /** Hash of the registrable domain; null for freemail and disposable ones. */
  readonly organisation: string | null;
}

/** What a person decided about a message's thread; honoured by the judge, now and whenever it judges again. */
export interface ThreadDecision {
  readonly eventId: string;
  /** join: with the thread of another message. new: apart from what it answers; those that answer it follow it. */
  readonly kind: "join" | "new";
  readonly withEventId: string | null;
  readonly by: string;
  readonly at: number;
}

export interface ThreadNeighbour extends ThreadFacts {
  readonly threadId: string;
}

export interface Neighbourhood {
  readonly messages: readonly ThreadNeighbour[];
  readonly decisions: readonly ThreadDecision[];
  /** More messages are connected than were read: the judge then leaves what stands alone. */
  readonly cut: boolean;
}

/** Where a message stands, as committed with `prepare`. */
export interface Placed {
  readonly facts: ThreadFacts;
  readonly thread: Thread;
  /** Other messages that stand elsewhere because of this one. They are planned again in the same transaction. */
  readonly moved: readonly { readonly eventId: string; readonly threadId: string }[];
}

export interface ThreadRow {
  readonly threadId: string;
  readonly tenant: string;
  readonly messages: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** Ids of threads that were merged into this one. */
  readonly aliases: readonly string[];
}

/** What kinds of things wait for a person. */
export const reviewKinds = ["held", "thread", "move"] as const;
/** held: a delivery waits. thread: a message was joined without being sure, or a candidate was not joined. move: the CRM cannot move it. */
export type ReviewKind = (typeof reviewKinds)[number];

export interface NewReview {
  readonly eventId: string;
  readonly kind: ReviewKind;
  /** The rule or reason, as a sentence without addresses. */
  readonly detail: string;
}

export interface ReviewRow extends NewReview {
  readonly id: number;
  readonly tenant: string;
  readonly at: number;
  readonly resolved: { readonly at: number; readonly by: string; readonly as: string } | null;
}
