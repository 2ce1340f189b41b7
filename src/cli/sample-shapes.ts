/** What `review --sampled` prints as JSON. */
import { z } from "zod";
import { sampleAnswers } from "../model/samples.ts";
import { stepSchema } from "../model/step.ts";

const time = z.string().describe("RFC 3339, UTC.");
const kind = z.enum(stepSchema.options.map((option) => option.shape.kind.value));

const sampleShape = z
  .object({
    event_id: z.string(),
    message_id: z.string().nullable(),
    tenant: z.string(),
    at: time.describe("When it was drawn: with its delivery."),
    resolved: z
      .object({ at: time, by: z.string(), as: z.enum(sampleAnswers), note: z.string().nullable() })
      .nullable()
      .describe("Null while nobody has compared it."),
  })
  .meta({ id: "sample", description: "A delivered mail that a person is asked to compare with what the CRM holds." });
export type SampleShape = z.infer<typeof sampleShape>;

const compared = sampleShape.extend({
  mail: z
    .object({
      from: z.string().nullable(),
      to: z.array(z.string()),
      subject: z.string().nullable(),
      date: z.string().nullable(),
      trust: z.string(),
      thread_id: z.string(),
      attachments: z.array(z.string()),
      text: z.string().describe("Its beginning."),
    })
    .nullable()
    .describe("Null where retention has removed it."),
  crm: z.array(
    z.object({
      destination: z.string(),
      kind,
      ref: z.string().describe("The CRM's own id."),
      why: z.string().describe("The rule that asked for it."),
      there: z
        .enum(["yes", "archived", "gone", "unread"])
        .describe("unread: the CRM did not answer; `problem` says why."),
      problem: z.string().nullable(),
      fields: z.record(z.string(), z.string().nullable()).describe("As the CRM holds them now."),
    }),
  ),
});
export type Compared = z.infer<typeof compared>;

/** By the command that prints it. */
export const sampleShapes = {
  "review list --sampled": z.array(sampleShape),
  "review resolve --sampled": sampleShape,
  "review show --sampled": compared,
} as const;
