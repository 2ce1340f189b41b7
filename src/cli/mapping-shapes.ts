/** The shapes of what the `mapping` commands print with `--json`: part of the interface. */
import { z } from "zod";

/** A rule as it was read for one message. */
export const ruleReading = z.object({
  rule: z.string(),
  applies: z.boolean(),
  failed: z.string().nullable().describe("The first condition that does not apply, as it stands in the file."),
  took: z.array(z.string()).describe("What this rule decides: contact, company, deal, activity, skip, review."),
});

export const mappingFinding = z
  .object({
    file: z.string(),
    line: z.number().int().describe("Where the rule begins."),
    rule: z.string(),
    what: z.string().describe("Why it never decides anything, or which conditions contradict."),
  })
  .describe("A rule of a mapping file that somebody should look at.");
export type MappingFinding = z.infer<typeof mappingFinding>;

export const mappingTested = z
  .object({
    file: z.string().describe("The file of cases."),
    line: z.number().int().describe("Where the case begins."),
    mapping: z.string().nullable().describe("The mapping file that was tested; null: the built-in rules."),
    case: z.string().describe("Its name."),
    passed: z.boolean(),
    outcome: z.enum(["steps", "skip", "hold"]).describe("What was planned."),
    rule: z.string().describe("The rule that decided."),
    reason: z.string().nullable().describe("Of a skip or a hold."),
    differences: z
      .array(
        z.object({
          where: z.string().describe("As in the case: `steps[1].stage`."),
          expected: z.string(),
          found: z.string(),
        }),
      )
      .describe("Empty where it passed."),
    rules: z.array(ruleReading).describe("The rules of the file as they were read; none after a skip or review."),
  })
  .describe("One case of a mapping.");
export type MappingTested = z.infer<typeof mappingTested>;
