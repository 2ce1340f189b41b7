/** What a message says: its headers read, its body in parts, what it forwards and carries. */
import { z } from "zod";
import { addressSchema } from "./address.ts";
import { attachmentSchema } from "./attachment.ts";

export const spanKinds = ["reply", "quote", "signature", "forward"] as const;

const spanSchema = z.object({
  kind: z.enum(spanKinds).describe("What stands there."),
  start: z.number().int().describe("Offset into text in UTF-16 code units."),
  end: z.number().int().describe("The offset after its last code unit."),
});
export type Span = z.infer<typeof spanSchema>;

export const forwardedSchema = z
  .object({
    kind: z.enum(["inline", "attached"]).describe("inline: quoted in the text. attached: a message in the message."),
    from: addressSchema.nullable().describe("The original sender: as trustworthy as whoever forwarded it."),
    to: z.array(addressSchema).describe("The original recipients."),
    date: z.string().nullable().describe("RFC 3339 UTC where the time zone is known, else local time without one."),
    date_raw: z.string().nullable().describe("The date as written in the header block."),
    subject: z.string().nullable().describe("The original subject."),
    message_id: z.string().nullable().describe("Of the original, where it is said."),
    text: z.string().nullable().describe("The forwarded text without its header block."),
  })
  .describe("The original of a forwarded message.");
export type Forwarded = z.infer<typeof forwardedSchema>;

const receivedSchema = z
  .object({
    from: z.string().nullable().describe("Who handed it over, as that host called itself."),
    by: z.string().nullable().describe("Who took it."),
    with: z.string().nullable().describe("The protocol, as ESMTPS."),
    ip: z.string().nullable().describe("The address that it came from, as the receiving host saw it."),
    at: z.string().nullable().describe("RFC 3339 UTC."),
  })
  .describe("A Received field (RFC 5321 §4.4). All but the topmost are claims.");

const listSchema = z
  .object({
    id: z.string().nullable().describe("List-Id without its phrase (RFC 2919)."),
    unsubscribe: z.array(z.string()).describe("URIs of List-Unsubscribe (RFC 2369 §3.2)."),
    post: z.string().nullable().describe("URI of List-Post (RFC 2369 §3.4)."),
    one_click: z.boolean().describe("List-Unsubscribe-Post (RFC 8058)."),
  })
  .describe("What the List fields say.");

export const messageSchema = z.object({
  message_id: z.string().nullable().describe("Normalised `<...>`; null when the mail has none (RFC 5322 §3.6.4)."),
  message_id_source: z.enum(["header", "none"]).describe("Where message_id was read."),
  in_reply_to: z.string().nullable().describe("The first id of In-Reply-To."),
  in_reply_to_all: z.array(z.string()).describe("Every id of In-Reply-To, in order (RFC 5322 §3.6.4)."),
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
  reply_to: z.array(addressSchema).describe("Every mailbox of Reply-To."),
  to: z.array(addressSchema).describe("Every mailbox of To; groups are dissolved."),
  cc: z.array(addressSchema).describe("Every mailbox of Cc."),
  bcc: z.array(addressSchema).describe("Of the Bcc header alone: envelope recipients never stand here."),
  return_path: z.string().nullable().describe("The topmost Return-Path, without brackets; empty for `<>`."),
  delivered_to: z.array(z.string()).describe("Every Delivered-To header, newest first."),
  x_original_to: z
    .array(z.string())
    .describe("Every X-Original-To header, newest first: Postfix's word for the address before aliases."),
  resent: z
    .object({
      from: z.array(addressSchema).describe("Of Resent-From."),
      to: z.array(addressSchema).describe("Of Resent-To."),
      date: z.string().nullable().describe("RFC 3339 UTC."),
      message_id: z.string().nullable().describe("Of Resent-Message-ID."),
    })
    .nullable()
    .describe("The newest Resent block (RFC 5322 §3.6.6). Never used as From."),
  subject: z.string().nullable().describe("Decoded, without controls, as sent otherwise."),
  subject_raw: z.string().nullable().describe("The Subject header as written, unfolded, not decoded."),
  subject_normalised: z
    .string()
    .nullable()
    .describe("Without reply and forward prefixes and list tags, blanks folded: for comparing."),
  text: z.string().nullable().describe("The whole text, quotes and signatures included: never cut by reading it."),
  text_source: z
    .enum(["original", "derived_html", "mixed", "none"])
    .describe(
      "original: text parts of the sender. derived_html: read from the html, there is no other. mixed: both, or several.",
    ),
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
    .describe("What the sender wrote this time; the whole text where nothing is quoted, or nothing is written."),
  quoted_text: z.string().nullable().describe("What is quoted of earlier messages; null where nothing is."),
  signature_text: z.string().nullable().describe("The signature of the sender; null where none was found."),
  interleaved: z
    .boolean()
    .describe("Answers stand between the quoted lines: reply_text is then all of them, quoted lines included."),
  spans: z.array(spanSchema).describe("Where in text each of these stands, in order, without overlaps."),
  forwarded: forwardedSchema.nullable(),
  language: z
    .object({ code: z.string().describe("ISO 639-1"), confidence: z.number().describe("From 0 to 1.") })
    .nullable()
    .describe("Of reply_text, where that has at least 40 characters."),
  truncated: z
    .object({
      text: z.boolean().describe("text and what is cut out of it."),
      html: z.boolean().describe("html, or what text was read from."),
      headers: z.boolean().describe("headers: the last ones are left out."),
    })
    .describe("A limit cut the event; the raw message is whole."),
  headers: z
    .array(z.tuple([z.string(), z.string()]))
    .describe("Wire order, decoded, controls removed, capped at 256 KiB."),
  received: z.array(receivedSchema).describe("Newest first."),
  list: listSchema.nullable(),
  attachments: z
    .array(attachmentSchema)
    .describe("In the order of the message; a file out of a container stands behind it."),
});
export type Message = z.infer<typeof messageSchema>;
