/** What rules may ask of a mail, taken out of its event once: pure. */
import type { CanonicalEvent } from "../../model/event.ts";

export interface Facts {
  readonly recipients: readonly string[];
  readonly tags: readonly string[];
  readonly mailboxes: readonly string[];
  readonly accounts: readonly string[];
  readonly senders: readonly string[];
  readonly domains: readonly string[];
  readonly senderKinds: ReadonlySet<string>;
  readonly colleagues: readonly string[];
  readonly subject: string;
  readonly isNewThread: boolean;
  readonly files: readonly { readonly names: readonly string[]; readonly types: readonly string[] }[];
  readonly event: CanonicalEvent;
  /** Of the mapping that decides. */
  readonly version: number | undefined;
}

export function factsOf(event: CanonicalEvent, version?: number): Facts {
  const { message, participants, routes, source, thread } = event;
  // One mail can come by several ways, and `source` is that of the first. A folder may be named after an address, too.
  const addresses = routes.filter(isAddress).map(untagged);
  return {
    recipients: addresses.map(({ address }) => address),
    tags: addresses.flatMap(({ tag }) => (tag === null ? [] : [tag])),
    mailboxes: source.kind === "imap" ? routes : routes.filter((route) => !isAddress(route)),
    accounts: source.imap === undefined ? [] : [source.imap.account],
    senders: participants.filed_under.map(({ email }) => email),
    domains: participants.filed_under.map(({ email }) => email.slice(email.lastIndexOf("@") + 1)),
    senderKinds: new Set(participants.filed_under.flatMap(({ kinds }) => kinds)),
    colleagues: participants.colleagues,
    subject: message.subject ?? "",
    isNewThread: thread.parent_event_id === null && thread.method === "new" && !answers(message),
    files: message.attachments
      // What the text shows is part of the text.
      .filter(({ inline, referenced }) => !(inline && referenced))
      .map(({ filename, content_type, detected_type }) => ({
        names: [filename],
        types: detected_type === null ? [content_type] : [content_type, detected_type],
      })),
    event,
    version,
  };
}

/**
 * By its ids and its subject: an answer to what a colleague wrote without us, or a stranger's who was let into no thread. Under a subject of its
 * own it is about something else, whichever mail its writer took to begin with; and what is handed on begins here.
 */
function answers({
  in_reply_to_all,
  references,
  forwarded,
  subject,
  subject_normalised,
}: CanonicalEvent["message"]): boolean {
  if (forwarded !== null || subject === null || (in_reply_to_all.length === 0 && references.length === 0)) return false;
  return subject_normalised === null || folded(subject) !== folded(subject_normalised);
}

const folded = (subject: string): string => subject.normalize("NFKC").toLowerCase().replace(/\s+/gu, " ").trim();

const isAddress = (route: string): boolean => /^[^\s@/]+@[^\s@/]+$/.test(route);

/** `deals+us-east@in.example` is deals@in.example with the tag us-east. */
function untagged(route: string): { address: string; tag: string | null } {
  const at = route.lastIndexOf("@");
  const plus = route.indexOf("+");
  if (plus <= 0 || plus > at) return { address: route, tag: null };
  return { address: `${route.slice(0, plus)}${route.slice(at)}`, tag: route.slice(plus + 1, at) };
}
