/** The canonical event, version 1: the one shape that everything after the parse knows. Fields are only ever added. */
import { z } from "zod";
import { imapFacts, smtpFacts, sourceKinds } from "./envelope.ts";
import { authSchema } from "./event/auth.ts";
import { bounceSchema, calendarSchema, classSchema, complaintSchema, mdnSchema } from "./event/class.ts";
import { messageSchema } from "./event/message.ts";
import { participantsSchema } from "./event/participants.ts";
import { threadSchema } from "./event/thread.ts";

export { type Address, addressSchema } from "./event/address.ts";
export { type Attachment, attachmentSchema, type NestedMessage } from "./event/attachment.ts";
export {
  type Auth,
  type AuthResult,
  authResults,
  type Evidence,
  noEvidence,
  type TrustLevel,
  trustLevels,
} from "./event/auth.ts";
export { automatedKinds, type Bounce, type Calendar, type Complaint, type Mdn } from "./event/class.ts";
export { type Forwarded, type Message, messageSchema, type Span } from "./event/message.ts";

export type { Participant, Participants } from "./event/participants.ts";
export type { Thread, ThreadMethod } from "./event/thread.ts";

export const schemaVersion = 1;

export const anomalySchema = z.object({
  code: z.string().describe("Stable code: part of the interface."),
  detail: z.string().optional().describe("Which header, or why."),
});
export type Anomaly = z.infer<typeof anomalySchema>;

export const eventSchema = z
  .object({
    schema_version: z.literal(schemaVersion).describe("Raised only when fields change their meaning; they never have."),
    event_id: z.string().describe("UUID version 7; the same on every reprocess."),
    received_at: z.string().describe("RFC 3339 UTC: when Mailwright took responsibility."),
    tenant: z.string().describe("Whose mail it is: the id of the tenant in the configuration."),
    routes: z.array(z.string()).describe("Every inbound address or mailbox this message came by."),
    idempotency_key: z
      .string()
      .describe("The Message-ID, or a hash of the raw header values and the content where there is none."),
    raw: z
      .object({
        sha256: z.string().describe("Of the bytes as received."),
        ref: z.string().describe("Name of the sealed bytes in the blob store, once they are there."),
        size: z.number().int().describe("Of the bytes as received."),
      })
      .describe("The bytes as they came, which are kept unchanged."),
    source: z
      .object({
        kind: z.enum(sourceKinds).describe("import: a file that somebody gave in."),
        smtp: smtpFacts.optional().describe("The SMTP envelope, where it came by SMTP."),
        imap: imapFacts.optional().describe("Where it lay in a mailbox, where it was read by IMAP."),
      })
      .describe("How the message came."),
    message: messageSchema.describe("What the message says."),
    auth: authSchema,
    participants: participantsSchema,
    class: classSchema.describe("Who or what wrote it."),
    bounce: bounceSchema.nullable(),
    complaint: complaintSchema.nullable(),
    mdn: mdnSchema.nullable(),
    calendar: z.array(calendarSchema).describe("The events of its calendar parts, the body's own first."),
    thread: threadSchema,
    anomalies: z.array(anomalySchema).describe("What is odd about the message: codes below."),
    parse_status: z
      .enum(["ok", "partial", "failed"])
      .describe("partial: body or attachments are not as sent, anomalies say why. failed: headers only."),
    parser: z
      .object({
        name: z.string().describe("The program that took the message apart."),
        version: z.string().describe("Its version."),
        layer_version: z.number().int().describe("Raised when our reading around the parser changes what it gives."),
      })
      .describe("What read the message."),
  })
  .describe("The canonical event of one received message.");
export type CanonicalEvent = z.infer<typeof eventSchema>;

/** What the structure of a message says of its class; kept beside the parse so that the class can be judged again with the envelope. */
export interface MessageStructure {
  /** `report-type` of the outermost part (RFC 6522). */
  readonly report_type: string | null;
  /** The types of all parts that are attachments, without repetition. */
  readonly part_types: readonly string[];
  /** `Action` of every recipient of a delivery status (RFC 3464 §2.3.3). */
  readonly dsn_actions: readonly string[];
  /** The words by which a delivery report was recognised that holds no status for machines: they make a bounce only beside other signs. */
  readonly bounce_words: string | null;
  /** Feedback-Type of a feedback report (RFC 5965 §3.1). */
  readonly feedback_type: string | null;
  /** METHOD of a calendar part (RFC 5546 §1.4), in upper case. */
  readonly calendar_method: string | null;
  /** The content is encrypted, or signed, by S/MIME or PGP. */
  readonly encrypted: boolean;
  readonly signed: boolean;
}

type Parsed =
  | "message"
  | "class"
  | "bounce"
  | "complaint"
  | "mdn"
  | "calendar"
  | "anomalies"
  | "parse_status"
  | "parser";

/**
 * What a parse of bytes alone can say: everything of the event that does not come from the envelope or the ledger.
 * Pure: the same bytes always give the same answer.
 */
export type ParsedMessage = Pick<CanonicalEvent, Parsed> & { readonly structure: MessageStructure };
