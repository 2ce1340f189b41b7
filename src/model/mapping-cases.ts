/** What a case of a mapping states of a mail, and what it expects of its plan. Words only; `mapping/` compares them. */
import { z } from "zod";
import { trustLevels } from "./event/auth.ts";
import { threadMethods } from "./event/thread.ts";
import { openDealChoices } from "./mapping.ts";
import { stepSchema } from "./step.ts";

const text = z.string().max(2_000);
const orNone = z.union([text, z.null()]);
const owner = orNone.optional().describe("The address of the user who is to own it; null: nobody.");
const fields = z
  .record(z.string(), text)
  .optional()
  .describe("Fields of the CRM that are to be set, by internal name; others may be set too.");
const flags = z.array(text).optional().describe("Exactly these, in any order.");
const comes = z
  .enum(["found", "created"])
  .optional()
  .describe("What comes of it at a CRM that knows `known.records` and nothing else.");
const stepKinds = stepSchema.options.map((option) => option.shape.kind.value);

const person = z.strictObject({
  kind: z.literal("person"),
  email: text.optional(),
  name: orNone.optional(),
  also: z.array(text).optional().describe("Other addresses that it is looked up by."),
  as: z.enum(["contact", "lead"]).optional(),
  create: z.boolean().optional().describe("Whether an unknown one is made."),
  gate: orNone.optional().describe("The rule that keeps an unknown one from being made."),
  flags,
  owner,
  fields,
  comes,
});
const company = z.strictObject({
  kind: z.literal("company"),
  domain: text.optional(),
  create: z.boolean().optional(),
  owner,
  fields,
  comes,
});
const deal = z.strictObject({
  kind: z.literal("deal"),
  name: text.optional(),
  pipeline: orNone.optional().describe("null: the CRM's first one."),
  stage: text.optional(),
  owner,
  fields,
});
const activity = z.strictObject({
  kind: z.literal("activity"),
  direction: z.enum(["inbound", "outbound"]).optional(),
  subject: text.optional(),
  text: text.optional().describe("A pattern that its text holds: letters without case, `*` for anything."),
  attachments: z.array(text).optional().describe("The names of its files, in order."),
  deals: z
    .union([z.enum(openDealChoices), z.null()])
    .optional()
    .describe("On which open deals of the contact it is logged too; null: none."),
  about: z
    .array(z.enum(["person", "company", "deal"]))
    .optional()
    .describe("Kinds of the records that it is logged on, each once."),
  flags,
  owner,
  fields,
});
const link = z.strictObject({ kind: z.literal("link") }).describe("The association of a person with a company.");

export const expectedStep = z.discriminatedUnion("kind", [person, company, deal, activity, link]);
export type ExpectedStep = z.output<typeof expectedStep>;

/** Partial: what is not said is not compared. */
export const expectation = z
  .strictObject({
    outcome: z.enum(["steps", "skip", "hold"]).optional(),
    rule: text
      .min(1)
      .optional()
      .describe("The rule that decides: a name of the file, or a built-in one (`people.internal`, `default.inbound`)."),
    reason: text.min(1).optional().describe("A pattern that the reason of a skip or a hold contains."),
    steps: z.array(expectedStep).max(100).optional().describe("Each is to be found in the plan; others may be there."),
    no: z.array(z.enum(stepKinds)).min(1).optional().describe("Kinds of which the plan is to have no step."),
  })
  .refine((all) => Object.keys(all).length > 0, { error: "outcome, rule, reason, steps or no" })
  .describe("What the plan is to be; what is not said is not compared.");
export type Expectation = z.output<typeof expectation>;

const score = z.number().min(0).max(1);
export const knownOfCase = z
  .strictObject({
    trust: z
      .enum([...trustLevels, "trusted"])
      .optional()
      .describe(
        "How sure it is who sent it; trusted: aligned-weak, and a person trusts the sender. Default: what the mail alone shows.",
      ),
    thread: z.enum(["new", "known"]).optional().describe("Whether it begins a conversation (default) or answers one."),
    method: z.enum(threadMethods).optional().describe("What joined it to a known thread. Default: header."),
    confidence: score.optional().describe("How sure it is that it belongs to its thread. Default: 1."),
    deal: z
      .strictObject({ pipeline: orNone.default(null), stage: text.default("qualification") })
      .optional()
      .describe("Its thread has a deal already, asked for with these."),
    records: z
      .strictObject({
        contacts: z.array(text).default([]).describe("Addresses."),
        companies: z.array(text).default([]).describe("Domains."),
      })
      .optional()
      .describe("What the CRM holds. Stated, a person who is not there and may not be made holds the mail."),
  })
  .describe("What is known of the mail beside its bytes.");
export type KnownOfCase = z.output<typeof knownOfCase>;

/** One thing that is not as it was expected. */
export interface Difference {
  /** As it stands in the case: `steps[1].stage`. */
  readonly where: string;
  readonly expected: string;
  readonly found: string;
}
