/** Who takes part in a conversation, and whether somebody may speak in it. */
import type { ThreadFacts, ThreadPerson } from "../../model/threads.ts";

/** Grows only: what somebody may do at one moment of judging, he may do at every later one. */
export class Participants {
  readonly addresses = new Set<string>();
  readonly organisations = new Set<string>();
  readonly lists = new Set<string>();
  /** Addresses and organisations of those who wrote themselves. */
  readonly speakers = new Set<string>();

  add(facts: ThreadFacts): void {
    if (facts.list !== null) this.lists.add(facts.list);
    // A mail server that reports, or a person who is away, has not been brought in by anybody; nor has everybody who gets a newsletter.
    if (facts.automated || facts.broadcast) return;
    if (facts.sender !== null && !facts.suspicious)
      this.speakers.add(facts.sender.organisation ?? facts.sender.address);
    for (const { address, organisation } of facts.people) {
      this.addresses.add(address);
      if (organisation !== null) this.organisations.add(organisation);
    }
  }

  takeOver(other: Participants): void {
    for (const address of other.addresses) this.addresses.add(address);
    for (const organisation of other.organisations) this.organisations.add(organisation);
    for (const list of other.lists) this.lists.add(list);
    for (const speaker of other.speakers) this.speakers.add(speaker);
  }

  get size(): number {
    return this.addresses.size + this.organisations.size + this.lists.size;
  }

  hasSpoken({ sender }: ThreadFacts): boolean {
    return sender !== null && this.speakers.has(sender.organisation ?? sender.address);
  }

  hasPerson({ address, organisation }: ThreadPerson): boolean {
    return this.addresses.has(address) || (organisation !== null && this.organisations.has(organisation));
  }
}

/**
 * Whether the sender of a message that names one of a conversation belongs there: a participant, somebody of a participant's company, a
 * member of the mailing list that it goes over, or an authenticated colleague. That he lets a participant stand in his Cc is no such thing.
 */
export function maySpeak(facts: ThreadFacts, there: Participants): boolean {
  if (facts.suspicious) return false;
  if (facts.own) return true;
  if (facts.sender !== null && there.hasPerson(facts.sender)) return true;
  return facts.list !== null && there.lists.has(facts.list);
}

/** Two that name the same missing message: nobody can say who took part in that one, so that a colleague has to share a person with it. */
export function mayAnswerBeside(facts: ThreadFacts, there: Participants): boolean {
  if (facts.suspicious || !facts.own) return maySpeak(facts, there);
  return facts.people.some(({ address }) => there.addresses.has(address));
}
