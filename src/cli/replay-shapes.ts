/** The shapes of what scrub and send print with --json. */
import { z } from "zod";

export const sent = z.array(
  z.object({
    file: z.string(),
    ok: z.boolean(),
    reply: z.string().describe("The server's last answer."),
  }),
);
export type Sent = z.infer<typeof sent>;

export const scrubbed = z.object({
  scrubbed: z.number().int(),
  failed: z.number().int(),
  files: z.array(
    z.object({
      file: z.string(),
      copy: z.string().nullable().describe("Its name in the folder of --out; null when there is none."),
      reason: z.string().nullable().describe("Why there is none."),
    }),
  ),
  shown: z.array(z.object({ text: z.string(), stands_for_it: z.string() })).describe("What --show asked for."),
});
export type Scrubbed = z.infer<typeof scrubbed>;
