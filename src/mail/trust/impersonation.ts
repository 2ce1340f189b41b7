/** Somebody who passes himself off as the tenant, a colleague, or a customer; and answers that go elsewhere. */
import type { People } from "../../model/people.ts";
import { type Case, type Finding, isOurs, type Resemblance, type Sender, sameOrganisation } from "./case.ts";
import { type Likeness, likeness, likenessInWords } from "./lookalike.ts";
import { type Impostors, impostorsOf } from "./names.ts";

const maxReplyTo = 20;

interface Ready {
  /** The registrable domains of our own. */
  readonly ours: readonly string[];
  readonly names: Impostors;
}
/** Compiled once for each tenant's people. */
const ready = new WeakMap<People, Ready>();
function readyFor(people: People): Ready {
  const known = ready.get(people);
  if (known !== undefined) return known;
  const ours = [...new Set(people.ownDomains.map((own) => people.registrable(own) ?? own))];
  const made = { ours, names: impostorsOf(people.colleagueNames, ours) };
  ready.set(people, made);
  return made;
}

/** `proven`: something speaks for the sender of From. `looked`: somebody verified it who knew where the mail came from. */
export function impersonationOf(subject: Case, sender: Sender, proven: boolean, looked: boolean): Finding[] {
  const { people } = subject;
  if (isOurs(sender, people)) {
    if (!proven) return [{ code: looked ? "own_domain_unproven" : "own_domain_unseen", detail: sender.domain }];
    // Forms and shops of our own send answers to the customer who filled them in.
    return [];
  }
  return [...ofName(subject, sender), ...ofDomain(subject, sender), ...ofReplyTo(subject, sender)];
}

function ofName({ people, known }: Case, { name }: Sender): Finding[] {
  if (name === "") return [];
  const found: Finding[] = [];
  const { names } = readyFor(people);
  const colleague = names.colleague(name);
  if (colleague !== undefined) found.push({ code: "colleague_name", detail: colleague });
  const brand = names.brand(name);
  if (brand !== undefined) found.push({ code: "own_brand_name", detail: brand });
  if (known.name !== null) found.push({ code: "known_name_elsewhere", detail: `known from event ${known.name}` });
  return found;
}

function ofDomain({ people, known }: Case, { domain }: Sender): Finding[] {
  const own = resemblesOwn(domain, people);
  if (own !== null)
    return [{ code: "lookalike_of_own", detail: `${domain}, ${own.domain}: ${likenessInWords[own.how]}` }];
  if (known.domain || known.lookalike === null) return [];
  const { how, eventId } = known.lookalike;
  const code = how === "ending" ? "known_domain_elsewhere" : "lookalike_of_known";
  return [{ code, detail: `${domain}, and the domain of event ${eventId}: ${likenessInWords[how]}` }];
}

function resemblesOwn(domain: string, people: People): { domain: string; how: Likeness } | null {
  const organisation = people.registrable(domain);
  const { ours } = readyFor(people);
  if (organisation === null || ours.includes(organisation)) return null;
  for (const own of ours) {
    const how = likeness(domain, organisation, own);
    if (how !== null) return { domain: own, how };
  }
  return null;
}

/** The worst of what Reply-To says. Answers to ourselves are no loss to anybody. */
function ofReplyTo({ message, people, known }: Case, sender: Sender): Finding[] {
  let found: Finding | undefined;
  for (const { email, domain, raw } of message.reply_to.slice(0, maxReplyTo)) {
    if (email === null || domain === null) {
      if (raw.includes("@")) found ??= { code: "reply_to_elsewhere", detail: raw.slice(0, 200) };
      continue;
    }
    if (isOurs({ email }, people) || isSamePlace(email, domain, sender, people)) continue;
    const like = imitation(domain, sender, people, known.replyTo);
    if (like !== null) return [{ code: "reply_to_lookalike", detail: `${domain}: ${likenessInWords[like]}` }];
    const thrown = people.isFreemail(domain) || people.isDisposable(domain);
    if (thrown && !people.isFreemail(sender.domain)) found = { code: "reply_to_freemail", detail: email };
    found ??= { code: "reply_to_elsewhere", detail: email };
  }
  return found === undefined ? [] : [found];
}

/** On freemail every address is somebody else's. */
function isSamePlace(email: string, domain: string, sender: Sender, people: People): boolean {
  if (email.toLowerCase() === sender.email.toLowerCase()) return true;
  return (
    !people.isFreemail(sender.domain) && (domain === sender.domain || sameOrganisation(domain, sender.domain, people))
  );
}

function imitation(domain: string, sender: Sender, people: People, known: Resemblance | null): Likeness | null {
  const organisation = people.registrable(domain);
  if (organisation === null || people.isFreemail(organisation)) return null;
  const own = resemblesOwn(domain, people);
  if (own !== null) return own.how;
  const theirs = people.registrable(sender.domain);
  // A company that answers from its .de for its .com is ordinary.
  const how = theirs === null || people.isFreemail(theirs) ? null : likeness(domain, organisation, theirs);
  if (how !== null && how !== "ending") return how;
  return known === null || known.how === "ending" ? null : known.how;
}
