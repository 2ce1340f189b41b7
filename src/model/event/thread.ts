/** Which conversation a message belongs to, how sure that is, and what else was considered. */
import { z } from "zod";

export const threadMethods = ["decision", "token", "gmail", "header", "thread_index", "subject", "new"] as const;
export type ThreadMethod = (typeof threadMethods)[number];

export const threadSchema = z
  .object({
    thread_id: z.string().describe("The same for every message of a conversation; survives when threads are merged."),
    parent_event_id: z.string().nullable().describe("The message that it answers, where that is known."),
    confidence: z.number().describe("From 0 to 1; 1 also for a message that begins its thread."),
    method: z.enum(threadMethods).describe("What joined it. decision: a person. new: nothing did."),
    review: z.boolean().describe("It was joined, but not surely: it is listed for review."),
    candidates: z
      .array(
        z.object({
          thread_id: z.string().describe("Of the thread that was considered."),
          score: z.number().describe("From 0 to 1."),
          reasons: z.array(z.string()).describe("Stable codes."),
        }),
      )
      .describe("Every thread that was considered and not joined, best first, ten at most."),
  })
  .describe("The conversation that it belongs to.");
export type Thread = z.infer<typeof threadSchema>;
