/** The shapes that `threads` prints. */
import { z } from "zod";
import { threadMethods, threadSchema } from "../model/event/thread.ts";
import { decisionShape, reviewShape } from "./review-shapes.ts";

const time = z.string().describe("RFC 3339, UTC.");

export const threadSummaryShape = z
  .object({
    thread_id: z.string(),
    tenant: z.string(),
    messages: z.number().int(),
    first_at: time,
    last_at: time,
    place: z.number().int().describe("For --before: the next page."),
  })
  .describe("A conversation.");

export const threadShape = z
  .object({
    thread_id: z.string(),
    tenant: z.string(),
    aliases: z.array(z.string()).describe("Ids that it had before others were merged into it."),
    reply_to: z
      .string()
      .nullable()
      .describe(
        "Put into Reply-To, whatever answers it joins this thread. Null where no inbound address has room for it.",
      ),
    messages_left_out: z.number().int().describe("Older ones, of a very long thread."),
    messages: z
      .array(
        z.object({
          event_id: z.string(),
          message_id: z.string().nullable(),
          written_at: time,
          from: z.string().nullable().describe("Null also once retention has removed the event."),
          subject: z.string().nullable(),
          state: z.string().describe("What became of it at its destinations."),
          parent_event_id: z.string().nullable(),
          method: z.enum(threadMethods).nullable().describe("What joined it."),
          confidence: z.number().nullable(),
          candidates: threadSchema.shape.candidates,
          decisions: z.array(decisionShape),
          reviews: z.array(reviewShape).describe("Open ones."),
        }),
      )
      .describe("In the order in which they were written."),
  })
  .describe("A conversation with its messages.");
export type ThreadShape = z.infer<typeof threadShape>;

export const threadsChangedShape = (worker: z.ZodType<"daemon" | "command" | "later">) =>
  z.object({
    decided: z.array(
      z.object({ event_id: z.string(), kind: z.enum(["join", "new"]), with_event_id: z.string().nullable() }),
    ),
    by: z.string(),
    note: z.string().nullable(),
    worked_by: worker,
    threads: z.array(threadShape).describe("As they stand now: one after a merge, two after a split."),
  });
