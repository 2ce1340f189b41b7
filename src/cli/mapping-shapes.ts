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

const count = z.number().int();
const side = z.object({
  outcome: z.enum(["steps", "skip", "hold"]),
  rule: z.string().describe("The rule that decides."),
  reason: z.string().nullable(),
});

export const mappingDiffed = z
  .object({
    old: z.string(),
    new: z.string(),
    tenant: z.string(),
    finished: z.boolean().describe("False when it was interrupted: the counts are of the messages up to there."),
    total: count.describe("Stored messages of the tenant, from --since on."),
    messages: z.object({
      create: count.describe("The new version asks for more, and for nothing less."),
      change: count.describe("For something else."),
      no_longer: count.describe("For less, and for nothing more."),
      rule: count.describe("For the same, by another rule."),
      same: count,
      waiting: count.describe("Not parsed yet."),
      purged: count.describe("Retention has removed the event."),
      copies: count.describe("Copies of another message; they stay what they are."),
      unreadable: count.describe("Sealed with another key, or damaged."),
    }),
    steps: z
      .array(z.object({ kind: z.string(), create: count, change: count, no_longer: count }))
      .describe("Steps by kind, not records: two mails of one person ask for the same contact."),
    differences: z
      .array(
        z.object({
          event_id: z.string(),
          message_id: z.string().nullable(),
          received_at: z.string().describe("RFC 3339, UTC."),
          kind: z.enum(["create", "change", "no_longer"]),
          old: side,
          new: side,
          steps: z.array(
            z.object({
              what: z.enum(["create", "change", "no_longer"]),
              kind: z.string(),
              key: z.string().describe("The external key."),
              does: z.string().describe("What the step brings about, as a sentence."),
              fields: z.array(z.string()).describe("Of a change: what is asked for otherwise."),
            }),
          ),
        }),
      )
      .describe("The newest of those that differ, oldest first; as many as --limit says."),
  })
  .describe("What another version of a mapping would do otherwise.");
export type MappingDiff = z.infer<typeof mappingDiffed>;
