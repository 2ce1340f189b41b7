/** What is remembered of a message to find its conversation by: ids, people and subject as hashes, and what kind of mail it is. */
import { createHash } from "node:crypto";
import type { CanonicalEvent } from "../../model/event.ts";
import type { Hasher } from "../../model/ports.ts";
import type { ThreadFacts, ThreadPerson } from "../../model/threads.ts";
import { vouching } from "../trust/proof.ts";
import { saysNothing, subjectWords } from "./words.ts";

/** The root and the nearest ancestors decide. */
const firstNames = 1;
const lastNames = 39;
const mostPeople = 40;
/** Mail to more people outside than this is sent to many, whoever stands in To. */
const fewPeople = 20;
/** [MS-OXOMSG] 2.2.1.3: the header block is the same for all of a conversation; what follows grows with each answer. */
const threadIndexBytes = 22;

export interface FactContext {
  /** Content digest of the message's identity. */
  readonly digest: string;
  readonly hasher: Hasher;
  /** The thread that a valid token of a recipient address names. */
  readonly token?: string | null;
  /** X-GM-THRID with the account that it was read from. */
  readonly gmailThread?: string | null;
}

type Participant = CanonicalEvent["participants"]["filed_under"][number];

/** Pure: the same event gives the same facts. */
export function threadFacts(event: CanonicalEvent, context: FactContext): ThreadFacts {
  const { hasher } = context;
  const { message, participants, auth } = event;
  const inside = participants.direction !== "inbound" || participants.forwarded_by !== null;
  const suspicious = auth.trust === "suspicious";
  const automated = isAutomated(event.class);
  const broadcast = isBroadcast(event, inside);
  const everybody = [...participants.filed_under, ...participants.others];
  // What somebody else's list says of its author is as good as whoever wrote the header: it is nobody's voice.
  const hearsay = participants.basis === "list_author" && participants.list?.own !== true;
  const voice = hearsay ? undefined : everybody.find(({ part }) => part === "sender");
  const personOf = ({ email, organisation }: Pick<Participant, "email" | "organisation">): ThreadPerson => ({
    address: hasher.hash("address", email.normalize("NFC").toLowerCase()),
    organisation: organisation === null ? null : hasher.hash("organisation", organisation),
  });
  const about = reportedRecipient(event);
  const sender = about !== null ? personOf({ email: about, organisation: null }) : voice && personOf(voice);
  const subject = message.subject_normalised;
  const telling = subject !== null && !automated && !broadcast && !byMachine.has(event.class.kind);
  const id = (text: string): string => hasher.hash("id", text);
  return {
    eventId: event.event_id,
    tenant: event.tenant,
    begins: threadKey(event.tenant, { messageId: message.message_id, digest: context.digest }),
    messageId: message.message_id === null ? null : id(message.message_id),
    names: namesOf(event).map(id),
    threadIndex: threadIndexOf(message.thread_index, hasher),
    gmailThread: context.gmailThread == null ? null : hasher.hash("gmail", context.gmailThread),
    token: context.token ?? null,
    subject: telling ? hasher.hash("subject", folded(subject)) : null,
    words: subject === null ? [] : subjectWords(subject).map((word) => hasher.hash("word", word).slice(0, 8)),
    generic: subject === null || saysNothing(subject),
    reply: isReply(message),
    writtenAt: writtenAt(event),
    sender: sender ?? null,
    inside,
    own: inside && (auth.trust === "verified" || auth.trust === "aligned-weak"),
    suspicious,
    people: distinct([...(voice === undefined ? [] : [voice]), ...everybody].map(personOf)).slice(0, mostPeople),
    // All the world writes to sales@: that somebody does makes him no member, and a header that says so no colleague.
    list:
      message.list?.id == null || broadcast || participants.list?.own === true || !isFromList(message.list.id, auth)
        ? null
        : hasher.hash("list", message.list.id.toLowerCase()),
    automated,
    broadcast,
  };
}

/** The id of the thread that a message begins, if nothing else is known: it can be computed again from the mail alone. */
export function threadKey(
  tenant: string,
  { messageId, digest }: { readonly messageId: string | null; readonly digest: string },
): string {
  const identity = JSON.stringify([tenant, messageId, digest]);
  return createHash("sha256").update(`thread\0${identity}`).digest("hex").slice(0, 32);
}

