/** Which messages are one conversation: every tie whose sender belongs where it leads, until no more hold. */
import type { ThreadFacts } from "../../model/threads.ts";
import { mayAnswerBeside, maySpeak, Participants } from "./people.ts";
import type { Tie } from "./ties.ts";

export interface Clusters {
  /** The same for all messages of a conversation. */
  of(facts: ThreadFacts): ThreadFacts;
  together(one: ThreadFacts, other: ThreadFacts): boolean;
  /** Whether a tie holds, now that everybody who takes part is known. */
  holds(tie: Tie): boolean;
}

/**
 * Conversations and those who take part in them only grow while ties come to hold, so that the order in which they are looked at makes no
 * difference to what is left in the end. `already`: messages that stand together whatever is said.
 */
export function clustersOf(
  messages: readonly ThreadFacts[],
  ties: readonly Tie[],
  already: readonly (readonly [ThreadFacts, ThreadFacts])[] = [],
): Clusters {
  const parents = new Map<ThreadFacts, ThreadFacts>();
  const participants = new Map<ThreadFacts, Participants>();
  for (const facts of messages) {
    const own = new Participants();
    own.add(facts);
    participants.set(facts, own);
  }

  function rootOf(facts: ThreadFacts): ThreadFacts {
    let root = facts;
    for (let up = parents.get(root); up !== undefined; up = parents.get(root)) root = up;
    for (let at = facts; at !== root; ) {
      const next = parents.get(at) ?? root;
      parents.set(at, root);
      at = next;
    }
    return root;
  }

  const of = (facts: ThreadFacts): Participants => participants.get(rootOf(facts)) ?? new Participants();

  function unite(one: ThreadFacts, other: ThreadFacts): void {
    let into = rootOf(one);
    let from = rootOf(other);
    if (into === from) return;
    if (of(into).size < of(from).size) [into, from] = [from, into];
    of(into).takeOver(of(from));
    participants.delete(from);
    parents.set(from, into);
  }

  function holds({ from, to, needs }: Tie): boolean {
    switch (needs) {
      case "none":
        return true;
      case "speaker":
        return maySpeak(from, of(to));
      case "answer":
        return maySpeak(from, of(to)) && (of(to).hasSpoken(from) || mayAnswerBeside(to, of(from)));
      case "both":
        return mayAnswerBeside(from, of(to)) && mayAnswerBeside(to, of(from));
      default:
        return needs satisfies never;
    }
  }

  for (const [one, other] of already) unite(one, other);
  let open = [...ties];
  for (let before = -1; before !== open.length; ) {
    before = open.length;
    open = open.filter((tie) => {
      if (rootOf(tie.from) === rootOf(tie.to)) return false;
      if (!holds(tie)) return true;
      unite(tie.from, tie.to);
      return false;
    });
  }
  return { of: rootOf, together: (one, other) => rootOf(one) === rootOf(other), holds };
}
