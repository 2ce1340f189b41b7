/** Decides what should exist at a destination because of one event: pure, so that it can be previewed, tested and replayed. */
import { type CanonicalEvent, type TrustLevel, trustLevels } from "../model/event.ts";
import type { ActivityStep, Decision, PersonStep } from "../model/step.ts";
import { activityKey, personKey } from "./keys.ts";

/** Recorded with every delivery. Raised when the built-in rules change what they ask for. */
export const mappingVersion = 1;

export interface Mapping {
  /** From this level of trust on, a sender who is not known becomes a contact. */
  readonly createContact: Exclude<TrustLevel, "suspicious">;
}

/** What is known of the message beside its event. */
export interface Known {
  /** Content digest: part of the activity's key. */
  readonly digest: string;
}

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

const atLeast = (level: TrustLevel, wanted: TrustLevel): boolean =>
  trustLevels.indexOf(level) >= trustLevels.indexOf(wanted);

/** Written by machines, for which no contact and no activity is made. A calendar invitation is somebody's doing and is kept. */
const machineKinds: ReadonlySet<CanonicalEvent["class"]["kind"]> = new Set([
  "bounce",
  "complaint",
  "mdn",
  "auto_reply",
  "auto_generated",
  "dsn_success",
  "notification",
  "list",
  "bulk",
]);

/** The decision for one lane of the event's tenant. The first rule that applies decides, and is named in the answer. */
export function plan(event: CanonicalEvent, mapping: Mapping, known: Known): Decision {
  const { kind, evidence } = event.class;
  if (machineKinds.has(kind)) {
    const because = evidence[0];
    const shown =
      because === undefined ? "" : ` (${because.rule}${because.header === null ? "" : `: ${because.header}`})`;
    return { kind: "skip", rule: `automated.${kind}`, reason: `automated mail, class ${kind}${shown}` };
  }
  if (event.auth.trust === "suspicious") {
    return { kind: "hold", rule: "trust.suspicious", reason: event.auth.reason };
  }
  const email = event.message.from?.email ?? null;
  if (email === null) {
    return {
      kind: "hold",
      rule: "sender.missing",
      reason: "the mail names no sender address that a contact could be found by",
    };
  }
  const person = personOf(event, mapping, email);
  return { kind: "steps", rule: "default.inbound", steps: [person, activityOf(event, known, [person.key])] };
}

function personOf(event: CanonicalEvent, mapping: Mapping, email: string): PersonStep {
  const create = atLeast(event.auth.trust, mapping.createContact);
  const name = event.message.from?.name.trim() ?? "";
  return {
    kind: "person",
    key: personKey(event.tenant, email),
    why: create
      ? `sender of the mail; trust ${event.auth.trust} may create a contact (trust.create_contact: ${mapping.createContact})`
      : `sender of the mail; only looked up, trust ${event.auth.trust} is below trust.create_contact: ${mapping.createContact}`,
    email,
    name: name === "" ? null : name,
    source: "email",
    create,
    flags: event.auth.trust === "verified" ? [] : [event.auth.trust],
  };
}

function activityOf(event: CanonicalEvent, known: Known, about: string[]): ActivityStep {
  const { message } = event;
  const mailbox = ({ name, email }: { name: string; email: string | null }) =>
    email === null ? [] : [{ email, name: name === "" ? null : name }];
  const from = message.from === null ? [] : mailbox(message.from);
  return {
    kind: "activity",
    key: activityKey(event.tenant, message.message_id, known.digest),
    why: "every mail from a person is logged once",
    direction: "inbound",
    at: activityTime(event),
    subject: message.subject ?? "(no subject)",
    text: bodyOf(event),
    html: message.html,
    from: from[0] ?? null,
    to: message.to.flatMap(mailbox),
    cc: message.cc.flatMap(mailbox),
    headers: message.headers
      .filter(([name]) => auditHeaders.has(name.toLowerCase()))
      .map(([name, value]) => [name, value.slice(0, maxAuditHeaderChars)]),
    message_id: message.message_id,
    event_id: event.event_id,
    attachments: message.attachments.map(({ filename, content_type, size }) => ({ filename, content_type, size })),
    flags: activityFlags(event),
    about,
  };
}

function activityFlags(event: CanonicalEvent): string[] {
  const flags: string[] = event.auth.trust === "verified" ? [] : [event.auth.trust];
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
