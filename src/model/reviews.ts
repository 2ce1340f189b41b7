/**
 * MEMORY: what waits for a person, and what a person decided about it. Part of the second interface of the store (DESIGN section 5): rows are
 * opened with the event that asks for them, and a decision is written down together with the order to plan its message again.
 */

import type { SenderDecision } from "./acquaintance.ts";
import type { Samples } from "./samples.ts";

/** held: a delivery waits. thread: a message was joined without being sure, or a candidate was not. move: the CRM cannot move what is there. */
export const reviewKinds = ["held", "thread", "move"] as const;
export type ReviewKind = (typeof reviewKinds)[number];

/** Asked for with an event. There is one open review of each kind for a message, whatever asks for it again. */
export interface NewReview {
  readonly eventId: string;
  readonly kind: ReviewKind;
  /** The rule or reason, as a sentence without addresses. */
  readonly detail: string;
}

export interface ReviewRow extends NewReview {
  readonly id: number;
  readonly tenant: string;
  readonly messageId: string | null;
  readonly at: number;
  readonly resolved: Resolution | null;
}

/** `by` is `mailwright` where nobody had to decide any more: the rules released it, or evidence came. */
export interface Resolution {
  readonly at: number;
  readonly by: string;
  /** What was answered, or `released`. */
  readonly as: string;
  readonly note: string | null;
}

/** Open ones unless said otherwise, newest first. */
export interface ReviewQuery {
  readonly id?: number;
  readonly event?: string;
  readonly tenant?: string;
  readonly kind?: ReviewKind;
  readonly which?: "open" | "resolved" | "all";
  readonly limit: number;
  /** `id` of the last row of the page before. */
  readonly before?: number;
}

/**
 * What a person answers. join: with the thread of that message. new: apart from what it answers. trust: what held it lets it go. reject: it is
 * not wanted at any CRM. done: what had to be moved by hand was moved.
 */
export type ReviewAnswer =
  | { readonly kind: "join"; readonly withEventId: string }
  | { readonly kind: "new" | "trust" | "reject" | "done" };

export const answersTo = {
  held: ["trust", "reject"],
  thread: ["join", "new"],
  move: ["done"],
} as const satisfies Record<ReviewKind, readonly ReviewAnswer["kind"][]>;

/** A decision about one message, with or without a review that asks for it. */
export interface Decide {
  readonly eventId: string;
  readonly answer: ReviewAnswer;
  readonly by: string;
  readonly note: string | null;
  readonly now: number;
  /** What it says about the sender's later mail; written down with it. */
  readonly teaches?: readonly SenderDecision[];
}

/** unknown: no such message, or none to join. gone: its raw bytes were removed, so it cannot be planned again. */
export type Decided = "done" | "unknown" | "gone";

/** What was decided about a message, newest first. An answer about the same question replaces the one before. */
export interface DecisionRow {
  readonly eventId: string;
  readonly kind: ReviewAnswer["kind"];
  readonly withEventId: string | null;
  readonly by: string;
  readonly at: number;
  readonly note: string | null;
  /** No later one has replaced it. */
  readonly stands: boolean;
}

/** Whether a person lets a message through, or wants it nowhere. Stands until another is given. */
export interface Verdict {
  readonly kind: "trust" | "reject";
  readonly by: string;
  readonly at: number;
}

export interface ReviewTally {
  readonly tenant: string;
  readonly kind: ReviewKind;
  readonly open: number;
  /** Since when the oldest waits. */
  readonly oldestAt: number;
}

export interface Reviews extends Samples {
  reviews(query: ReviewQuery): Promise<readonly ReviewRow[]>;
  /** Of all tenants, for the metrics. Only what is open has a row. */
  reviewTally(): Promise<readonly ReviewTally[]>;
  /** All or none: where one of them cannot be decided, nothing is written, and its answer says why; the others say done. */
  decide(decisions: readonly Decide[]): Promise<readonly Decided[]>;
  decisions(eventId: string): Promise<readonly DecisionRow[]>;
}
