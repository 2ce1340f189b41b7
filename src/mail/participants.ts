/**
 * Says who takes part in a message and under whom it is filed, seen from the tenant. Pure, and only what the mail claims: whether that is
 * true is for `auth`.
 */
import type { Envelope } from "../model/envelope.ts";
import type { Address, Message, ParsedMessage, Participant, Participants } from "../model/event.ts";
import type { People } from "../model/people.ts";
import { type Author, authorOf } from "./people/author.ts";
import { addressKey } from "./people.ts";

/** More people outside than this on a colleague's mail make a mailing, and not a mail to each of them. */
export const mostFiledUnder = 20;
const mostListed = 200;

type Part = Participant["part"];
type Filing = Pick<Participants, "direction" | "basis" | "filed_under"> & Partial<Participants>;

interface Scene {
  readonly message: Message;
  readonly people: People;
  readonly author: Author;
  /** One of the tenant's own people, or an address that its mail comes in by. */
  isOurs(email: string): boolean;
  /** People outside, each once, in order: no list, nobody of ours, nobody excluded. */
  outside(addresses: readonly Address[], part: Part): Participant[];
  /** The first entry of people.excluded that one of them falls under. */
  excluded(addresses: readonly (Address | null)[]): string | null;
}

export function participants(
  { message }: Pick<ParsedMessage, "message">,
  envelope: Pick<Envelope, "routes" | "smtp"> & Partial<Pick<Envelope, "kind" | "imap">>,
  people: People,
): Participants {
  const scene = sceneOf(message, envelope, people);
  const { author, isOurs, outside } = scene;
  const email = author.address?.email ?? null;
  const filing = email !== null && isOurs(email) && !author.hidden ? byColleague(scene, author) : byStranger(scene);
  const filed = new Set(filing.filed_under.map((one) => addressKey(one.email)));
  const others = [
    ...outside([...message.to, ...message.cc, ...message.bcc], "recipient"),
    ...outside(message.reply_to, "reply_to"),
  ];
  return {
    others: distinct(others.filter((one) => !filed.has(addressKey(one.email)))).slice(0, mostListed),
    colleagues: colleagues(scene),
    forwarded_by: null,
    list: author.list,
    excluded: null,
    ...filing,
  };
}

function sceneOf(
  message: Message,
  { routes, smtp, kind, imap }: Parameters<typeof participants>[1],
  people: People,
): Scene {
  // Whoever owns an account wrote what lies among its sent mail, under whichever of his addresses.
  const sender = imap?.sent === true ? message.from?.email : null;
  // Also those that the configuration has lost since the mail came. A folder may be named after a customer's address.
  const ways = kind === "imap" ? [] : routes;
  const inbound = new Set([...ways, ...(smtp?.rcpt_to ?? []), ...(sender == null ? [] : [sender])].map(addressKey));
  const isOurs = (email: string): boolean =>
    people.isOwn(email) || people.isInbound(email) || inbound.has(addressKey(email));
  const author = authorOf(message, isOurs, people);
  const isPerson = (email: string): boolean => !isOurs(email) && !author.isList(email);
  return {
    message,
    people,
    author,
    isOurs,
    outside: (addresses, part) =>
      distinct(
        addresses.flatMap(({ name, email }) =>
          email !== null && isPerson(email) && people.excludedBy(email) === undefined
            ? [personOf(email, name, part, people)]
            : [],
        ),
      ),
    excluded: (addresses) => {
      for (const address of addresses) {
        const email = address?.email ?? null;
        const entry = email === null || author.isList(email) ? undefined : people.excludedBy(email);
        if (entry !== undefined) return entry;
      }
      return null;
    },
  };
}

/** The mail is filed under who wrote it, whatever Reply-To says, and whoever else it may have been that it hands on. */
function byStranger({ author, people, excluded }: Scene): Filing {
  const { address, rewritten, hidden } = author;
  if (address === null || address.email === null || hidden) {
    return { direction: "inbound", basis: "nobody", filed_under: [] };
  }
  const entry = excluded([address]);
  if (entry !== null) return { direction: "inbound", basis: "nobody", filed_under: [], excluded: entry };
  return {
    direction: "inbound",
    basis: rewritten ? "list_author" : "sender",
    filed_under: [personOf(address.email, address.name, "sender", people)],
  };
}

function byColleague(scene: Scene, { address }: Author): Filing {
  const { message, outside, excluded } = scene;
  const named = [...message.to, ...message.cc, ...message.bcc];
  const own = excluded([address]);
  if (own !== null) return { direction: "internal", basis: "nobody", filed_under: [], excluded: own };
  const recipients = outside(named, "recipient");
  const filed = toPeople("outbound", "recipients", recipients);
  if (filed !== null) return filed;
  if (recipients.length > 0) return { direction: "outbound", basis: "nobody", filed_under: [] };
  const strangers = named.filter(({ email }) => email !== null && !scene.isOurs(email));
  const entry = excluded(strangers);
  if (entry !== null) return { direction: "outbound", basis: "nobody", filed_under: [], excluded: entry };
  return (
    forwarded(scene) ?? byForm(scene) ?? handedOn(scene) ?? { direction: "internal", basis: "nobody", filed_under: [] }
  );
}

