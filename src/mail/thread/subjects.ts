/** What a subject, the people and the time say where no id does: some clients and ticket systems send none that anybody knows. */
import { subjectPeople, type ThreadFacts, type ThreadPerson } from "../../model/threads.ts";
import { isAddressed } from "./headers.ts";
import { type Doubt, type Field, grouped, type Tie, type Ties } from "./ties.ts";

const day = 86_400_000;

/** The points that the evidence gives; together they stay below what an id gives. Tuned on corpus/threads. */
const points = {
  /** The same person takes part, or somebody of the same company. */
  person: 0.7,
  company: 0.4,
  reply: 0.15,
  /** A subject without a prefix begins something, as a rule. */
  fresh: -0.25,
  /** It names a message that never came: it certainly answers something. */
  answers: 0.05,
  /** Of somebody else than the one before: that is how people answer. */
  turn: 0.05,
  generic: -0.2,
  /** The same sender begins mails under this subject again and again. */
  repeated: -0.15,
  late: -0.1,
} as const;
/** A fresh subject is a candidate at best. */
const mostFresh = 0.45;
const most = 0.92;
const lateAfter = 14 * day;

/** `join`: from this score on a tie holds. */
export function subjectTies(field: Field, join: number): Ties {
  const ties: Tie[] = [];
  const doubts: Doubt[] = [];
  const bySubject = grouped(field.messages, (facts) =>
    facts.subject === null || !isWilling(facts) ? [] : [facts.subject],
  );
  for (const group of bySubject.values()) {
    if (group.length < 2) continue;
    for (const from of group) {
      if (namesKnown(from, field)) continue;
      const found = before(from, group, field.window)
        .map((to) => scored(from, to, group, field.window))
        .filter((found) => found !== undefined)
        .sort((one, other) => other.score - one.score || other.to.writtenAt - one.to.writtenAt);
      const [best, ...others] = found;
      if (best === undefined) continue;
      if (best.score >= join) ties.push({ kind: "subject", from, needs: "none", ...best });
      else doubts.push({ from, ...best });
      doubts.push(...others.slice(0, mostDoubts).map((other) => ({ from, ...other })));
    }
  }
  return { ties, doubts };
}

const mostDoubts = 10;

/** Machines and mass mail have no subject here. */
const isWilling = ({ suspicious, automated, broadcast }: ThreadFacts): boolean =>
  !suspicious && !automated && !broadcast;

/**
 * Mass mail does not count: it may arrive after its answers, which are not looked up then, since there can be thousands. They would stand where
 * their subjects put them in one order of arrival, and alone in another.
 */
const namesKnown = ({ names }: ThreadFacts, { owners, fans }: Field): boolean =>
  names.some((id) => owners.has(id) && !fans.has(id));

function before(from: ThreadFacts, group: readonly ThreadFacts[], window: number): ThreadFacts[] {
  const at = group.indexOf(from);
  return group.slice(0, at).filter(({ writtenAt }) => from.writtenAt - writtenAt <= window);
}

interface Scored {
  readonly to: ThreadFacts;
  readonly score: number;
  readonly reasons: readonly string[];
}

function scored(from: ThreadFacts, to: ThreadFacts, group: readonly ThreadFacts[], window: number): Scored | undefined {
  const relation = relationOf(from, to);
  if (relation === undefined) return undefined;
  const reasons = ["same_subject", relation === "person" ? "same_person" : "same_company"];
  let score: number = points[relation];
  const count = (holds: boolean, name: Exclude<keyof typeof points, "person" | "company">) => {
    if (!holds) return;
    score += points[name];
    reasons.push(named[name]);
  };
  count(from.reply, "reply");
  count(!from.reply, "fresh");
  count(from.names.length > 0, "answers");
  count(speaks(from) !== speaks(to), "turn");
  count(from.generic, "generic");
  count(isRepeated(to, from, group, window), "repeated");
  count(from.writtenAt - to.writtenAt > lateAfter, "late");
  const rounded = Math.round(Math.min(score, from.reply ? most : mostFresh) * 100) / 100;
  return { to, score: Math.max(0, rounded), reasons };
}

const named = {
  reply: "reply_prefix",
  fresh: "no_reply_prefix",
  answers: "answers_something",
  turn: "answers_in_turn",
  generic: "generic_subject",
  repeated: "repeated_subject",
  late: "long_ago",
} as const;

const speaks = ({ inside, sender }: ThreadFacts): string => (inside ? "inside" : (sender?.address ?? "nobody"));

/** By the people that the ledger looks a subject up by. */
function relationOf(from: ThreadFacts, to: ThreadFacts): "person" | "company" | undefined {
  // A colleague whom nobody vouches for speaks for nobody.
  if (from.inside && !from.own) return undefined;
  // Somebody else's mail is not answered by whom he has put into Cc, but by one that goes to him.
  if (to.sender !== null && !to.inside && !isAddressed(from, to)) return undefined;
  const speakers: readonly ThreadPerson[] = from.inside ? from.people.slice(0, subjectPeople) : from.people.slice(0, 1);
  const there = to.people.slice(0, subjectPeople);
  if (speakers.some(({ address }) => there.some((person) => person.address === address))) return "person";
  const organisations = new Set(there.flatMap(({ organisation }) => organisation ?? []));
  return speakers.some(({ organisation }) => organisation !== null && organisations.has(organisation))
    ? "company"
    : undefined;
}

/** Another one than the two in hand began under this subject too: which of them it answers is a guess. */
function isRepeated(to: ThreadFacts, from: ThreadFacts, group: readonly ThreadFacts[], window: number): boolean {
  return group.some(
    (other) =>
      other !== to &&
      other !== from &&
      !other.reply &&
      !to.reply &&
      speaks(other) === speaks(to) &&
      relationOf(other, to) !== undefined &&
      Math.abs(other.writtenAt - to.writtenAt) <= window,
  );
}
