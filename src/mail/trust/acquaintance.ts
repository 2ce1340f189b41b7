/** What is asked of the ledger about a sender before judging him, how its answer is read, and what his mail teaches once it is judged. */
import type {
  Acquaintance,
  AcquaintanceKind,
  AcquaintanceQuestion,
  Acquainted,
  Feature,
  Keyed,
  Lesson,
  SenderDecision,
} from "../../model/acquaintance.ts";
import type { Auth, Evidence, Message } from "../../model/event.ts";
import type { People } from "../../model/people.ts";
import { isOurs, type Known, type Resemblance, type Sender, senderOf } from "./case.ts";
import { canBeShuffled, insideOf, looks, nameOf, underNearEndings } from "./lookalike.ts";
import { nameKey } from "./names.ts";
import { vouchersFor } from "./vouchers.ts";

export interface Inquiry {
  readonly question: AcquaintanceQuestion;
  known(answer: Acquainted): Known;
  /** Undefined for what teaches nothing: mail that is not at least weakly proven, and our own. */
  lesson(trust: Auth["trust"], at: number): Lesson | undefined;
}

interface Asking {
  readonly tenant: string;
  readonly eventId: string;
  readonly message: Message;
  readonly evidence: Evidence;
  readonly people: People;
  readonly keyed: Keyed;
}

/** Answers that go to more domains than these are elsewhere already. */
const maxReplyDomains = 3;
const maxVouching = 12;

/** Pure. Undefined where there is no sender to ask about. */
export function inquire(asking: Asking): Inquiry | undefined {
  const { tenant, eventId, message, people } = asking;
  const sender = senderOf(message);
  if (sender === null) return undefined;
  const hash = hasherOf(asking);
  const own = isOurs(sender, people);
  const address = hash("address", addressKey(sender));
  const organisation = organisationOf(sender.domain, people);
  const of = placeOf(sender, organisation, hash);
  // What is known of somebody's other addresses is known of him.
  const places = new Set([
    of,
    ...(own ? [] : people.alsoAt(sender.email)).map((email) => placeAt(email, people, hash)),
  ]);
  const features = own ? [] : featuresOf(sender, organisation, of, hash);
  const suspects = own ? [] : suspectsOf(sender.domain, organisation, hash);
  const replies = own ? [] : repliesOf(asking, organisation).map((domain) => repliesAsk(domain, people, hash));
  const vouchers = own ? [] : vouchersOf(asking, sender, hash);
  const asked = [...features, ...suspects, ...replies.flat()].map((each) => each.hash);
  return {
    question: { tenant, eventId, hashes: [...new Set(asked)], address: own ? null : address },
    known: ({ features: found, trusted }) => ({
      domain: organisation !== null && found.some(({ kind, hash: it }) => kind === "domain" && it === of),
      lookalike: resemblance(suspects, of, found),
      replyTo: replies.map((each) => resemblance(each, undefined, found)).find((each) => each !== null) ?? null,
      name: elsewhere(features, { address, places }, found),
      trustedWith: vouchers.find((each) => trusted.includes(each.hash))?.domain ?? null,
    }),
    lesson: (trust, at) =>
      features.length > 0 && (trust === "verified" || trust === "aligned-weak") ? { trust, at, features } : undefined,
  };
}

/** Local parts are compared as people compare them: case says nothing (RFC 5321 §2.4 lets it, and nobody does). */
const addressKey = ({ email }: Pick<Sender, "email">): string => email.toLowerCase();

const hasherOf =
  ({ keyed, tenant }: Asking) =>
  (kind: AcquaintanceKind, value: string): string =>
    keyed(`acquaintance ${tenant} ${kind}`, value);
type Hash = ReturnType<typeof hasherOf>;

/** A company; null for freemail and throw-away domains, which are nobody's and never a customer. */
function organisationOf(domain: string, people: People): string | null {
  const registrable = people.registrable(domain);
  if (registrable === null || people.isFreemail(registrable) || people.isDisposable(registrable)) return null;
  return people.isFreemail(domain) || people.isDisposable(domain) ? null : registrable;
}

/** What stands for a sender: the company, or the address where it is nobody's. */
const placeOf = (sender: Pick<Sender, "email">, organisation: string | null, hash: Hash): string =>
  organisation === null ? hash("address", addressKey(sender)) : hash("domain", organisation);

function placeAt(email: string, people: People, hash: Hash): string {
  return placeOf({ email }, organisationOf(email.slice(email.lastIndexOf("@") + 1), people), hash);
}

