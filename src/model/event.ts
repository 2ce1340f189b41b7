/** The canonical event, version 1: the one shape that everything after the parse knows. Fields are only ever added. */
import { z } from "zod";
import { smtpFacts, sourceKinds } from "./envelope.ts";

export const schemaVersion = 1;

export const addressSchema = z
  .object({
    name: z.string().describe("Display name as decoded; empty when there is none."),
    email: z
      .string()
      .nullable()
      .describe("Local part as given, domain in lower-case ASCII; null when the header holds no usable address."),
    email_unicode: z.string().nullable().describe("The address with its domain in Unicode, for display only."),
    raw: z.string().describe("The mailbox as written in the header."),
    anomalies: z.array(z.string()).describe("What is odd about this address."),
  })
  .describe("A mailbox from a header.");
export type Address = z.infer<typeof addressSchema>;

export const attachmentSchema = z.object({
  filename: z.string().nullable().describe("A label, never a path: separators, controls and bidi marks removed."),
  filename_original: z.string().nullable().describe("The name as sent, where it differs from filename."),
  content_type: z.string().describe("As declared."),
  size: z.number().int().describe("Decoded bytes."),
  content_id: z.string().nullable().describe("Without angle brackets."),
  sha256: z.string().describe("Of the decoded bytes."),
  disposition: z.enum(["attachment", "inline"]).nullable().describe("As declared; null when the part does not say."),
});
export type Attachment = z.infer<typeof attachmentSchema>;

export const anomalySchema = z.object({
  code: z.string().describe("Stable code: part of the interface."),
  detail: z.string().optional(),
});
export type Anomaly = z.infer<typeof anomalySchema>;

export const automatedKinds = [
  "person",
  "bounce",
  "complaint",
  "mdn",
  "auto_reply",
  "auto_generated",
  "list",
  "bulk",
  "calendar",
] as const;

export const messageSchema = z.object({
  message_id: z.string().nullable().describe("Normalised `<...>`; null when the mail has none (RFC 5322 §3.6.4)."),
  message_id_source: z.enum(["header", "none"]),
  in_reply_to: z.string().nullable().describe("The first id of In-Reply-To."),
  in_reply_to_all: z.array(z.string()),
  references: z.array(z.string()).describe("Oldest first."),
  date: z.string().nullable().describe("RFC 3339 UTC; null when the Date header cannot be read. Never guessed."),
  date_raw: z.string().nullable().describe("The Date header as written."),
  date_source: z.enum(["header", "received", "none"]),
  date_offset_minutes: z.number().int().nullable().describe("The sender's offset from UTC, where the header says it."),
  from: addressSchema
    .nullable()
    .describe("The first usable mailbox of From; where there is none, of the header that from_source names."),
  from_source: z
    .enum(["from", "sender", "reply_to", "return_path", "none"])
    .describe("Anything but `from` never raises trust."),
  from_all: z.array(addressSchema).describe("Every mailbox of every From header."),
  sender: addressSchema.nullable(),
  reply_to: z.array(addressSchema),
  to: z.array(addressSchema),
  cc: z.array(addressSchema),
  bcc: z.array(addressSchema),
  delivered_to: z.array(z.string()),
  subject: z.string().nullable(),
  text: z.string().nullable(),
  text_source: z.enum(["original", "derived_html", "mixed", "none"]),
  html: z.string().nullable().describe("The sender's own, unsanitised: sanitise at display."),
  html_source: z.enum(["original", "mixed", "none"]).describe("mixed: several html parts, one after the other."),
  truncated: z.object({ text: z.boolean(), html: z.boolean(), headers: z.boolean() }),
  headers: z
    .array(z.tuple([z.string(), z.string()]))
    .describe("Wire order, decoded, controls removed, capped at 256 KiB."),
  attachments: z.array(attachmentSchema),
});

export const eventSchema = z
  .object({
    schema_version: z.literal(schemaVersion),
    event_id: z.string().describe("UUID version 7; the same on every reprocess."),
    received_at: z.string().describe("RFC 3339 UTC: when Mailwright took responsibility."),
    tenant: z.string(),
    routes: z.array(z.string()).describe("Every inbound address or mailbox this message came by."),
    idempotency_key: z
      .string()
      .describe("The Message-ID, or a hash of the raw header values and the content where there is none."),
    raw: z.object({ sha256: z.string(), size: z.number().int() }),
    source: z.object({ kind: z.enum(sourceKinds), smtp: smtpFacts.optional() }),
    message: messageSchema,
    auth: z.object({
      trust: z.enum(["verified", "aligned-weak", "unverified", "suspicious"]),
      reason: z.string(),
    }),
    class: z.object({
      kind: z.enum(automatedKinds).describe("The strongest class; `person` when nothing says otherwise."),
      evidence: z.array(z.object({ rule: z.string(), header: z.string().nullable(), value: z.string().nullable() })),
    }),
    thread: z.object({ thread_id: z.string(), confidence: z.number() }),
    anomalies: z.array(anomalySchema),
    parse_status: z.enum(["ok", "partial", "failed"]),
    parser: z.object({ name: z.string(), version: z.string() }),
  })
  .describe("The canonical event of one received message.");
export type CanonicalEvent = z.infer<typeof eventSchema>;
export type Message = z.infer<typeof messageSchema>;

/** What the structure of a message says of its class; kept beside the parse so that the class can be judged again with the envelope. */
export interface MessageStructure {
  /** `report-type` of the outermost part (RFC 6522). */
  readonly report_type: string | null;
  /** The types of all parts that are attachments, without repetition. */
  readonly part_types: readonly string[];
  /** `Action` of every recipient of a delivery status (RFC 3464 §2.3.3). */
  readonly dsn_actions: readonly string[];
  /** METHOD of a calendar part (RFC 5546 §1.4), in upper case. */
  readonly calendar_method: string | null;
}

/**
 * What a parse of bytes alone can say: everything of the event that does not come from the envelope or the ledger.
 * Pure: the same bytes always give the same answer.
 */
export type ParsedMessage = Pick<CanonicalEvent, "message" | "class" | "anomalies" | "parse_status" | "parser"> & {
  readonly structure: MessageStructure;
};
