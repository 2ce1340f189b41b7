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
    })
    .describe("Whether the mailbox can be read."),
  next: z.array(z.string()).describe("Commands, in their order."),
});
export type Initialised = z.infer<typeof initialised>;

const failed = z.array(z.object({ folder: z.string(), uid: z.number().int(), reason: z.string() }));

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
      left: z.number().int(),
    }),
  ),
  refused: failed.describe("Not taken, and why."),
});
export type Backfilled = z.infer<typeof backfilled>;

export const coverage = z.object({
  account: z.string().describe("tenant/id."),
  since: z.string().nullable(),
  percent: z.number().describe("Messages that have an activity or a reason, of all."),
  total: z.number().int(),
  tally: z.record(z.enum(coverageKinds), z.number().int()),
  repaired: z.number().int(),
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
