/** Plain ways of sorting mails into conversations, to hold ours against. */
import type { CanonicalEvent } from "../../model/event.ts";
import { Groups } from "./pairs.ts";
import { rfc5256 } from "./rfc5256.ts";

export type Mail = Pick<CanonicalEvent, "message" | "event_id">;

export interface Threader {
  readonly name: string;
  /** In one plain line. */
  readonly how: string;
  /** The group of each mail. */
  groups(mails: readonly Mail[]): readonly string[];
}

export const baselines: readonly Threader[] = [
  {
    name: "root id",
    how: "the first id of References, else that of In-Reply-To, else its own: whoever has the same is one conversation",
    groups: (mails) =>
      mails.map(
        ({ message, event_id }) => message.references[0] ?? message.in_reply_to ?? message.message_id ?? event_id,
      ),
  },
  {
    name: "last known reference",
    how: "goes to the conversation of the last id of In-Reply-To or References that some mail has",
    groups: lastKnown,
  },
  {
    name: "RFC 5256",
    how: "the REFERENCES algorithm of IMAP THREAD (RFC 5256 §3): a tree by ids, then trees with the same base subject together",
    groups: rfc5256,
  },
  {
    name: "subject only",
    how: "the same subject without prefixes and tags, ignoring case",
    groups: (mails) =>
      mails.map(({ message, event_id }) => message.subject_normalised?.toLowerCase() ?? `none ${event_id}`),
  },
];

function lastKnown(mails: readonly Mail[]): string[] {
  const owners = new Map<string, number>();
  for (const [at, { message }] of mails.entries()) {
    if (message.message_id !== null && !owners.has(message.message_id)) owners.set(message.message_id, at);
  }
  const groups = new Groups(mails.length);
  for (const [at, { message }] of mails.entries()) {
    const named = [...message.references, ...(message.in_reply_to === null ? [] : [message.in_reply_to])];
    const known = named.map((id) => owners.get(id)).filter((owner) => owner !== undefined && owner !== at);
    const last = known.at(-1);
    if (last !== undefined) groups.unite(at, last);
  }
  return groups.names();
}
