/** The mapping file: rules in order, each with conditions and with what should exist at the CRM because of a mail. Words only; `mapping/` reads them. */
import { z } from "zod";
import { sourceKinds } from "./envelope.ts";
import { trustLevels } from "./event/auth.ts";
import { automatedKinds } from "./event/class.ts";

/** A pattern in text: letters without case, `*` for anything. Never a regular expression: nobody can write one that does not end. */
const pattern = z.string().min(1).max(200);
/** One or several; of several, one is enough. */
const some = <T extends z.ZodType>(one: T) => z.union([one, z.array(one).min(1).max(500)]);
const patterns = some(pattern);
const level = z.enum(trustLevels);
/** What a mail's own records may be made from. Suspicious mail makes none, whatever a rule says. */
export const makingLevels = ["verified", "aligned-weak", "unverified"] as const;
const making = z.enum(makingLevels);

const bytes = z.int().min(0);
const score = z.number().min(0).max(1);

const conditionShape = {
  recipient: patterns.optional().describe("Inbound addresses that it came by, without their tag: `deals@*`."),
  tag: patterns.optional().describe("Tags of those addresses: `us-east` of deals+us-east@."),
  mailbox: patterns.optional().describe("IMAP folders that it came by: `Sales/*`."),
  account: patterns.optional().describe("IMAP account that it came by first, by its id in the configuration: `kim`."),
  source: some(z.enum(sourceKinds)).optional().describe("How it came."),
  sender: patterns.optional().describe("Addresses of whoever it is filed under: `*@client.example`."),
  domain: patterns.optional().describe("Domains of whoever it is filed under, subdomains included: `client.example`."),
  sender_kind: some(z.enum(["role", "freemail", "disposable", "no_reply"]))
    .optional()
    .describe("What kind of address that is."),
  colleague: patterns.optional().describe("Colleagues who take part: `kim@acme.example`."),
  subject: patterns.optional().describe("Found anywhere in the subject: `quote`, `order *`."),
  direction: some(z.enum(["inbound", "outbound", "internal"]))
    .optional()
    .describe("Which way it goes. A rule that does not name `internal` is not about internal mail."),
  class: some(z.enum(automatedKinds))
    .optional()
    .describe(
      "What wrote it: `person`, `list`, `notification` … A rule that names no class is about people's mail and invitations only.",
    ),
  trust: z
    .union([some(level), z.strictObject({ at_least: making })])
    .optional()
    .describe("How sure it is who sent it. A rule that does not name `suspicious` is not about suspicious mail."),
  thread: z
    .enum(["new", "known"])
    .optional()
    .describe(
      "new: it begins a conversation. An answer is `known`, also where what it answers has never come: it names a message, and its subject says so (`Re:`).",
    ),
  confidence: z
    .strictObject({ at_least: score.optional(), below: score.optional() })
    .optional()
    .describe("How sure it is that it belongs to its thread, from 0 to 1."),
  size: z
    .strictObject({ at_least: bytes.optional(), below: bytes.optional() })
    .optional()
    .describe("Of the whole mail, in bytes."),
  attachments: z
    .union([
      z.boolean(),
      z.strictObject({
        type: patterns.optional().describe("As declared or as detected: `application/pdf`, `image/*`."),
        name: patterns.optional().describe("`*.pdf`."),
      }),
    ])
    .optional()
    .describe("Whether it has files, and which; pictures that its text shows do not count."),
  language: some(z.string().regex(/^[a-z]{2}$/, { error: "a language as two letters (en, de)" }))
    .optional()
    .describe("Of what was written this time, where that is long enough to tell."),
  list: z.boolean().optional().describe("Whether it came through a mailing list."),
  backfill: z
    .boolean()
    .optional()
    .describe("Whether it is old mail of a mailbox, which `mailwright backfill` took in."),
} as const;
const conditions = z.strictObject(conditionShape);

const when = conditions
  .extend({
    any: z.array(conditions).min(1).max(50).optional().describe("At least one of these applies."),
    not: some(conditions).optional().describe("None of these applies."),
  })
  .describe("All of these apply. Empty: every mail that rules are about.");

