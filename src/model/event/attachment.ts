/** A part of a message that is not its body, and what a look into it found. */
import { z } from "zod";
import { fileStatuses, scanStatuses } from "../files.ts";
import { addressSchema } from "./address.ts";

export const nestedMessageSchema = z
  .object({
    message_id: z.string().nullable().describe("Its Message-ID."),
    from: addressSchema.nullable().describe("The first mailbox of its From."),
    to: z.array(addressSchema).describe("The mailboxes of its To."),
    subject: z.string().nullable().describe("Its subject."),
    date: z.string().nullable().describe("RFC 3339 UTC."),
    text: z.string().nullable().describe("The beginning of its text, 64 Ki characters at most."),
    attachments: z
      .array(
        z.object({
          filename: z.string().describe("A label, never a path."),
          content_type: z.string().describe("As declared."),
          size: z.number().int().describe("Decoded bytes."),
        }),
      )
      .describe("What that message carries itself."),
  })
  .describe("What a message inside the message says of itself.");
export type NestedMessage = z.infer<typeof nestedMessageSchema>;

export const attachmentSchema = z.object({
  part_id: z
    .string()
    .describe("Where it stands in the MIME tree, numbered as IMAP does (RFC 9051 §6.4.5); a file inside adds /n."),
  filename: z
    .string()
    .describe("A label, never a path: separators, controls and bidi marks removed; made up where the part has none."),
  filename_original: z
    .string()
    .nullable()
    .describe("The name as sent, where it differs; what nobody would see is spelled out: <U+202E>."),
  content_type: z.string().describe("As declared."),
  detected_type: z.string().nullable().describe("What its first bytes say it is; null where they say nothing."),
  size: z.number().int().describe("Decoded bytes."),
  sha256: z.string().describe("Of the decoded bytes."),
  disposition: z.enum(["attachment", "inline"]).nullable().describe("As declared; null when the part does not say."),
  content_id: z.string().nullable().describe("Without angle brackets."),
  related: z.boolean().describe("A member of the multipart/related that holds the body (RFC 2387)."),
  referenced: z.boolean().describe("The html shows it by its content_id."),
  inline: z.boolean().describe("Declared inline, or referenced."),
  description: z.string().nullable().describe("Content-Description (RFC 2045 §8)."),
  nested_message_id: z.string().nullable().describe("Of a message inside; null where there is none."),
  nested: nestedMessageSchema.nullable().describe("A message inside the message, read one level deep."),
  from_tnef: z.boolean().describe("Taken out of a winmail.dat."),
  transfer_decoded: z
    .string()
    .nullable()
    .describe("A transfer encoding outside of MIME that was undone: uuencode. Null otherwise."),
  encrypted: z.boolean().describe("S/MIME or PGP: recognised, not opened."),
  // What became of it when the event was planned last; a parse of bytes alone has none of these.
  file_id: z
    .string()
    .optional()
    .describe("Names it in `attachments list` and in its link; computed from the mail alone."),
  status: z
    .enum(fileStatuses)
    .optional()
    .describe("stored: a link serves it; all others are not served (docs/attachments.md)."),
  status_reason: z
    .string()
    .nullable()
    .optional()
    .describe("Why it is not served; null where it is, or is being checked."),
  av: z
    .object({
      status: z.enum(scanStatuses).describe("unscanned: there was no verdict. skipped: no scanner is configured."),
      engine: z.string().nullable().describe("Who looked at it."),
      signature_db: z.string().nullable().describe("Version of the signatures."),
      at: z.string().nullable().describe("RFC 3339 UTC."),
    })
    .optional()
    .describe("What the virus scanner said."),
  storage_ref: z
    .string()
    .nullable()
    .optional()
    .describe("Where its bytes are in the tenant's store; null where they are not kept."),
});
export type Attachment = z.infer<typeof attachmentSchema>;
