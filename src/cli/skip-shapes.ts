/** What `events list --skipped` counts, as `--json` prints it. */
import { z } from "zod";

export const skipCounts = z
  .object({
    counts: z.array(
      z.object({
        tenant: z.string(),
        destination: z.string().describe("The destination's id within its tenant."),
        rule: z.string().nullable().describe("Null where many rare reasons are counted together."),
        reason: z.string(),
        messages: z.number().int(),
      }),
    ),
  })
  .describe("What was skipped, counted by destination, rule and reason, the most frequent first.");
