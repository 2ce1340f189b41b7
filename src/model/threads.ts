/**
 * MEMORY: what the ledger keeps of conversations. The second interface of the store (DESIGN section 5), on the same file and in the same
 * transactions: a message's place in its thread is committed with its event.
 *
 * The clusters are a function of the set of messages and decisions, whatever the order of arrival: `around` gives everything that a new
 * message could touch, a pure judge (mail/thread.ts) decides, `Prepared.thread` commits. Ids, addresses and subjects are kept as keyed
 * hashes: enough to compare, nothing to read.
 */
import type { Thread } from "./event.ts";

/** What is remembered of one message for threading. Small, bounded, and never its text. */
export interface ThreadFacts {
  readonly eventId: string;
  readonly tenant: string;
  /** The id of the thread that it would begin: a hash of its tenant and identity. */
  readonly begins: string;
  /** Hash of its own Message-ID. */
  readonly messageId: string | null;
  /** Hashes of the ids that it names, the nearest last: References, In-Reply-To, and the message that a report or a forward is about. */
  readonly names: readonly string[];
  /** The conversation of Outlook's Thread-Index: a hash of its first 22 bytes. */
  readonly threadIndex: string | null;
  /** Hash of X-GM-THRID and the account that the message was read from. */
  readonly gmailThread: string | null;
  /** The thread that a valid token in a recipient address names. */
  readonly token: string | null;
  /** Hash of the normalised subject; null where it is empty, or says nothing: that of machines and mass mail. */
  readonly subject: string | null;
  /** Hashes of its words, sorted: whether another subject is about the same. */
  readonly words: readonly string[];
  /** "Hello", "Invoice": many people write this about many things. */
  readonly generic: boolean;
  /** The subject began with a reply or forward prefix. */
  readonly reply: boolean;
  /** Epoch ms: the mail's Date where it is plausible, else its arrival. */
  readonly writtenAt: number;
  /** Who outside speaks: From; of a bounce or a read receipt, the recipient that it is about. */
  readonly sender: ThreadPerson | null;
  /** From is one of the tenant's own people, as far as the mail says. */
  readonly inside: boolean;
  /** From is one of the tenant's own people, and that is authenticated. */
  readonly own: boolean;
  /** suspicious mail joins nothing by itself. */
  readonly suspicious: boolean;
  /** Everybody outside in From, Reply-To, To and Cc, and the original sender of a forwarded mail. The sender is the first. */
  readonly people: readonly ThreadPerson[];
  /** Hash of the mailing list that it came through. */
  readonly list: string | null;
  /** A bounce, a receipt, an absence: makes nobody a participant. */
  readonly automated: boolean;
  /** Sent to many: it ties those who answer it together by nothing. */
  readonly broadcast: boolean;
}

export interface ThreadPerson {
  /** Hash of the address. */
  readonly address: string;
  /** Hash of the registrable domain; null for freemail and disposable ones. */
  readonly organisation: string | null;
}

/** Whose subjects are compared: the first people of a message. */
export const subjectPeople = 6;
/** Answers to one message from more organisations than this are answers to mass mail, whoever sent it: a thread each. */
export const mostAnswerers = 16;

/**
 * Whether an answer to a mail that too many answer is one of those between whom it went. Whoever has got hold of an id can have it answered by
 * seventeen domains of his: that must not take it from its conversation. Mail to nobody visible, or to very many, went between nobody.
 */
export function isBetween({ sender, inside, own, people }: ThreadFacts, to: ThreadFacts): boolean {
  if (to.broadcast || new Set(to.people.map(voiceOf)).size > mostAnswerers) return false;
  if (inside) return own && people.some((person) => to.sender !== null && voiceOf(person) === voiceOf(to.sender));
  return sender !== null && to.people.some((person) => voiceOf(person) === voiceOf(sender));
}

/** Whom answers are counted by: people of one organisation are one. */
export const voiceOf = ({ organisation, address }: ThreadPerson): string => organisation ?? address;

/** What a person decided about a message's thread; honoured by the judge, now and whenever it judges again. */
export interface ThreadDecision {
  readonly eventId: string;
  /** join: with the thread of another message. new: apart from what it answers; those that answer it follow it. */
  readonly kind: "join" | "new";
  readonly withEventId: string | null;
}

/** A message that has its place already. */
export interface ThreadNeighbour extends ThreadFacts {
  readonly threadId: string;
  /** Lower was placed earlier. */
  readonly placed: number;
}

export interface Neighbourhood {
  readonly messages: readonly ThreadNeighbour[];
  /** At most one for each message. */
  readonly decisions: readonly ThreadDecision[];
  /** Ids (hashes) that more people answered than were read: they tie nobody together. */
  readonly fans: readonly string[];
  /** More messages are connected than were read: the judge then leaves what stands where it stands. */
  readonly cut: boolean;
}

export interface AroundRequest {
  readonly tenant: string;
  readonly facts: readonly ThreadFacts[];
  /** As far as subjects are compared, in ms. */
  readonly window: number;
}

/** Where a message stands, as committed with `prepare`. */
export interface Placed {
  readonly facts: ThreadFacts;
  readonly thread: Thread;
  /** Other messages that stand elsewhere because of this one. They are planned again in the same transaction. */
  readonly moved: readonly { readonly eventId: string; readonly threadId: string }[];
}

/** At which scores a message is joined, and from where on a person is asked. */
export interface ThreadMarks {
  /** From this score on it is joined. */
  readonly join: number;
  /** From this score on it is joined and listed for review; below, it begins a thread. */
  readonly review: number;
  /** How long after each other two mails of one subject may be one conversation, in ms. */
  readonly window: number;
}

export const defaultMarks: ThreadMarks = { join: 0.8, review: 0.5, window: 30 * 86_400_000 };

export interface ThreadRow {
  readonly threadId: string;
  readonly tenant: string;
  /** In the order in which they were written. */
  readonly messages: readonly { readonly eventId: string; readonly writtenAt: number }[];
  /** Ids of threads that were merged into this one. */
  readonly aliases: readonly string[];
}

/** One of many threads: those written to last come first. */
export interface ThreadSummary {
  readonly threadId: string;
  readonly tenant: string;
  readonly messages: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** Where its newest message stands in the order of arrival. */
  readonly at: number;
}

/** `before`: the `at` of the last row of the page before. */
export interface ThreadsQuery {
  readonly tenant?: string;
  readonly before?: number;
  readonly limit: number;
}

/** The second interface of the store. */
export interface Threads {
  /** Everything that these messages of one tenant could touch, or be touched by. */
  around(request: AroundRequest): Promise<Neighbourhood>;
  /** By its id or an alias, or by a message of it; undefined where nothing is known by that name. */
  thread(query: { readonly thread: string } | { readonly event: string }): Promise<ThreadRow | undefined>;
  threads(query: ThreadsQuery): Promise<readonly ThreadSummary[]>;
}
