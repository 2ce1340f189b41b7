/** Why two messages may belong together: everything that can be said before it is known who takes part in which conversation. */
import type { ThreadFacts } from "../../model/threads.ts";

/**
 * Who has to belong where for a tie to hold. speaker: the sender of `from`, to the conversation of `to`. both: each to the conversation of the
 * other. answer: the speaker, who has spoken there himself, or in whose own conversation the other belongs. none: the tie says so itself.
 */
export type Condition = "speaker" | "both" | "answer" | "none";

export type TieKind = "decision" | "token" | "gmail" | "header" | "beside" | "thread_index" | "subject";

export interface Tie {
  readonly kind: TieKind;
  /** The message that answers. */
  readonly from: ThreadFacts;
  readonly to: ThreadFacts;
  readonly needs: Condition;
  /** How sure it is when it holds, from 0 to 1. */
  readonly score: number;
  readonly reasons: readonly string[];
}

/** A tie that cannot hold whoever takes part: remembered as a candidate. */
export interface Doubt {
  readonly from: ThreadFacts;
  readonly to: ThreadFacts;
  readonly score: number;
  readonly reasons: readonly string[];
}

export interface Ties {
  readonly ties: readonly Tie[];
  readonly doubts: readonly Doubt[];
}

/** The messages that are judged, by everything that they are looked up by. */
export interface Field {
  readonly messages: readonly ThreadFacts[];
  readonly byEvent: ReadonlyMap<string, ThreadFacts>;
  /** By their own Message-ID: several where somebody used the id of another. */
  readonly owners: ReadonlyMap<string, readonly ThreadFacts[]>;
  /** Those that name an id. */
  readonly namers: ReadonlyMap<string, readonly ThreadFacts[]>;
  /** Ids whose answers belong together by nothing: mass mail. */
  readonly fans: ReadonlySet<string>;
  /** How far apart subjects are compared, in ms. */
  readonly window: number;
}

export function grouped<T>(items: Iterable<T>, keyOf: (item: T) => Iterable<string>): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    for (const key of keyOf(item)) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [item]);
      else group.push(item);
    }
  }
  return groups;
}
