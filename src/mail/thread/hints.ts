/** What a client or provider says of a conversation beside the ids: Outlook's Thread-Index, Gmail's thread, a token in an address. */
import { mostAnswerers, type ThreadFacts } from "../../model/threads.ts";
import { answererOf } from "./field.ts";
import { needed, sameMatter } from "./headers.ts";
import { type Doubt, type Field, grouped, type Tie, type TieKind, type Ties } from "./ties.ts";

const scores = { token: 1, gmail: 0.95, thread_index: 0.85 } as const;
const doubted = 0.6;

export function hintTies(field: Field): Ties {
  const ties: Tie[] = [];
  const doubts: Doubt[] = [];
  for (const group of conversations(field, ({ threadIndex }) => threadIndex))
    together("thread_index", "has_its_thread_index", group, ties, doubts);
  for (const group of conversations(field, ({ gmailThread }) => gmailThread))
    together("gmail", "has_its_gmail_thread", group, ties, doubts);
  const begun = new Map(field.messages.map((facts) => [facts.begins, facts]));
  for (const from of field.messages) {
    const to = from.token === null ? undefined : begun.get(from.token);
    if (to !== undefined && to !== from) link("token", "has_its_token", from, to, ties, doubts);
  }
  return { ties, doubts };
}

/** Without those that are mass mail, or answers to it. */
function conversations(field: Field, of: (facts: ThreadFacts) => string | null): ThreadFacts[][] {
  const willing = field.messages.filter(({ broadcast }) => !broadcast);
  const groups = grouped(willing, (facts) => {
    const key = of(facts);
    return key === null ? [] : [key];
  });
  return [...groups]
    .filter(([key, group]) => !field.fans.has(key) && new Set(group.flatMap(answererOf)).size <= mostAnswerers)
    .map(([, group]) => group);
}

/**
 * Each to those that were written before it. Whoever got one mail of a conversation can copy these, and Gmail itself goes by ids and subjects
 * that anybody can write: the sender has to belong there all the same.
 */
function together(
  kind: "thread_index" | "gmail",
  reason: string,
  group: readonly ThreadFacts[],
  ties: Tie[],
  doubts: Doubt[],
): void {
  for (const [at, from] of group.entries()) {
    for (const to of group.slice(Math.max(0, at - mostBefore), at)) {
      // Outlook keeps the index when it forwards to others, and when somebody writes about something else.
      if (kind === "gmail" || sameMatter(from, to)) link(kind, reason, from, to, ties, doubts);
    }
  }
}

/** The ties to the nearest are enough: those have theirs. */
const mostBefore = 16;

function link(
  kind: keyof typeof scores & TieKind,
  reason: string,
  from: ThreadFacts,
  to: ThreadFacts,
  ties: Tie[],
  doubts: Doubt[],
): void {
  if (from.suspicious) doubts.push({ from, to, score: doubted, reasons: [reason, "suspicious"] });
  else
    ties.push({
      kind,
      from,
      to,
      needs: kind === "token" ? "speaker" : needed(from, to),
      score: scores[kind],
      reasons: [reason],
    });
}
