/** Judges a set of messages: which are one conversation, and for each what joined it and what else was considered. */
import type { ThreadMethod } from "../../model/event.ts";
import type { Neighbourhood, ThreadFacts, ThreadMarks } from "../../model/threads.ts";
import { type Clusters, clustersOf } from "./clusters.ts";
import { decided } from "./decisions.ts";
import { fieldOf } from "./field.ts";
import { headerTies } from "./headers.ts";
import { hintTies } from "./hints.ts";
import { inOrder } from "./order.ts";
import { subjectTies } from "./subjects.ts";
import type { Doubt, Field, Tie, TieKind, Ties } from "./ties.ts";

export interface Candidate {
  /** The nearest message of the conversation that was considered. */
  readonly with: ThreadFacts;
  readonly score: number;
  readonly reasons: readonly string[];
}

export interface Standing {
  readonly facts: ThreadFacts;
  readonly method: ThreadMethod;
  readonly confidence: number;
  readonly parent: ThreadFacts | null;
  /** Joined, and not surely. */
  readonly review: boolean;
  /** Conversations that it was not joined to, the best first. */
  readonly candidates: readonly Candidate[];
}

export interface Judgement {
  readonly clusters: Clusters;
  standing(facts: ThreadFacts): Standing;
}

export interface Bench {
  readonly messages: readonly ThreadFacts[];
  readonly decisions: Neighbourhood["decisions"];
  readonly fans?: readonly string[];
  /** Messages that stand together whatever is said. */
  readonly already?: readonly (readonly [ThreadFacts, ThreadFacts])[];
}

/** A function of the set: the order of the messages makes no difference. */
export function judge({ messages, decisions, fans = [], already = [] }: Bench, marks: ThreadMarks): Judgement {
  const field = fieldOf(messages, fans, marks.window);
  const found = [headerTies(field), hintTies(field), subjectTies(field, marks.review)];
  const all: Ties = { ties: found.flatMap(({ ties }) => ties), doubts: found.flatMap(({ doubts }) => doubts) };
  const { ties, doubts } = decided(all, decisions, field);
  const clusters = clustersOf(field.messages, ties, already);
  const tiesOf = listed(ties);
  const doubtsOf = listed(doubts);
  return {
    clusters,
    standing: (facts) =>
      standingOf(facts, tiesOf.get(facts) ?? [], doubtsOf.get(facts) ?? [], { clusters, field, marks }),
  };
}

function listed<T extends { readonly from: ThreadFacts }>(items: readonly T[]): Map<ThreadFacts, T[]> {
  const lists = new Map<ThreadFacts, T[]>();
  for (const item of items) {
    const list = lists.get(item.from);
    if (list === undefined) lists.set(item.from, [item]);
    else list.push(item);
  }
  return lists;
}

interface Judged {
  readonly clusters: Clusters;
  readonly field: Field;
  readonly marks: ThreadMarks;
}

const methods: Readonly<Record<TieKind, ThreadMethod>> = {
  decision: "decision",
  token: "token",
  gmail: "gmail",
  header: "header",
  beside: "header",
  thread_index: "thread_index",
  subject: "subject",
};
const byStrength: readonly TieKind[] = ["decision", "token", "header", "gmail", "beside", "thread_index", "subject"];

function standingOf(facts: ThreadFacts, ties: readonly Tie[], doubts: readonly Doubt[], judged: Judged): Standing {
  const { clusters, marks } = judged;
  const holding = ties
    .filter((tie) => clusters.together(tie.from, tie.to) && clusters.holds(tie))
    .sort(
      (one, other) =>
        byStrength.indexOf(one.kind) - byStrength.indexOf(other.kind) ||
        other.score - one.score ||
        inOrder(other.to, one.to),
    );
  const [best] = holding;
  const confidence = Math.max(0, ...holding.map(({ score }) => score));
  return {
    facts,
    method: best === undefined ? "new" : methods[best.kind],
    confidence: best === undefined ? 1 : confidence,
    parent: best === undefined ? null : (parentOf(facts, judged) ?? best.to),
    review: best !== undefined && confidence < marks.join,
    candidates: candidatesOf(facts, ties, doubts, clusters),
  };
}

/** The nearest that it names, where that is in its conversation. */
function parentOf(facts: ThreadFacts, { clusters, field }: Judged): ThreadFacts | undefined {
  for (const id of [...facts.names].reverse()) {
    const known = field.owners.get(id)?.find((owner) => owner !== facts && clusters.together(owner, facts));
    if (known !== undefined) return known;
  }
  return undefined;
}

const mostCandidates = 10;
const noParticipant = 0.6;

function candidatesOf(
  facts: ThreadFacts,
  ties: readonly Tie[],
  doubts: readonly Doubt[],
  clusters: Clusters,
): Candidate[] {
  const refused = ties
    .filter(({ kind }) => kind !== "beside")
    .map(({ to, reasons }) => ({ to, score: noParticipant, reasons: [...reasons, "sender_takes_no_part"] }));
  const best = new Map<ThreadFacts, Candidate>();
  for (const { to, score, reasons } of [...refused, ...doubts]) {
    if (clusters.together(facts, to)) continue;
    const root = clusters.of(to);
    const known = best.get(root);
    if (known === undefined || score > known.score || (score === known.score && inOrder(known.with, to) < 0))
      best.set(root, { with: to, score, reasons });
  }
  return [...best.values()]
    .sort((one, other) => other.score - one.score || inOrder(other.with, one.with))
    .slice(0, mostCandidates);
}
