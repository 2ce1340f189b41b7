/** What the ids in Message-ID, In-Reply-To and References tie together (RFC 5322 §3.6.4), and what they only claim. */
import { isBetween, subjectPeople, type ThreadFacts } from "../../model/threads.ts";
import { type Condition, type Doubt, type Field, grouped, type Tie, type Ties } from "./ties.ts";
import { overlap } from "./words.ts";

const sure = 0.98;
/** The message that both answer has never been seen. */
const besides = 0.9;
/** The subject is another one, and a reply prefix or the nearest id says that it answers all the same. */
const unsure = 0.7;
const doubted = 0.6;
/** Subjects that share less are about different things. */
const leastOverlap = 0.3;

export function headerTies(field: Field): Ties {
  const ties: Tie[] = [];
  const doubts: Doubt[] = [];
  const sharers = new Map<string, ThreadFacts[]>();
  for (const from of field.messages) {
    for (const { id, near } of claims(from, field)) {
      const known = ownersFor(from, id, field);
      const meant = field.fans.has(id) ? known.filter((to) => isBetween(from, to)) : known;
      if (meant.length === 0) push(sharers, id, from);
      else for (const to of meant) tie(from, to, near, ties, doubts);
    }
  }
  const pairs = openPairs(field);
  const add = (found: Iterable<Tie>): void => {
    for (const one of found) ties.push(one);
  };
  for (const [id, those] of sharers)
    add(field.fans.has(id) ? answersToMany(those, field.window) : beside(those, pairs));
  for (const those of field.owners.values()) if (those.length > 1) add(beside(those, pairs));
  return { ties, doubts };
}

/** True for two messages that were not paired before. */
type Pairs = (one: ThreadFacts, other: ThreadFacts) => boolean;

/**
 * Whoever answers repeats the ids that the one before him named, so that two messages of a conversation whose beginning never came share dozens of
 * missing ids. One tie says it all; of 400 such mails there would be three million.
 */
function openPairs({ messages }: Field): Pairs {
  const numbers = new Map(messages.map((facts, at) => [facts, at]));
  const paired = new Set<number>();
  return (one, other) => {
    const [at, next] = [numbers.get(one) ?? 0, numbers.get(other) ?? 0];
    return paired.size !== paired.add(Math.min(at, next) * messages.length + Math.max(at, next)).size;
  };
}

/**
 * The ids that a message ties itself to. What a nearer one of its ancestors names is that one's affair: whoever answers a mail repeats its
 * References, and must not carry into a conversation what has no right to be there. A colleague's mail that nobody signed is looked past:
 * otherwise the answer to it would be all that is left of a conversation.
 */
function* claims(from: ThreadFacts, field: Field): Generator<{ id: string; near: boolean }> {
  const inherited = new Set<string>();
  const { names } = from;
  for (let at = names.length - 1; at >= 0; at--) {
    const id = names[at];
    if (id === undefined || inherited.has(id)) continue;
    yield { id, near: at === names.length - 1 };
    for (const known of ownersFor(from, id, field)) {
      if (known.inside && !known.own && !known.suspicious) continue;
      for (const name of known.names) inherited.add(name);
    }
  }
}

/** Where several messages have one id, somebody took it who knew it. The answer says whom it is for. */
function ownersFor(from: ThreadFacts, id: string, field: Field): readonly ThreadFacts[] {
  const known = (field.owners.get(id) ?? []).filter((owner) => owner !== from);
  if (known.length < 2) return known;
  return known.filter((owner) => owner.own || isAddressed(from, owner));
}

/** Whether a message goes to whoever wrote the other, as an answer does; or it goes on with what he himself or his company wrote. */
export function isAddressed(from: ThreadFacts, { sender, list }: ThreadFacts): boolean {
  if (list !== null && list === from.list) return true;
  if (sender === null) return false;
  return from.people.some(
    ({ address, organisation }) =>
      address === sender.address || (organisation !== null && organisation === sender.organisation),
  );
}

