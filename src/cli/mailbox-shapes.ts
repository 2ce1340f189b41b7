/** The shapes of what init, backfill and audit coverage print with --json. */
import { z } from "zod";
import { coverageKinds } from "../main.ts";

export const initialised = z.object({
  file: z.string().describe("The configuration that was written."),
  mapping: z.string().nullable(),
  secrets: z.array(z.string()).describe("Files that hold a secret each, mode 0600."),
  unset: z.array(z.string()).describe("Environment variables that the configuration wants, and that are not set here."),
  login: z
    .object({
      checked: z.boolean(),
      ok: z.boolean().nullable().describe("Null where it was not tried."),
      detail: z.string().nullable(),
      folders: z.array(z.object({ name: z.string(), messages: z.number().int() })),
      refused: z
        .array(z.object({ name: z.string(), reason: z.string() }))
        .describe("Folders that the server does not let us open."),
    })
    .describe("Whether the mailbox can be read."),
  next: z.array(z.string()).describe("Commands, in their order."),
});
export type Initialised = z.infer<typeof initialised>;

const failed = z.array(z.object({ folder: z.string(), uid: z.number().int(), reason: z.string() }));
const unread = z
  .array(z.object({ folder: z.string(), reason: z.string() }))
  .describe("Folders that could not be looked at.");

export const backfilled = z.object({
  account: z.string().describe("tenant/id."),
  since: z.string().describe("RFC 3339, UTC; the server compares by the day."),
  dry_run: z.boolean(),
  stopped: z.boolean().describe("Run the same command again: it goes on where it stopped."),
  folders: z.array(
    z.object({
      folder: z.string(),
      found: z.number().int().describe("Messages of that time at the server."),
      known: z.number().int().describe("Those that were in the ledger before."),
      taken: z.number().int().describe("New in the ledger now."),
      duplicates: z.number().int().describe("The same mail had come another way: merged."),
      given_up: z.number().int().describe("Given up earlier: `mailwright quarantine retry` lets them be tried again."),
      gone: z.number().int().describe("No longer at the server when they were asked for."),
      left: z.number().int(),
    }),
  ),
  refused: failed.describe("Not taken, and why. What broke every time is quarantined."),
  unread,
});
export type Backfilled = z.infer<typeof backfilled>;

export const coverage = z.object({
  account: z.string().describe("tenant/id."),
  since: z.string().nullable(),
  percent: z
    .number()
    .nullable()
    .describe("Messages that have an activity or a reason, of all. Null where a folder could not be looked at."),
  total: z.number().int(),
  tally: z.record(z.enum(coverageKinds), z.number().int()),
  repaired: z.number().int(),
  repairs: z
    .array(
      z.object({
        folder: z.string(),
        uid: z.number().int(),
        outcome: z.enum(["new", "duplicate", "gone", "refused", "failed", "given_up"]),
        missed: z.string().nullable().describe("Why it was missing, where that is known."),
        reason: z.string().nullable().describe("Why it could not be taken in."),
      }),
    )
    .describe("What became of each that was missing, with --repair."),
  unread,
  folders: z.array(z.object({ folder: z.string(), total: z.number().int(), missing: z.number().int() })),
  messages: z.array(
    z.object({
      folder: z.string(),
      uid: z.number().int(),
      state: z
        .enum(coverageKinds)
        .describe(
          "logged: an activity in every CRM. decided: skipped, held or failed, with the reason. pending: on its way. before: older than the watch. given_up: it could not be fetched. missing: nobody knows it.",
        ),
      reason: z.string().nullable(),
      event_id: z.string().nullable(),
      activities: z.array(z.object({ destination: z.string(), id: z.string() })),
    }),
  ),
});
export type Coverage = z.infer<typeof coverage>;

const quarantinedRow = z.object({
  account: z.string().describe("tenant/id."),
  folder: z.string(),
  uidvalidity: z.number().int(),
  uid: z.number().int(),
  reason: z.string(),
  attempts: z.number().int(),
  at: z.string().describe("When it was given up. RFC 3339, UTC."),
  old: z.boolean().describe("Older than the watch: `mailwright backfill` had tried it."),
});
export type QuarantinedRow = z.infer<typeof quarantinedRow>;
export const quarantinedRows = z
  .array(quarantinedRow)
  .describe("Messages of mailboxes that were given up, by mailbox, folder and UID.");

export const quarantineRetried = z.object({
  account: z.string(),
  live: z.number().int().describe("Tried again at the next look at their folder."),
  old: z.number().int().describe("Left to `mailwright backfill`."),
});

const mailboxRow = z.object({
  account: z.string().describe("tenant/id."),
  configured: z.boolean(),
  blocked: z
    .object({ since: z.string(), reason: z.string() })
    .nullable()
    .describe("While the server refuses the login."),
  folders: z.array(
    z.object({
      folder: z.string(),
      uidvalidity: z.number().int(),
      last_uid: z.number().int().describe("All at or below it are accounted for, or wait for their next try."),
      behind: z.number().int().describe("UIDs that the server has given out above it, as of its last word."),
      waiting: z.number().int().describe("They failed, and are tried again."),
      quarantined: z.number().int().describe("They were given up: `mailwright quarantine list`."),
      actions_pending: z.number().int().describe("What `after` asks for and was not seen to hold yet."),
      up_to_date_at: z.string().describe("When nothing was left to do. RFC 3339, UTC."),
    }),
  ),
});
export type MailboxRow = z.infer<typeof mailboxRow>;
export const mailboxRows = z.array(mailboxRow).describe("Mailboxes that were read, with their folders.");