/** Null where there is nobody who reads: a no-reply address is no person. */
function toPeople(
  direction: Filing["direction"],
  basis: Filing["basis"],
  recipients: readonly Participant[],
): Filing | null {
  const readers = recipients.filter(({ kinds }) => !kinds.includes("no_reply"));
  if (readers.length === 0) return null;
  if (readers.length > mostFiledUnder) {
    return { direction, basis: "broadcast", filed_under: [] };
  }
  return { direction, basis, filed_under: readers };
}

/** A colleague hands on what a customer wrote, or what a colleague wrote to a customer. */
function forwarded({ message, author, isOurs, outside, excluded }: Scene): Filing | null {
  const { forwarded } = message;
  if (forwarded === null) return null;
  const forwarded_by = mailboxOf(author.address);
  const { from, to } = forwarded;
  if (from === null || from.email === null || author.isList(from.email)) {
    return { direction: "inbound", basis: "nobody", filed_under: [], forwarded_by };
  }
  const own = isOurs(from.email);
  const entry = excluded(own ? to : [from]);
  const found = own
    ? toPeople("outbound", "original", outside(to, "original_recipient"))
    : ({ direction: "inbound", basis: "original", filed_under: outside([from], "original_sender") } as const);
  if (found !== null && (found.filed_under.length > 0 || found.basis === "broadcast"))
    return { ...found, forwarded_by };
  if (entry === null) return null;
  return { direction: own ? "outbound" : "inbound", basis: "nobody", filed_under: [], forwarded_by, excluded: entry };
}

/** To us and no colleague, with somebody's words in it, and no forward that can be read: nobody writes to a CRM to be skipped. */
function handedOn(scene: Scene): Filing | null {
  const { message, author } = scene;
  const others = colleagues(scene).filter((email) => addressKey(email) !== addressKey(author.address?.email ?? ""));
  const holds = message.quoted_text !== null || message.attachments.some(({ nested }) => nested !== null);
  if (message.forwarded !== null || others.length > 0 || !holds) return null;
  return { direction: "inbound", basis: "nobody", filed_under: [], forwarded_by: mailboxOf(author.address) };
}

/** The tenant's own web site writes from website@ or noreply@, and puts the customer into Reply-To. */
function byForm({ message, author, people, outside, excluded }: Scene): Filing | null {
  const email = author.address?.email ?? null;
  if (email === null || !(people.isNoReply(email) || people.isRole(email))) return null;
  const asking = outside(message.reply_to, "reply_to");
  const forwarded_by = mailboxOf(author.address);
  if (asking.length > 0) {
    return { direction: "inbound", basis: "form", filed_under: asking.slice(0, 1), forwarded_by };
  }
  const entry = excluded(message.reply_to);
  return entry === null ? null : { direction: "inbound", basis: "nobody", filed_under: [], excluded: entry };
}

function personOf(email: string, name: string, part: Part, people: People): Participant {
  const domain = email.slice(email.lastIndexOf("@") + 1);
  const disposable = people.isDisposable(domain);
  const freemail = !disposable && people.isFreemail(domain);
  const noReply = people.isNoReply(email);
  return {
    email,
    name: name.trim() === "" ? null : name.trim(),
    part,
    kinds: [
      ...(noReply ? (["no_reply"] as const) : people.isRole(email) ? (["role"] as const) : []),
      ...(disposable ? (["disposable"] as const) : freemail ? (["freemail"] as const) : []),
    ],
    organisation: disposable || freemail ? null : people.registrable(domain),
  };
}

/** The first of each address; a later one may give it the name that it lacks. */
function distinct(people: readonly Participant[]): Participant[] {
  const found = new Map<string, Participant>();
  for (const one of people) {
    const key = addressKey(one.email);
    const known = found.get(key);
    if (known === undefined) found.set(key, one);
    else if (known.name === null && one.name !== null) found.set(key, { ...known, name: one.name });
  }
  return [...found.values()];
}

function mailboxOf(address: Address | null): Participants["forwarded_by"] {
  if (address === null || address.email === null) return null;
  const name = address.name.trim();
  return { email: address.email, name: name === "" ? null : name };
}

function colleagues({ message, author, people }: Scene): string[] {
  const found = new Map<string, string>();
  for (const address of [author.address, ...message.from_all, ...message.to, ...message.cc]) {
    const email = address?.email ?? null;
    if (email === null || !people.isOwn(email) || people.isInbound(email) || author.isList(email)) continue;
    const key = addressKey(email);
    if (!found.has(key)) found.set(key, email);
    if (found.size === mostListed) break;
  }
  return [...found.values()];
}
