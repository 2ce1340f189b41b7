/** What a message says: its headers read, its body in parts, what it forwards and carries. */
import { z } from "zod";
import { addressSchema } from "./address.ts";
import { attachmentSchema } from "./attachment.ts";

export const spanKinds = ["reply", "quote", "signature", "forward"] as const;

const spanSchema = z.object({
  kind: z.enum(spanKinds),
  start: z.number().int().describe("Offset into text in UTF-16 code units."),
  end: z.number().int().describe("The offset after its last code unit."),
});
export type Span = z.infer<typeof spanSchema>;

export const forwardedSchema = z
  .object({
    kind: z.enum(["inline", "attached"]),
    from: addressSchema.nullable().describe("The original sender: as trustworthy as whoever forwarded it."),
    to: z.array(addressSchema),
    date: z.string().nullable().describe("RFC 3339 UTC where the time zone is known, else local time without one."),
    date_raw: z.string().nullable(),
    subject: z.string().nullable(),
    message_id: z.string().nullable(),
    text: z.string().nullable().describe("The forwarded text without its header block."),
  })
  .describe("The original of a forwarded message.");
export type Forwarded = z.infer<typeof forwardedSchema>;

const receivedSchema = z
  .object({
    from: z.string().nullable(),
    by: z.string().nullable(),
    with: z.string().nullable(),
    ip: z.string().nullable(),
    at: z.string().nullable().describe("RFC 3339 UTC."),
  })
  .describe("A Received field (RFC 5321 §4.4). All but the topmost are claims.");

const listSchema = z
  .object({
    id: z.string().nullable().describe("List-Id without its phrase (RFC 2919)."),
    unsubscribe: z.array(z.string()).describe("URIs of List-Unsubscribe (RFC 2369 §3.2)."),
    post: z.string().nullable(),
    one_click: z.boolean().describe("List-Unsubscribe-Post (RFC 8058)."),
  })
  .describe("What the List fields say.");

export const messageSchema = z.object({
  message_id: z.string().nullable().describe("Normalised `<...>`; null when the mail has none (RFC 5322 §3.6.4)."),
  message_id_source: z.enum(["header", "none"]),
  in_reply_to: z.string().nullable().describe("The first id of In-Reply-To."),
  in_reply_to_all: z.array(z.string()),
  references: z.array(z.string()).describe("Oldest first."),
  thread_index: z.string().nullable().describe("Outlook's Thread-Index: a weak hint."),
  thread_topic: z.string().nullable().describe("Outlook's Thread-Topic: a weak hint."),
  date: z
    .string()
    .nullable()
    .describe("RFC 3339 UTC: when it was written, as far as date_source knows. Never guessed."),
  date_raw: z.string().nullable().describe("The Date header as written."),
  date_source: z
    .enum(["header", "received", "none"])
    .describe(
      "received: the Date header is missing or cannot be read, and date is the time of the newest Received field.",
    ),
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
  bcc: z.array(addressSchema).describe("Of the Bcc header alone: envelope recipients never stand here."),
  return_path: z.string().nullable().describe("The topmost Return-Path, without brackets; empty for `<>`."),
  delivered_to: z.array(z.string()),
  x_original_to: z.array(z.string()),
  resent: z
    .object({
      from: z.array(addressSchema),
      to: z.array(addressSchema),
      date: z.string().nullable(),
      message_id: z.string().nullable(),
    })
    .nullable()
    .describe("The newest Resent block (RFC 5322 §3.6.6). Never used as From."),
  subject: z.string().nullable(),
  subject_raw: z.string().nullable().describe("The Subject header as written, unfolded, not decoded."),
  subject_normalised: z
    .string()
    .nullable()
    .describe("Without reply and forward prefixes and list tags, blanks folded: for comparing."),
  text: z.string().nullable().describe("The whole text, quotes and signatures included: never cut by reading it."),
  text_source: z.enum(["original", "derived_html", "mixed", "none"]),
  html: z.string().nullable().describe("The sender's own, unsanitised: sanitise at display."),
  html_source: z.enum(["original", "mixed", "none"]).describe("mixed: several html parts, one after the other."),
  charset: z
    .object({
      declared: z.string().nullable().describe("Of the first text part, as written."),
      used: z.string().describe("What the text was decoded by."),
      guessed: z.boolean().describe("The declared charset was missing or wrong."),
    })
    .nullable()
    .describe("Of the body; null where there is no text part."),
  reply_text: z
    .string()
    .nullable()
    .describe("What the sender wrote this time; the whole text where nothing is quoted."),
  quoted_text: z.string().nullable(),
  signature_text: z.string().nullable(),
  interleaved: z.boolean().describe("Answers stand between the quoted lines: reply_text is then the whole text."),
  spans: z.array(spanSchema).describe("Where in text each of these stands, in order, without overlaps."),
  forwarded: forwardedSchema.nullable(),
  language: z
    .object({ code: z.string().describe("ISO 639-1"), confidence: z.number() })
    .nullable()
    .describe("Of reply_text, where that has at least 40 characters."),
  truncated: z
    .object({ text: z.boolean(), html: z.boolean(), headers: z.boolean() })
    .describe("A limit cut the event; the raw message is whole."),
  headers: z
    .array(z.tuple([z.string(), z.string()]))
    .describe("Wire order, decoded, controls removed, capped at 256 KiB."),
  received: z.array(receivedSchema).describe("Newest first."),
  list: listSchema.nullable(),
  attachments: z.array(attachmentSchema),
});
export type Message = z.infer<typeof messageSchema>;
