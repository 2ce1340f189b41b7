/** What people decided about threads: it is honoured over everything that headers and subjects say. */
import type { ThreadDecision, ThreadFacts } from "../../model/threads.ts";
import type { Doubt, Field, Tie, Ties } from "./ties.ts";

export function decided({ ties, doubts }: Ties, decisions: readonly ThreadDecision[], field: Field): Ties {
  if (decisions.length === 0) return { ties, doubts };
  const joined = new Set<ThreadFacts>();
  const apart: ThreadFacts[] = [];
  const wanted: Tie[] = [];
  for (const { eventId, kind, withEventId } of decisions) {
    const from = field.byEvent.get(eventId);
    if (from === undefined) continue;
    if (kind === "new") apart.push(from);
    else {
      const to = withEventId === null ? undefined : field.byEvent.get(withEventId);
      if (to === undefined || to === from) continue;
      joined.add(from);
      wanted.push({ kind: "decision", from, to, needs: "none", score: 1, reasons: ["decided_by_a_person"] });
    }
  }
  const section = sectionsOf(apart, ties, field);
  // What it answers was settled by the decision: nothing else takes it anywhere.
  const open = (from: ThreadFacts): boolean => !joined.has(from);
  const allowed = ({ from, to }: Tie | Doubt): boolean => open(from) && section(from) === section(to);
  return { ties: [...wanted, ...ties.filter(allowed)], doubts: doubts.filter(allowed) };
}

/** Which of the messages that were set apart a message is, or follows. Only what follows the same ones is tied together by evidence. */
function sectionsOf(apart: readonly ThreadFacts[], ties: readonly Tie[], field: Field): (facts: ThreadFacts) => string {
  const sections = new Map<ThreadFacts, string>();
  const bySubject = new Map<ThreadFacts, ThreadFacts[]>();
  for (const { kind, from, to } of ties) {
    if (kind === "subject") bySubject.set(to, [...(bySubject.get(to) ?? []), from]);
  }
  for (const first of [...apart].sort((one, other) => (one.begins < other.begins ? -1 : 1))) {
    const reached = new Set([first]);
    for (const facts of reached) {
      const { messageId } = facts;
      // Answers to mass mail are tied to nothing by it, and are not looked up where it stands: there can be thousands.
      const answers = messageId === null || field.fans.has(messageId) ? [] : (field.namers.get(messageId) ?? []);
      for (const answer of [...answers, ...(bySubject.get(facts) ?? [])]) reached.add(answer);
    }
    for (const facts of reached) sections.set(facts, `${sections.get(facts) ?? ""} ${first.begins}`);
  }
  return (facts) => sections.get(facts) ?? "";
}
