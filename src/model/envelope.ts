/** How a message came to us, beside its bytes: who handed it over, when, and for whom. */
import { z } from "zod";

export const sourceKinds = ["smtp", "imap", "webhook", "import"] as const;

/** RFC 5321 envelope facts. `mail_from` null is the null reverse-path `<>` (RFC 5321 §4.5.5). */
export const smtpFacts = z.object({
  remote_ip: z.string().describe("The address that the mail came from."),
  helo: z.string().describe("What the peer called itself."),
  tls: z
    .object({ version: z.string().describe("As TLSv1.3."), cipher: z.string().describe("Its name at OpenSSL.") })
    .nullable()
    .describe("Null on an unencrypted connection."),
  mail_from: z.string().nullable().describe("The return path; null for `<>` (RFC 5321 §4.5.5)."),
  rcpt_to: z.array(z.string()).describe("The recipients that were accepted, as given."),
  smtputf8: z.boolean().optional().describe("The peer asked for SMTPUTF8 (RFC 6531)."),
  body: z.enum(["7bit", "8bitmime"]).optional().describe("BODY of MAIL."),
});

/** Where a message lies in a mailbox (RFC 9051 §2.3). 64-bit numbers are texts. */
export const imapFacts = z.object({
  account: z.string().describe("Id of the account in the configuration."),
  mailbox: z.string().describe("The folder, its levels apart by `/` whatever the server writes."),
  uidvalidity: z.number().int().describe("UIDVALIDITY of the folder when the message was read."),
  uid: z.number().int().describe("Its UID there."),
  flags: z.array(z.string()).describe("Its flags when it was read."),
  internaldate: z.string().nullable().describe("RFC 3339 UTC: when the server took it; null where it does not say."),
  sent: z.boolean().optional().describe("It lies among the sent mail: whoever owns the account wrote it."),
  backfilled: z.boolean().optional().describe("Old mail that somebody asked for."),
  gm_msgid: z.string().optional().describe("Gmail's number of the message."),
  gm_thrid: z.string().optional().describe("Gmail's number of its conversation."),
});
export type ImapFacts = z.infer<typeof imapFacts>;

export const envelopeSchema = z.object({
  kind: z.enum(sourceKinds),
  /** The tenant whose routes took the recipients. */
  tenant: z.string(),
  /** The inbound addresses this copy came by, as given by the peer: `deals+us-east@in.example.com`. */
  routes: z.array(z.string()),
  /** Epoch ms at which we began to take responsibility. */
  received_at: z.number().int(),
  smtp: smtpFacts.optional(),
  imap: imapFacts.optional(),
});
export type Envelope = z.infer<typeof envelopeSchema>;
