/** The activity that a message becomes: when, which way, between whom, and with what text. Pure. */
import type { Address, CanonicalEvent, Participant } from "../model/event.ts";
import type { LinkOf } from "../model/links.ts";
import type { ActivityStep, Filed } from "../model/step.ts";
import { activityKey } from "./keys.ts";
import { hearsayFlag } from "./people.ts";
import type { Ruled } from "./rules/decide.ts";
import type { Facts } from "./rules/facts.ts";
import { wantedOf } from "./rules/wanted.ts";

/** A dated mail more than this ahead of its arrival, or from before mail as we know it, is filed under its arrival. */
const maxClockSkewMs = 48 * 3600_000;
const earliestPlausible = Date.UTC(1990, 0, 1);

/** Headers kept with the activity for audit, in wire order. */
const auditHeaders = new Set([
  "message-id",
  "in-reply-to",
  "references",
  "date",
  "from",
  "sender",
  "reply-to",
  "to",
  "cc",
  "delivered-to",
  "subject",
  "list-id",
  "auto-submitted",
]);
const maxAuditHeaderChars = 2_000;

/** `about`: keys of the people that it is filed under. */
export function activityOf(
  facts: Facts,
  digest: string,
  said: Ruled,
  about: readonly string[],
  linkOf?: LinkOf,
): ActivityStep {
  const { event } = facts;
  const { message, participants } = event;
  const asked = said.spoken.activity;
  const says = asked === undefined || asked.says === false ? undefined : asked.says;
  const isReply = says?.body === "reply" && message.quoted_text !== null;
  return {
    kind: "activity",
    key: activityKey(event.tenant, message.message_id, digest),
    why: asked === undefined ? "every mail from or to a person is logged once" : `mapping.${asked.rule}`,
    ...wantedOf(says, facts, said.owner),
    direction: participants.direction === "inbound" ? "inbound" : "outbound",
    at: activityTime(event),
    subject: message.subject ?? "(no subject)",
    text: isReply ? (message.reply_text ?? "") : bodyOf(event),
    // The sender's html holds what he quotes.
    html: isReply ? null : message.html,
    ...partiesOf(event),
    headers: message.headers
      .filter(([name]) => auditHeaders.has(name.toLowerCase()))
      .map(([name, value]) => [name, value.slice(0, maxAuditHeaderChars)]),
    message_id: message.message_id,
    event_id: event.event_id,
    thread_id: event.thread.thread_id,
    ...(facts.version === undefined ? {} : { mapping_version: facts.version }),
    attachments: says?.attachments === "none" ? [] : filesOf(event, says?.attachments === "names" ? undefined : linkOf),
    flags: activityFlags(event),
    about: [...about],
  };
}

/** With the link from the beginning: while a file is being checked, it leads to a page that says so and serves nothing. */
function filesOf({ message, received_at }: CanonicalEvent, linkOf: LinkOf | undefined): Filed[] {
  const receivedAt = Date.parse(received_at);
  return message.attachments.map(({ filename, content_type, size, file_id, status, status_reason }): Filed => {
    const said = { filename, content_type, size };
    if (file_id === undefined || status === undefined) return said;
    const url = linkOf?.(file_id, receivedAt) ?? null;
    return { ...said, id: file_id, status, reason: status_reason ?? null, url };
  });
}

type Mailbox = NonNullable<ActivityStep["from"]>;
const mailbox = ({ name, email }: Pick<Address, "name" | "email">): Mailbox[] =>
  email === null ? [] : [{ email, name: name === "" ? null : name }];
const boxOf = ({ email, name }: Participant): Mailbox => ({ email, name });

/** Who wrote to whom. Of a mail that was handed on: who wrote it first, and who handed it on. */
function partiesOf({
  message,
  participants,
}: CanonicalEvent): Pick<ActivityStep, "from" | "to" | "cc" | "forwarded_by"> {
  const { basis, filed_under, forwarded_by } = participants;
  const [first] = filed_under;
  const from = message.from === null ? null : (mailbox(message.from)[0] ?? null);
  const to = message.to.flatMap(mailbox);
  const cc = message.cc.flatMap(mailbox);
  switch (basis) {
    case "original": {
      const { forwarded } = message;
      const by = forwarded?.from ?? null;
      const was = (forwarded?.to ?? []).flatMap(mailbox);
      return {
        from: by === null ? from : (mailbox(by)[0] ?? from),
        to: was.length > 0 ? was : to,
        cc: [],
        forwarded_by,
      };
    }
    case "form":
    case "list_author":
      return { from: first === undefined ? from : boxOf(first), to, cc, forwarded_by: null };
    case "sender":
    case "recipients":
    case "broadcast":
    case "nobody":
      return { from, to, cc, forwarded_by: null };
    default:
      return basis satisfies never;
  }
}

function activityFlags(event: CanonicalEvent): string[] {
  const flags: string[] = event.auth.trust === "verified" ? [] : [event.auth.trust];
  flags.push(...hearsayFlag(event));
  if (event.anomalies.some(({ code }) => code === "message_id_conflict")) flags.push("message_id_conflict");
  if (event.parse_status !== "ok") flags.push(`parse_${event.parse_status}`);
  return flags;
}

/** When the mail says it was written, where that can be; else when it arrived. */
function activityTime(event: CanonicalEvent): number {
  const received = Date.parse(event.received_at);
  const written = event.message.date === null ? Number.NaN : Date.parse(event.message.date);
  const plausible = written >= earliestPlausible && written <= received + maxClockSkewMs;
  return plausible ? written : received;
}

function bodyOf(event: CanonicalEvent): string {
  if (event.message.text !== null && event.message.text !== "") return event.message.text;
  if (event.parse_status === "failed") {
    return `[The body of this mail could not be read. The original is kept as event ${event.event_id}.]`;
  }
  return "";
}
