/** The shapes that `review` and `explain` print of what waits for a person and of what persons decided. */
import { z } from "zod";
import { reviewKinds } from "../model/reviews.ts";

const time = z.string().describe("RFC 3339, UTC.");
const note = z.string().nullable().describe("What was said with it.");

export const reviewShape = z
  .object({
    id: z.number().int().describe("For review show and resolve."),
    event_id: z.string(),
    message_id: z.string().nullable(),
    tenant: z.string(),
    kind: z
      .enum(reviewKinds)
      .describe(
        "held: nothing was delivered. thread: where it belongs is not sure. move: the CRM cannot move what is there; somebody has to.",
      ),
    detail: z.string().describe("Why, as a sentence."),
    at: time,
    resolved: z
      .object({
        at: time,
        by: z.string().describe("Who; mailwright where nobody had to decide any more."),
        as: z.string().describe("join, new, trust, reject, done; or released: by the rules, or by evidence."),
        note,
      })
      .nullable()
      .describe("Null while it is open."),
  })
  .meta({ id: "review", description: "Something that waits for a person, or did." });
export type ReviewShape = z.infer<typeof reviewShape>;

export const decisionShape = z
  .object({
    kind: z.enum(["join", "new", "trust", "reject", "done"]),
    with_event_id: z.string().nullable().describe("join: a message of the thread that it was joined to."),
    by: z.string(),
    at: time,
    note,
    stands: z.boolean().describe("False once a later answer to the same question replaced it."),
  })
  .meta({ id: "decision", description: "What a person decided about a message." });
export type DecisionShape = z.infer<typeof decisionShape>;
