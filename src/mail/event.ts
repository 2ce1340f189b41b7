/** Puts the canonical event together: what the parse found, what the envelope says, what the ledger knows. */
import type { Envelope } from "../model/envelope.ts";
import {
  type Anomaly,
  type Auth,
  type CanonicalEvent,
  noEvidence,
  type ParsedMessage,
  type Participants,
  schemaVersion,
} from "../model/event.ts";
import { classify } from "./automated.ts";
import { lonely, threadKey } from "./thread.ts";

export interface EventContext {
  readonly eventId: string;
  readonly tenant: string;
  readonly routes: readonly string[];
  /** Epoch ms. */
  readonly receivedAt: number;
  readonly rawSha256: string;
  /** Where the raw bytes are kept after processing. */
  readonly rawRef: string;
  readonly rawSize: number;
  readonly envelope: Envelope;
  /** Of the identity that the ledger holds. */
  readonly messageId: string | null;
  readonly digest: string;
  /** The same Message-ID is known with other content. */
  readonly conflict: boolean;
  readonly participants: Participants;
  /** Who sent it, as judged; absent where nobody asks. */
  readonly auth?: Auth;
}

const earliestPlausible = Date.UTC(1990, 0, 1);
const latestPlausibleMs = 48 * 3600_000;

/** Pure: the same parse and context give the same event. */
export function assembleEvent(parsed: ParsedMessage, context: EventContext): CanonicalEvent {
  const { message } = parsed;
  const { envelope } = context;
  const classified = classOf(parsed, envelope);
  return {
    schema_version: schemaVersion,
    event_id: context.eventId,
    received_at: new Date(context.receivedAt).toISOString(),
    tenant: context.tenant,
    routes: [...context.routes],
    idempotency_key: context.messageId ?? context.digest,
    raw: { sha256: context.rawSha256, ref: context.rawRef, size: context.rawSize },
    source: {
      kind: envelope.kind,
      ...(envelope.smtp === undefined ? {} : { smtp: envelope.smtp }),
      ...(envelope.imap === undefined ? {} : { imap: envelope.imap }),
    },
    message: {
      ...message,
      message_id: context.messageId,
      message_id_source: context.messageId === null ? "none" : "header",
    },
    auth: context.auth ?? {
      ...noEvidence,
      trust: "unverified",
      reason: "The sender was not judged.",
      reasons: [],
    },
    participants: context.participants,
    class: classified,
    // Read on suspicion: without the class, it is what somebody quotes or passes on.
    bounce: classified.is_bounce || classified.kind === "dsn_success" ? parsed.bounce : null,
    complaint: parsed.complaint,
    mdn: parsed.mdn,
    calendar: parsed.calendar,
    thread: lonely(threadKey(context.tenant, context)),
    anomalies: [...parsed.anomalies, ...contextAnomalies(parsed, context)],
    parse_status: parsed.parse_status,
    parser: parsed.parser,
  };
}

function classOf(parsed: ParsedMessage, envelope: Envelope): CanonicalEvent["class"] {
  if (envelope.smtp === undefined) return parsed.class;
  const facts = { ...parsed.message, structure: parsed.structure, forward: parsed.class.is_forward };
  return classify(facts, { nullSender: envelope.smtp.mail_from === null });
}

function contextAnomalies({ message }: ParsedMessage, context: EventContext): Anomaly[] {
  const found: Anomaly[] = [];
  if (context.conflict) {
    found.push({
      code: "message_id_conflict",
      detail: "another message with this Message-ID and other content is known",
    });
  }
  const written = message.date === null ? Number.NaN : Date.parse(message.date);
  if (written < earliestPlausible || written > context.receivedAt + latestPlausibleMs)
    found.push({ code: "implausible_date" });
  return found;
}