/** What may stand between the braces of a template. */
export const templateWords = [
  "subject",
  "sender.email",
  "sender.name",
  "sender.domain",
  "organisation",
  "recipient",
  "tag",
  "mailbox",
  "direction",
  "language",
  "trust",
  "date",
  "received_at",
  "message_id",
  "event_id",
  "thread_id",
  "mapping_version",
] as const;
export type TemplateWord = (typeof templateWords)[number];
const braces = /\{\{([^{}]{0,100})\}\}/g;
const isKnown = (word: string): boolean => (templateWords as readonly string[]).includes(word);

/** Text with `{{subject}}` and the like in it: values are put in, nothing is ever run. */
const template = z
  .string()
  .max(2_000)
  .refine((text) => [...text.matchAll(braces)].every(([, word]) => isKnown((word ?? "").trim())), {
    error: `text in which {{...}} holds one of ${templateWords.join(", ")}`,
  });
/** The CRM's own names of fields. A Map is made of them, never an object's keys. */
const fields = z
  .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_.]{0,99}$/, { error: "the internal name of a field" }), template)
  .refine((all) => Object.keys(all).length <= 50, { error: "at most 50 fields" })
  .describe("Fields of the CRM by their internal name, for new records only: a person's values are never overwritten.");
const owner = z
  .email({ error: "the address of a user of the CRM" })
  .describe("The user of the CRM who owns what is made: an address.");

const contact = z.strictObject({
  as: z.enum(["contact", "lead"]).optional().describe("Where the CRM has both: what an unknown person becomes."),
  create: z
    .union([z.literal(false), making])
    .optional()
    .describe(
      "The trust from which on an unknown person is made; false: only looked up. Default: trust.create_contact.",
    ),
  owner: owner.optional(),
  fields: fields.optional(),
});
/**
 * From which sender on a company or a deal is made. trusted: verified, or a sender whom a person trusts, as long as the domain that vouched for
 * him does so again.
 */
export const sureLevels = ["verified", "trusted", "aligned-weak"] as const;
export type SureLevel = (typeof sureLevels)[number];
const sure = z.enum(sureLevels);
const company = z.strictObject({
  create: sure
    .optional()
    .describe(
      "The sender from whom on the mail belongs to its sender's company, made where it is unknown: verified; trusted (default): also whom a person trusts (`review resolve`); aligned-weak.",
    ),
  owner: owner.optional(),
  fields: fields.optional(),
});
const newDeal = z.strictObject({
  trust: sure
    .optional()
    .describe(
      "The sender from whom on it is made: verified; trusted (default): also whom a person trusts (`review resolve`); aligned-weak.",
    ),
  pipeline: z.string().min(1).max(200).optional().describe("By its name at the CRM. Default: its first one."),
  stage: z.string().min(1).max(200).optional().describe("By its name at the CRM. Default: qualification."),
  name: template.optional().describe("Default: the subject without Re: and the like."),
  owner: owner.optional(),
  fields: fields.optional(),
});
/** What becomes of a mail whose thread has no deal. */
export const dealChoices = ["none", "review", "newest", "recent_five"] as const;
/** Those that are answered at the CRM, when the mail is logged. */
export const openDealChoices = ["newest", "recent_five"] as const satisfies readonly (typeof dealChoices)[number][];
export type OpenDealChoice = (typeof openDealChoices)[number];
const deal = z.strictObject({
  create: newDeal
    .optional()
    .describe(
      "Made when it begins a conversation, by a sender who is sure enough. Later mail of it belongs to the same deal.",
    ),
  else: z
    .enum(dealChoices)
    .optional()
    .describe(
      "Where the thread has no deal and none is made: none (default); review: a person decides; newest: the newest open deal of the contact; recent_five: its five newest, as HubSpot does. Mail of verified senders, and of those whom a person trusts, only.",
    ),
});
const activity = z.strictObject({
  body: z.enum(["whole", "reply"]).optional().describe("reply: without what is quoted. Default: whole."),
  attachments: z.enum(["links", "names", "none"]).optional().describe("Default: links, where http.public_url is set."),
  owner: owner.optional(),
  fields: fields.optional(),
});