function tie(from: ThreadFacts, to: ThreadFacts, near: boolean, ties: Tie[], doubts: Doubt[]): void {
  if (from.suspicious) {
    doubts.push({ from, to, score: doubted, reasons: ["names_a_message", "suspicious"] });
  } else if (sameMatter(from, to)) {
    ties.push({ kind: "header", from, to, needs: needed(from, to), score: sure, reasons: ["names_a_message"] });
  } else if (from.reply && near) {
    const reasons = ["names_a_message", "other_subject"];
    ties.push({ kind: "header", from, to, needs: needed(from, to), score: unsure, reasons });
  } else doubts.push({ from, to, score: doubted, reasons: ["names_a_message", "new_subject"] });
}

/**
 * Who knows the id of a mail that never came to us can send one under it, with its real sender in Cc, and be what is answered. The answer
 * shows who was meant: where it does not go to him, he has to belong to its conversation by something else.
 */
export const needed = (from: ThreadFacts, to: ThreadFacts): Condition =>
  to.sender === null || to.inside || isAddressed(from, to) ? "speaker" : "answer";

/** Reports and absences have subjects of their own. */
export function sameMatter(one: ThreadFacts, other: ThreadFacts): boolean {
  if (one.automated || other.automated) return true;
  if (one.subject !== null && one.subject === other.subject) return true;
  return overlap(one.words, other.words) >= leastOverlap;
}

/** Those that name the same message, which was never seen, or have one id. */
function* beside(those: readonly ThreadFacts[], isNew: Pairs): Generator<Tie> {
  const { alike, others } = voices(those);
  for (const tie of alike) if (isNew(tie.from, tie.to)) yield tie;
  for (const [at, from] of others.entries()) {
    for (const to of others.slice(0, at)) {
      if (from.suspicious || to.suspicious || !isNew(from, to) || !sameMatter(from, to)) continue;
      yield { kind: "beside", from, to, needs: "both", score: besides, reasons: ["names_the_same_missing_message"] };
    }
  }
}

/** One of each sender's mails stands for all, so that a thousand notices of one machine are no million pairs. */
function voices(those: readonly ThreadFacts[]): { alike: Tie[]; others: ThreadFacts[] } {
  const alike: Tie[] = [];
  const others: ThreadFacts[] = [];
  const bySender = grouped(those, (facts) => [
    facts.sender === null || facts.inside || facts.suspicious || facts.automated
      ? `alone ${facts.eventId}`
      : `${facts.sender.address} ${facts.subject ?? facts.eventId}`,
  ]);
  for (const [first, ...rest] of bySender.values()) {
    if (first === undefined) continue;
    others.push(first);
    for (const from of rest) {
      alike.push({
        kind: "beside",
        from,
        to: first,
        needs: "both",
        score: besides,
        reasons: ["names_the_same_missing_message"],
      });
    }
  }
  return { alike, others };
}

/** Of those that answer mass mail, what one person wrote and got under one subject belongs together, as long as he goes on with it. */
function* answersToMany(those: readonly ThreadFacts[], window: number): Generator<Tie> {
  const willing = those.filter(({ suspicious, subject }) => !suspicious && subject !== null);
  const byPerson = grouped(willing, ({ sender, inside, people, subject }) =>
    (sender !== null && !inside ? [sender] : people.slice(0, subjectPeople)).map(
      ({ address }) => `${address} ${subject}`,
    ),
  );
  for (const group of byPerson.values()) {
    for (const [at, from] of group.entries()) {
      const to = group[at - 1];
      if (to === undefined || from.writtenAt - to.writtenAt > window) continue;
      yield { kind: "beside", from, to, needs: "both", score: besides, reasons: ["answers_the_same_mass_mail"] };
    }
  }
}

function push(map: Map<string, ThreadFacts[]>, key: string, facts: ThreadFacts): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [facts]);
  else known.push(facts);
}
