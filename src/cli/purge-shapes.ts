/** What `purge` prints as JSON. */
import { z } from "zod";

export const purged = z.object({
  dry_run: z.boolean(),
  raw_messages: z.number().int(),
  raw_bytes: z.number().int(),
  event_bodies: z.number().int(),
  /** Files of mails, and the bytes of their contents, each counted once. */
  files: z.number().int(),
  file_bytes: z.number().int(),
});