const outcomes = z.strictObject({
  skip: z.string().min(1).max(300).optional().describe("Nothing is made; this is the reason that is recorded."),
  review: z.string().min(1).max(300).optional().describe("It waits for a person; this is why."),
  contact: contact.optional(),
  company: z
    .union([company, z.literal(false)])
    .optional()
    .describe("The company of the sender's domain; false: none."),
  deal: z
    .union([deal, z.literal(false)])
    .optional()
    .describe("The deal that it belongs to; false: none."),
  activity: activity.optional(),
});

const flag = z
  .strictObject({
    percent: z.number().min(0).max(100).optional().describe("Of threads. One is always on the same side."),
    domain: patterns.optional().describe("As in `when`."),
    sender: patterns.optional().describe("As in `when`."),
    recipient: patterns.optional().describe("As in `when`."),
    mailbox: patterns.optional().describe("As in `when`."),
    account: patterns.optional().describe("As in `when`."),
  })
  .refine((all) => Object.keys(all).length > 0, { error: "percent, domain, sender, recipient, mailbox or account" })
  .describe("A feature flag: whom it is in force for; all of what is named has to apply.");

const rule = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, {
        error: "lower-case letters, digits, dots, hyphens and underscores, 64 at most",
      })
      .describe("Stands in `explain`, in the ledger and in figures: keep it when you change the rule's words."),
    when: when.prefault({}),
    only: flag.optional(),
    do: outcomes,
    stop: z.boolean().default(false).describe("No later rule is read, even for what this one leaves open."),
  })
  .refine(({ do: outcome }) => Object.keys(outcome).length > 0, { error: "at least one outcome", path: ["do"] })
  .refine(({ do: { skip, review, ...others } }) => (skip ?? review) === undefined || isAlone(skip, review, others), {
    error: "skip or review alone",
    path: ["do"],
  });

function isAlone(skip: string | undefined, review: string | undefined, others: object): boolean {
  return Object.keys(others).length === 0 && (skip === undefined) !== (review === undefined);
}

const ownership = z.strictObject({
  when: conditions.describe("As in a rule."),
  owner,
});

/** The form of the file itself, raised when words change their meaning. */
export const mappingSchema = z
  .strictObject({
    rules: z
      .array(rule)
      .max(500)
      .default([])
      .describe(
        "Read from the top. Of each kind of record, the first rule that applies and speaks of it decides; a rule with skip or review ends the reading. What no rule speaks of is as without a file.",
      ),
    owners: z
      .array(ownership)
      .max(1_000)
      .default([])
      .describe("Who owns what is made, where the rule does not say: the first that applies."),
    same_person: z
      .array(
        z
          .array(z.email({ error: "an address" }))
          .min(2)
          .max(20),
      )
      .max(10_000)
      .default([])
      .describe("Addresses of one person each: the contact is looked up by all of them, and made with the mail's own."),
    only: flag.optional().describe("The whole file is in force for these; what happens with all others, `else` says."),
    else: z
      .string()
      .min(1)
      .max(1_000)
      .optional()
      .meta({ path: true })
      .describe(
        "The mapping file, relative to this one, that decides about mail that this one is not in force for: the version of before. Without it, such mail is treated as without a file.",
      ),
  })
  .superRefine(({ rules, only, else: other }, context) => {
    if (other !== undefined && only === undefined)
      context.addIssue({
        code: "custom",
        message: "`only` beside it: without one, this file is in force for all mail",
        path: ["else"],
      });
    const seen = new Set<string>();
    for (const [index, { name }] of rules.entries()) {
      if (seen.has(name)) {
        context.addIssue({
          code: "custom",
          message: "a name that no earlier rule has",
          path: ["rules", index, "name"],
        });
      }
      seen.add(name);
    }
  })
  .describe("Mailwright's mapping: which mail becomes what at the CRM.");

/** `otherwise`: what `else` names, read. */
export type MappingFile = z.output<typeof mappingSchema> & { readonly otherwise?: MappingFile };
export type MappingRule = MappingFile["rules"][number];
export type Conditions = z.output<typeof conditions>;
export type When = MappingRule["when"];
export type Flag = z.output<typeof flag>;
export type Outcomes = z.output<typeof outcomes>;
export type NewDealOutcome = z.output<typeof newDeal>;
export type DealChoice = (typeof dealChoices)[number];
