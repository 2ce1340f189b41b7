/** What `score --json` prints. */
import { z } from "zod";

const share = {
  right: z.number().int().describe("Expected fields that came out right."),
  of: z.number().int().describe("Fields that are expected."),
  accuracy: z.number().describe("right / of; 0 where nothing is expected."),
};
export const scored = z
  .object({
    messages: z.number().int(),
    right_messages: z.number().int().describe("Messages with every expected field right."),
    ...share,
    families: z.array(
      z.object({
        family: z.string().describe("Subfolder; a dot for messages of the folder itself."),
        messages: z.number().int(),
        right_messages: z.number().int(),
        ...share,
      }),
    ),
    fields: z.array(
      z.object({
        field: z
          .string()
          .describe("bounce.recipients[].status: entries of a list together; [] at the end: how many there are."),
        ...share,
      }),
    ),
    misses: z
      .array(z.object({ file: z.string(), field: z.string(), expected: z.string(), got: z.string() }))
      .describe("The first thousand; values as JSON, cut to 300 characters."),
    misses_left_out: z.number().int(),
    threads: z
      .object({
        messages: z.number().int(),
        conversations: z.number().int(),
        threaders: z
          .array(
            z.object({
              name: z.string(),
              how: z.string().describe("What it goes by, in one line."),
              precision: z.number().describe("Of the pairs of mails that it puts together, how many belong together."),
              recall: z.number().describe("Of the pairs that belong together, how many it puts together."),
              f1: z.number().describe("The harmonic mean of the two."),
            }),
          )
          .describe("Ours first, then plainer ones."),
        misses: z
          .array(z.object({ kind: z.enum(["torn", "mixed"]), parts: z.array(z.string()) }))
          .describe(
            "torn: one conversation in several threads. mixed: one thread of several conversations. The files of each part.",
          ),
      })
      .nullable()
      .describe("How mails are sorted into conversations; null where no description names one."),
    refused: z.array(z.object({ file: z.string(), reason: z.string() })).describe("Files that say nothing to compare."),
  })
  .describe("How much of what is expected of a folder's messages came out right.");
export type ScoreShape = z.infer<typeof scored>;
