/** Facts of messages as tests write them: ids, addresses and subjects in the clear, where the real ones are hashes. */

import { normalisedSubject } from "../../../src/mail/subject.ts";
import { judge } from "../../../src/mail/thread/judge.ts";
import { saysNothing, subjectWords } from "../../../src/mail/thread/words.ts";
import { placeThreads } from "../../../src/mail/thread.ts";
import {
  defaultMarks,
  type Neighbourhood,
  type Placed,
  type ThreadDecision,
  type ThreadFacts,
  type ThreadNeighbour,
  type ThreadPerson,
} from "../../../src/model/threads.ts";

const minute = 60_000;
const start = Date.UTC(2026, 5, 1, 8);
const freemail = new Set(["gmail.example"]);

export const person = (email: string): ThreadPerson => {
  const domain = email.slice(email.indexOf("@") + 1);
  return { address: email, organisation: freemail.has(domain) ? null : domain };
};

export interface Written {
  readonly id: string;
  /** `acme.example` is the tenant's own. */
  readonly from: string;
  readonly to?: readonly string[];
  readonly names?: readonly string[];
  readonly subject?: string;
  /** Minutes after the beginning of the test's time. */
  readonly at?: number;
  readonly unproven?: boolean;
  readonly changes?: Partial<ThreadFacts>;
}

let clock = 0;

export function mail({
  id,
  from,
  to = [],
  names = [],
  subject = "Re: Cooling unit 4711",
  at,
  unproven,
  changes,
}: Written): ThreadFacts {
  const inside = from.endsWith("@acme.example");
  const people = [from, ...to].filter((email) => !email.endsWith("@acme.example"));
  const normalised = normalisedSubject(subject);
  return {
    eventId: id,
    tenant: "acme",
    begins: `thread-${id}`,
    messageId: id,
    names,
    threadIndex: null,
    gmailThread: null,
    token: null,
    subject: normalised === null ? null : normalised.toLowerCase(),
    words: normalised === null ? [] : subjectWords(normalised),
    generic: normalised === null || saysNothing(normalised),
    reply: normalised !== subject,
    writtenAt: start + (at ?? clock++) * minute,
    sender: inside ? null : person(from),
    inside,
    own: inside && unproven !== true,
    suspicious: false,
    people: people.map(person),
    list: null,
    automated: false,
    broadcast: false,
    ...changes,
  };
}

/** The conversations of a set, by event id, sorted. */
export function clustersIn(messages: readonly ThreadFacts[], decisions: readonly ThreadDecision[] = []): string[][] {
  const { clusters } = judge({ messages, decisions }, defaultMarks);
  return byCluster(messages.map((facts) => [facts.eventId, clusters.of(facts).eventId]));
}

export function byCluster(placed: Iterable<readonly [event: string, thread: string]>): string[][] {
  const groups = new Map<string, string[]>();
  for (const [event, thread] of placed) groups.set(thread, [...(groups.get(thread) ?? []), event].sort());
  return [...groups.values()].sort(([one = ""], [other = ""]) => (one < other ? -1 : 1));
}

export const standing = (messages: readonly ThreadFacts[], id: string, decisions: readonly ThreadDecision[] = []) => {
  const facts = messages.find(({ eventId }) => eventId === id);
  if (facts === undefined) throw new Error(`there is no ${id}`);
  return judge({ messages, decisions }, defaultMarks).standing(facts);
};

/** A ledger's memory of threads, as simple as can be: everything is the neighbourhood of everything. */
export class Memory {
  readonly placed = new Map<string, ThreadNeighbour>();
  decisions: ThreadDecision[] = [];

  around(): Neighbourhood {
    return { messages: [...this.placed.values()], decisions: this.decisions, fans: [], cut: false };
  }

  place(arrivals: readonly ThreadFacts[]): Placed[] {
    const all = placeThreads(arrivals, this.around(), defaultMarks);
    for (const { facts, thread, moved } of all) {
      const placed = this.placed.get(facts.eventId)?.placed ?? this.placed.size;
      this.placed.set(facts.eventId, { ...facts, threadId: thread.thread_id, placed });
      for (const { eventId, threadId } of moved) {
        const known = this.placed.get(eventId);
        if (known === undefined) throw new Error(`${eventId} was moved and is not there`);
        this.placed.set(eventId, { ...known, threadId });
      }
    }
    return all;
  }

  clusters(): string[][] {
    return byCluster([...this.placed.values()].map(({ eventId, threadId }) => [eventId, threadId]));
  }
}
