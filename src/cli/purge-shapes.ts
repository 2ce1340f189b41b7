/** What `purge` prints as JSON. */
import { z } from "zod";

/** What goes, or would. */
const one = z.object({
  class: z.enum(["raw", "event", "attachment", "preview", "stray"]),
  /** The event; of files and previews the SHA-256 of their content; of what no row names, where it lies. */
  what: z.string(),
  tenant: z.string().nullable(),
  bytes: z.number().int().nullable(),
});

export const purged = z.object({
  dry_run: z.boolean(),
  raw_messages: z.number().int(),
  raw_bytes: z.number().int(),
  /** Past their age, and their store did not delete them. */
  raw_messages_left: z.number().int(),
  event_bodies: z.number().int(),
  /** Files of mails, and the bytes of their contents, each counted once. */
  files: z.number().int(),
  file_bytes: z.number().int(),
  previews: z.number().int(),
  audit_entries: z.number().int(),
  /** What lies in a store and is named by no row. */
  strays: z.number().int(),
  stray_bytes: z.number().int(),
  /** Why a store was not swept. */
  stores_left: z.array(z.string()),
  /** Raw mail in a store of which the ledger knows nothing; it is never deleted. */
  unknown_raw_messages: z.number().int(),
  /** At most 1,000 of each class. */
  listed: z.array(one),
});
export type Purged = z.infer<typeof purged>;