function featuresOf(sender: Sender, organisation: string | null, of: string, hash: Hash): Feature[] {
  const features: Feature[] = [{ kind: "address", hash: hash("address", addressKey(sender)), of }];
  const name = nameKey(sender.name);
  if (name !== null) features.push({ kind: "name", hash: hash("name", name), of });
  if (organisation === null) return features;
  const { label } = nameOf(organisation);
  const look = looks(label);
  features.push({ kind: "domain", hash: of, of }, { kind: "label", hash: hash("label", label), of });
  if (look === null) return features;
  features.push({ kind: "skeleton", hash: hash("skeleton", look.skeleton), of });
  if (canBeShuffled(label)) features.push({ kind: "shuffled", hash: hash("shuffled", look.shuffled), of });
  return features;
}

/** Something that another company may be known by. */
interface Suspect {
  readonly kind: AcquaintanceKind;
  readonly hash: string;
  readonly how: Resemblance["how"];
}

/** The first that is known by one of these says how; the plain other ending comes last, since that is often the same company. */
function suspectsOf(host: string, organisation: string | null, hash: Hash): Suspect[] {
  if (organisation === null) return [];
  const name = nameOf(organisation);
  const look = looks(name.label);
  const domains = (of: readonly string[], how: Resemblance["how"]): Suspect[] =>
    of.map((domain) => ({ kind: "domain", hash: hash("domain", domain), how }));
  const drawn: Suspect[] =
    look === null
      ? []
      : [
          { kind: "skeleton", hash: hash("skeleton", look.skeleton), how: "letters" },
          { kind: "shuffled", hash: hash("shuffled", look.shuffled), how: "swapped" },
        ];
  return [
    ...domains(insideOf(host, organisation), "inside"),
    ...domains(underNearEndings(name), "slip"),
    { kind: "label", hash: hash("label", name.label), how: "ending" },
    ...drawn,
  ];
}

/** The domains that answers go to, where they are companies' and not the sender's. */
function repliesOf({ message, people }: Asking, sender: string | null): string[] {
  const found = new Set<string>();
  for (const { email, domain } of message.reply_to) {
    if (email === null || domain === null || isOurs({ email }, people)) continue;
    const organisation = organisationOf(domain, people);
    if (organisation !== null && organisation !== sender) found.add(domain);
    if (found.size === maxReplyDomains) break;
  }
  return [...found];
}

/** With itself in front: a domain that is known looks like nothing but itself. */
function repliesAsk(host: string, people: People, hash: Hash): Suspect[] {
  const organisation = organisationOf(host, people);
  if (organisation === null) return [];
  return [
    { kind: "domain", hash: hash("domain", organisation), how: "ending" },
    ...suspectsOf(host, organisation, hash),
  ];
}

/** The exact name under another ending has the same skeleton too: the weaker word comes first then, and counts. */
function resemblance(
  suspects: readonly Suspect[],
  of: string | undefined,
  found: readonly Acquaintance[],
): Resemblance | null {
  for (const { kind, hash, how } of suspects) {
    const other = found.find((each) => each.kind === kind && each.hash === hash && each.of !== of);
    if (other !== undefined) return { how, eventId: other.eventId };
  }
  return null;
}

/** Somebody else is known by this name, and nobody at this address or company is, nor at another one of this person. */
function elsewhere(
  features: readonly Feature[],
  { address, places }: { readonly address: string; readonly places: ReadonlySet<string> },
  found: readonly Acquaintance[],
): string | null {
  const name = features.find(({ kind }) => kind === "name");
  if (name === undefined) return null;
  const bearers = found.filter(({ kind, hash }) => kind === "name" && hash === name.hash);
  if (bearers.length === 0 || bearers.some(({ of }) => places.has(of))) return null;
  if (found.some(({ kind, hash }) => kind === "address" && hash === address)) return null;
  return bearers[0]?.eventId ?? null;
}

const vouchersOf = (asking: Asking, sender: Sender, hash: Hash): { readonly domain: string; readonly hash: string }[] =>
  vouchersFor(sender, asking)
    .slice(0, maxVouching)
    .map((domain) => ({ domain, hash: hash("domain", domain) }));

/**
 * What a person can trust about the sender of a mail: the address, with each domain that vouched for it by DKIM or SPF, and for no stranger. Empty
 * where none did, or where the address is our own: such a mail can be let through itself, and its address stays as it is.
 */
export function trustable(asking: Asking, by: string, at: number): SenderDecision[] {
  const sender = senderOf(asking.message);
  if (sender === null || isOurs(sender, asking.people)) return [];
  const { tenant, eventId } = asking;
  const hash = hasherOf(asking);
  const address = hash("address", addressKey(sender));
  return vouchersOf(asking, sender, hash).map(({ hash: domain }) => ({
    kind: "trust",
    tenant,
    address,
    domain,
    eventId,
    by,
    at,
  }));
}
