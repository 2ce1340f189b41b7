/** Who or what wrote a message, what it reports, and what it invites to. */
import { z } from "zod";

/** A person, or else in order of strength: what a message is first of all. */
export const automatedKinds = [
  "person",
  "bounce",
  "dsn_success",
  "complaint",
  "mdn",
  "auto_reply",
  "calendar",
  "notification",
  "auto_generated",
  "list",
  "bulk",
] as const;

export const classSchema = z.object({
  kind: z.enum(automatedKinds).describe("The strongest class; `person` when nothing says otherwise."),
  auto_submitted: z.string().nullable().describe("First token of Auto-Submitted (RFC 3834 §5), in lower case."),
  precedence: z.string().nullable().describe("First token of Precedence, in lower case."),
  is_bulk: z.boolean().describe("Sent to many at once."),
  is_list: z.boolean().describe("Came through a mailing list (RFC 2919)."),
  is_auto_reply: z.boolean().describe("An answer by a machine: out of office and the like."),
  is_auto_generated: z.boolean().describe("Written by a machine, not as an answer."),
  is_bounce: z.boolean().describe("Says that a message was not delivered, or is late."),
  is_mdn: z.boolean().describe("A read receipt."),
  is_complaint: z.boolean().describe("A feedback report: somebody called a message spam."),
  is_calendar: z.boolean().describe("Holds an invitation, an answer to one, or a cancellation."),
  is_forward: z.boolean().describe("Hands on a message of somebody else."),
  is_encrypted: z.boolean().describe("The content is encrypted (S/MIME or PGP), and is not read."),
  is_signed: z.boolean().describe("Signed with S/MIME or PGP; the signature is not verified."),
  no_reply_sender: z.boolean().describe("The sender is an address that nobody reads."),
  evidence: z
    .array(
      z.object({
        rule: z.string().describe("Which rule decided: a stable word."),
        header: z.string().nullable().describe("The header that it read; null for anything else."),
        value: z.string().nullable().describe("What stood there."),
      }),
    )
    .describe("What each flag rests on: the rule, and the header or phrase that decided."),
});

export const bounceSchema = z
  .object({
    kind: z.enum(["dsn", "text"]).describe("dsn: a machine-readable report (RFC 3464). text: read from its words."),
    confidence: z.number().describe("1 for a dsn, less for what was read from words."),
    recipients: z
      .array(
        z.object({
          final: z.string().describe("The address that failed."),
          original: z.string().nullable().describe("The address as the sender wrote it (RFC 3461)."),
          action: z
            .enum(["failed", "delayed", "delivered", "relayed", "expanded"])
            .describe("What became of the message for that address (RFC 3464 §2.3.3)."),
          status: z.string().nullable().describe("Enhanced status code (RFC 3463): 5.1.1."),
          smtp_code: z.number().int().nullable().describe("Of the answer of the other server: 550."),
          diagnostic: z.string().nullable().describe("The words of the other server."),
          remote_mta: z.string().nullable().describe("The server that refused it, by its own word."),
          hard: z.boolean().describe("The address itself is bad: not a full mailbox, a size, a policy or a route."),
        }),
      )
      .describe("One entry for each address that the report is about."),
    reporting_mta: z.string().nullable().describe("The server that wrote the report."),
    original_message_id: z.string().nullable().describe("Of the returned message: finds its thread."),
    original_envelope_id: z.string().nullable().describe("ENVID of the returned message (RFC 3461 §4.4)."),
  })
  .describe("A delivery report (RFC 3464, or the words of those that do not follow it).");
export type Bounce = z.infer<typeof bounceSchema>;

export const complaintSchema = z
  .object({
    type: z.string().describe("Feedback-Type: abuse, fraud, virus, other, not-spam."),
    user_agent: z.string().nullable().describe("The program that wrote the report."),
    original_rcpt: z.array(z.string()).describe("Whom the message was for."),
    original_message_id: z.string().nullable().describe("Of the message complained about: finds its thread."),
    source_ip: z.string().nullable().describe("The address that it came from."),
  })
  .describe("A feedback report (RFC 5965).");
export type Complaint = z.infer<typeof complaintSchema>;

export const mdnSchema = z
  .object({
    disposition: z.string().describe("displayed, deleted, dispatched, processed (RFC 8098 §3.2.6.2)."),
    original_message_id: z.string().nullable().describe("Of the message that was read: finds its thread."),
    final_recipient: z.string().nullable().describe("Who read it."),
  })
  .describe("A read receipt (RFC 8098).");
export type Mdn = z.infer<typeof mdnSchema>;

const attendeeSchema = z.object({
  email: z.string().describe("Without the mailto: before it."),
  name: z.string().nullable().describe("CN of the attendee."),
  partstat: z
    .string()
    .nullable()
    .describe("ACCEPTED, DECLINED, TENTATIVE, NEEDS-ACTION and others (RFC 5545 §3.2.12)."),
  role: z.string().nullable().describe("REQ-PARTICIPANT, OPT-PARTICIPANT, CHAIR and others (RFC 5545 §3.2.16)."),
});

export const calendarSchema = z
  .object({
    method: z.string().nullable().describe("REQUEST, REPLY, CANCEL and others (RFC 5546 §1.4), in upper case."),
    uid: z.string().nullable().describe("The same for every message about this event (RFC 5545 §3.8.4.7)."),
    sequence: z.number().int().nullable().describe("With recurrence_id, which of two is newer."),
    recurrence_id: z.string().nullable().describe("Which one of a series it is about; null for all of it."),
    organizer: z
      .object({
        email: z.string().describe("Without the mailto: before it."),
        name: z.string().nullable().describe("CN of the organizer."),
      })
      .nullable()
      .describe("Who invites: a claim of the sender."),
    attendees: z.array(attendeeSchema).describe("Who is invited; in a reply, who answers."),
    start: z.string().nullable().describe("RFC 3339 UTC; local time where tz is null; a date where all_day."),
    end: z
      .string()
      .nullable()
      .describe("Written like start: the first moment, or the first day, that is no part of it."),
    tz: z
      .string()
      .nullable()
      .describe("IANA name; UTC; the name as sent where only the file knows it; null for floating and unknown zones."),
    all_day: z.boolean().describe("It has dates and no times."),
    summary: z.string().nullable().describe("Its title."),
    location: z.string().nullable().describe("Where, in words."),
    status: z.string().nullable().describe("CONFIRMED, TENTATIVE, CANCELLED; null where it is not said."),
    url: z.string().nullable().describe("Where to join or look: a claim of the sender."),
  })
  .describe("An event of a calendar part. The organizer is a claim, not the sender.");
export type Calendar = z.infer<typeof calendarSchema>;
