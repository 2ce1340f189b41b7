/** Who or what wrote a message, what it reports, and what it invites to. */
import { z } from "zod";

/** In order of strength: what a message is first of all. */
export const automatedKinds = [
  "person",
  "bounce",
  "dsn_success",
  "complaint",
  "mdn",
  "auto_reply",
  "auto_generated",
  "notification",
  "list",
  "bulk",
  "calendar",
] as const;

export const classSchema = z.object({
  kind: z.enum(automatedKinds).describe("The strongest class; `person` when nothing says otherwise."),
  auto_submitted: z.string().nullable().describe("First token of Auto-Submitted (RFC 3834 §5), in lower case."),
  precedence: z.string().nullable().describe("First token of Precedence, in lower case."),
  is_bulk: z.boolean(),
  is_list: z.boolean(),
  is_auto_reply: z.boolean(),
  is_auto_generated: z.boolean(),
  is_bounce: z.boolean(),
  is_mdn: z.boolean(),
  is_complaint: z.boolean(),
  is_calendar: z.boolean(),
  is_forward: z.boolean(),
  is_encrypted: z.boolean().describe("The content is encrypted (S/MIME or PGP), and is not read."),
  is_signed: z.boolean().describe("Signed with S/MIME or PGP; the signature is not verified."),
  no_reply_sender: z.boolean(),
  evidence: z
    .array(z.object({ rule: z.string(), header: z.string().nullable(), value: z.string().nullable() }))
    .describe("What each flag rests on: the rule, and the header or phrase that decided."),
});

export const bounceSchema = z
  .object({
    kind: z.enum(["dsn", "text"]).describe("dsn: a machine-readable report (RFC 3464). text: read from its words."),
    confidence: z.number().describe("1 for a dsn, less for what was read from words."),
    recipients: z.array(
      z.object({
        final: z.string().describe("The address that failed."),
        original: z.string().nullable().describe("The address as the sender wrote it (RFC 3461)."),
        action: z.enum(["failed", "delayed", "delivered", "relayed", "expanded"]),
        status: z.string().nullable().describe("Enhanced status code (RFC 3463): 5.1.1."),
        smtp_code: z.number().int().nullable(),
        diagnostic: z.string().nullable(),
        remote_mta: z.string().nullable(),
        hard: z.boolean().describe("The address itself is bad: not a full mailbox, a size, a policy or a route."),
      }),
    ),
    reporting_mta: z.string().nullable(),
    original_message_id: z.string().nullable().describe("Of the returned message: finds its thread."),
    original_envelope_id: z.string().nullable(),
  })
  .describe("A delivery report (RFC 3464, or the words of those that do not follow it).");
export type Bounce = z.infer<typeof bounceSchema>;

export const complaintSchema = z
  .object({
    type: z.string().describe("Feedback-Type: abuse, fraud, virus, other, not-spam."),
    user_agent: z.string().nullable(),
    original_rcpt: z.array(z.string()),
    original_message_id: z.string().nullable(),
    source_ip: z.string().nullable(),
  })
  .describe("A feedback report (RFC 5965).");
export type Complaint = z.infer<typeof complaintSchema>;

export const mdnSchema = z
  .object({
    disposition: z.string().describe("displayed, deleted, dispatched, processed (RFC 8098 §3.2.6.2)."),
    original_message_id: z.string().nullable(),
    final_recipient: z.string().nullable(),
  })
  .describe("A read receipt (RFC 8098).");
export type Mdn = z.infer<typeof mdnSchema>;

const attendeeSchema = z.object({
  email: z.string(),
  name: z.string().nullable(),
  partstat: z
    .string()
    .nullable()
    .describe("ACCEPTED, DECLINED, TENTATIVE, NEEDS-ACTION and others (RFC 5545 §3.2.12)."),
  role: z.string().nullable(),
});

export const calendarSchema = z
  .object({
    method: z.string().nullable().describe("REQUEST, REPLY, CANCEL and others (RFC 5546 §1.4), in upper case."),
    uid: z.string().nullable(),
    sequence: z.number().int().nullable().describe("With recurrence_id, which of two is newer."),
    recurrence_id: z.string().nullable(),
    organizer: z.object({ email: z.string(), name: z.string().nullable() }).nullable(),
    attendees: z.array(attendeeSchema),
    start: z.string().nullable().describe("RFC 3339 UTC; local time where tz is null; a date where all_day."),
    end: z.string().nullable(),
    tz: z.string().nullable().describe("IANA name; UTC; null for floating times and zones that are not known."),
    all_day: z.boolean(),
    summary: z.string().nullable(),
    location: z.string().nullable(),
    status: z.string().nullable(),
    url: z.string().nullable().describe("Where to join or look: a claim of the sender."),
  })
  .describe("An event of a calendar part. The organizer is a claim, not the sender.");
export type Calendar = z.infer<typeof calendarSchema>;
