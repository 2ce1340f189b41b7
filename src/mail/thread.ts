/** Which conversation a message belongs to, and which others stand elsewhere because of it. */
import type { Thread } from "../model/event.ts";
import type { Neighbourhood, Placed, ThreadFacts, ThreadMarks, ThreadNeighbour } from "../model/threads.ts";
import type { Clusters } from "./thread/clusters.ts";
import { judge, type Standing } from "./thread/judge.ts";

export { threadFacts, threadKey } from "./thread/facts.ts";

/**
 * Places messages of one tenant, in the order in which they came. All are judged at once with everything around them, so that what one of
 * them moves is said with each: whichever of them is committed brings it about.
 */
export function placeThreads(
  arrivals: readonly ThreadFacts[],
  { messages, decisions, fans, cut }: Neighbourhood,
  marks: ThreadMarks,
): Placed[] {
  const arriving = new Map(arrivals.map((facts) => [facts.eventId, facts]));
  const standing = messages.filter(({ eventId }) => !arriving.has(eventId));
  const already = cut ? heldTogether(standing) : [];
  const { clusters, standing: standingOf } = judge(
    { messages: [...standing, ...arriving.values()], decisions, fans, already },
    marks,
  );
  const nameOf = cut ? presentNames(clusters, standing, arrivals) : names(clusters, messages, arrivals);
  const moved = cut
    ? []
    : standing
        .map((facts) => ({ eventId: facts.eventId, threadId: nameOf(facts), before: facts.threadId }))
        .filter(({ threadId, before }) => threadId !== before)
        .map(({ eventId, threadId }) => ({ eventId, threadId }));
  return arrivals.map((given) => {
    const facts = arriving.get(given.eventId) ?? given;
    return { facts, thread: threadOf(standingOf(facts), nameOf), moved };
  });
}

/** The thread of a message that nothing is known around: of a preview, and of one that is placed for the first time. */
export const lonely = (threadId: string): Thread => ({
  thread_id: threadId,
  parent_event_id: null,
  confidence: 1,
  method: "new",
  review: false,
  candidates: [],
});

function threadOf(
  { facts, method, confidence, parent, review, candidates }: Standing,
  nameOf: (facts: ThreadFacts) => string,
): Thread {
  return {
    thread_id: nameOf(facts),
    parent_event_id: parent?.eventId ?? null,
    confidence,
    method,
    review,
    candidates: candidates.map((candidate) => ({
      thread_id: nameOf(candidate.with),
      score: candidate.score,
      reasons: [...candidate.reasons],
    })),
  };
}

/**
 * A thread is called after the message that began it, and keeps that name as long as that message is in it: of several that are one
 * conversation now, the one that was placed first keeps its name. What loses the message that it is called after takes the name of the one that
 * was placed first of those that are left.
 */
function names(
  clusters: Clusters,
  messages: readonly ThreadNeighbour[],
  arrivals: readonly ThreadFacts[],
): (facts: ThreadFacts) => string {
  // A message that is judged again stands where it stood: its facts may be new, its place is not.
  const now = new Map(arrivals.map((facts) => [facts.eventId, facts]));
  const used = new Set(messages.map(({ threadId }) => threadId));
  const found = new Map<ThreadFacts, { name: string; rank: number }>();
  const offer = (facts: ThreadFacts, name: string, rank: number): void => {
    const root = clusters.of(facts);
    const known = found.get(root);
    if (known === undefined || rank < known.rank) found.set(root, { name, rank });
  };
  const earliestFirst = [...messages].sort((one, other) => one.placed - other.placed);
  for (const [rank, neighbour] of earliestFirst.entries()) {
    const facts = now.get(neighbour.eventId) ?? neighbour;
    offer(facts, neighbour.begins, used.has(neighbour.begins) ? rank : rank + messages.length);
  }
  for (const [rank, facts] of arrivals.entries())
    offer(now.get(facts.eventId) ?? facts, facts.begins, rank + 2 * messages.length);
  return (facts) => found.get(clusters.of(facts))?.name ?? facts.begins;
}

/** Not all that is connected was read: what stands is left as it stands, and arrivals go where the oldest of those that they join is. */
function presentNames(
  clusters: Clusters,
  standing: readonly ThreadNeighbour[],
  arrivals: readonly ThreadFacts[],
): (facts: ThreadFacts) => string {
  const own = new Map<ThreadFacts, string>(standing.map((facts) => [facts, facts.threadId]));
  const found = new Map<ThreadFacts, string>();
  for (const facts of [...standing].sort((one, other) => one.placed - other.placed)) {
    const root = clusters.of(facts);
    if (!found.has(root)) found.set(root, facts.threadId);
  }
  for (const facts of arrivals) {
    const root = clusters.of(facts);
    if (!found.has(root)) found.set(root, facts.begins);
  }
  return (facts) => own.get(facts) ?? found.get(clusters.of(facts)) ?? facts.begins;
}

function heldTogether(standing: readonly ThreadNeighbour[]): (readonly [ThreadFacts, ThreadFacts])[] {
  const firsts = new Map<string, ThreadFacts>();
  const pairs: (readonly [ThreadFacts, ThreadFacts])[] = [];
  for (const facts of standing) {
    const first = firsts.get(facts.threadId);
    if (first === undefined) firsts.set(facts.threadId, facts);
    else pairs.push([first, facts]);
  }
  return pairs;
}