const folded = (subject: string): string => subject.normalize("NFKC").toLowerCase();

/** Oldest first. What a report or a forward is about is what it answers. */
function namesOf({ message, bounce, mdn, complaint }: CanonicalEvent): string[] {
  const parents = [...message.in_reply_to_all].reverse();
  const about = [
    message.forwarded?.message_id,
    bounce?.original_message_id,
    mdn?.original_message_id,
    complaint?.original_message_id,
  ].filter((id) => id != null);
  // The last mention counts: In-Reply-To is nearer than where References has it.
  const nearestFirst = [...new Set([...message.references, ...parents, ...about].reverse())];
  const names = nearestFirst.filter((id) => id !== message.message_id).reverse();
  if (names.length <= firstNames + lastNames) return names;
  return [...names.slice(0, firstNames), ...names.slice(-lastNames)];
}

function isAutomated({ kind }: CanonicalEvent["class"]): boolean {
  return kind === "bounce" || kind === "dsn_success" || kind === "complaint" || kind === "mdn" || kind === "auto_reply";
}

/** Their subjects are the same for everybody, or new for each of their mails. */
const byMachine: ReadonlySet<CanonicalEvent["class"]["kind"]> = new Set(["notification", "auto_generated", "bulk"]);

function isBroadcast({ class: kinds, message, participants }: CanonicalEvent, inside: boolean): boolean {
  // A discussion list can be posted to (RFC 2369 §3.4); a newsletter cannot.
  if ((kinds.is_bulk || kinds.is_list) && message.list?.post == null) return true;
  const outside = participants.filed_under.length + participants.others.length;
  if (outside > fewPeople) return true;
  // To himself, and in Bcc to nobody knows whom.
  return (
    participants.list === null &&
    inside &&
    outside === 0 &&
    participants.colleagues.length <= 1 &&
    message.bcc.length === 0
  );
}

/**
 * Anybody can write a List-Id, and would be a member of that list. Where this daemon verified the mail, somebody of the list's domain has to
 * vouch for it: lists sign what they send, or it comes from their own servers.
 */
function isFromList(id: string, auth: CanonicalEvent["auth"]): boolean {
  if (auth.dmarc?.by !== "mailwright") return true;
  const host = `.${id.toLowerCase()}`;
  return vouching(auth).some((domain) => host.endsWith(`.${domain.toLowerCase()}`));
}

/** Who a bounce or a read receipt speaks for: its From is a machine that nobody wrote to. */
function reportedRecipient({ bounce, mdn, class: kinds }: CanonicalEvent): string | null {
  const [recipient] = bounce?.recipients ?? [];
  if (recipient !== undefined && (kinds.is_bounce || kinds.kind === "dsn_success"))
    return recipient.original ?? recipient.final;
  return mdn?.final_recipient ?? null;
}

function isReply({ subject, subject_normalised: normalised }: CanonicalEvent["message"]): boolean {
  if (subject === null) return false;
  const whole = folded(subject).replace(/\s+/gu, " ").trim();
  if (normalised === null) return whole !== "";
  // A list's tag in front is no prefix: "[list] Offer" is no answer, "[list] Re: Offer" is.
  const bare = whole.replace(/^(?:\[[^[\]]{0,80}\] ?)+/u, "");
  return whole !== folded(normalised) && bare !== folded(normalised);
}

function threadIndexOf(value: string | null, hasher: Hasher): string | null {
  if (value === null) return null;
  const bytes = Buffer.from(value, "base64");
  if (bytes.length < threadIndexBytes) return null;
  return hasher.hash("thread-index", bytes.subarray(0, threadIndexBytes).toString("hex"));
}

function writtenAt({ message, received_at, anomalies }: CanonicalEvent): number {
  const arrived = Date.parse(received_at);
  if (message.date === null || anomalies.some(({ code }) => code === "implausible_date")) return arrived;
  const written = Date.parse(message.date);
  return Number.isNaN(written) ? arrived : written;
}

function distinct(people: readonly ThreadPerson[]): ThreadPerson[] {
  return [...new Map(people.map((person) => [person.address, person])).values()];
}
