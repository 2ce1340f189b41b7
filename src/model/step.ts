/** STEPS: what should exist at a destination because of one message, in the order in which it has to come about. */
import { z } from "zod";
import { fileStatuses } from "./files.ts";
import { openDealChoices } from "./mapping.ts";

/** Everything a step of any kind has. `key` is computed from the mail alone (DESIGN: keys), so that a rebuilt ledger doubles nothing. */
const common = { key: z.string().regex(/^[0-9a-f]{64}$/), /** The rule that asked for this step. */ why: z.string() };

/** What a mapping asks for on a record that we make; never on one that is there. Older plans have neither. */
const wanted = {
  /** A user of the CRM, by address. */
  owner: z.string().nullable().optional(),
  /** By the CRM's internal names. */
  fields: z.record(z.string(), z.string()).optional(),
};

const person = z.object({
  kind: z.literal("person"),
  ...common,
  ...wanted,
  email: z.string(),
  /** Other addresses of the same person, by which the record may be known too. */
  also: z.array(z.string()).optional(),
  /** What an unknown person becomes where the CRM has both; contact where it is not said. */
  as: z.enum(["contact", "lead"]).optional(),
  name: z.string().nullable(),
  /** The company step of this plan that it belongs to: for a CRM whose people stand on a company, when it makes one. Older plans lack it. */
  company: z.object({ key: z.string(), domain: z.string() }).optional(),
  /** What the CRM should show as the origin of a record made by us. */
  source: z.literal("email"),
  /** Whether a missing person may be created; otherwise the step is only a look-up. */
  create: z.boolean(),
  /** The rule that keeps a missing person from being made; null where `create` is. Older plans lack it. */
  gate: z.string().nullable().optional(),
  /** Shown on a new record: the trust below `verified`, how its name came to us (`forwarded`, `form`, `list`), `role`, `disposable`. */
  flags: z.array(z.string()),
});
const company = z.object({
  kind: z.literal("company"),
  ...common,
  ...wanted,
  domain: z.string(),
  name: z.string(),
  create: z.boolean(),
});
const deal = z.object({
  kind: z.literal("deal"),
  ...common,
  ...wanted,
  name: z.string(),
  pipeline: z.string().nullable(),
  stage: z.string(),
  about: z.array(z.string()),
});
const mailbox = z.object({ email: z.string(), name: z.string().nullable() });
/** A file of the mail as the CRM shows it. `url` leads to a page that says more where the file is not served; null where there are no links. */
const filed = z.object({
  filename: z.string().nullable(),
  content_type: z.string(),
  size: z.number().int(),
  /** Older plans have none of these. */
  id: z.string().optional(),
  status: z.enum(fileStatuses).optional(),
  reason: z.string().nullable().optional(),
  url: z.string().nullable().optional(),
});
const activity = z.object({
  kind: z.literal("activity"),
  ...common,
  ...wanted,
  direction: z.enum(["inbound", "outbound"]),
  /** Epoch ms: the mail's Date where it is plausible, else when it was received. */
  at: z.number().int(),
  subject: z.string(),
  /** Plain text, whole; destinations cut to their own limit and say so. */
  text: z.string(),
  html: z.string().nullable(),
  from: mailbox.nullable(),
  to: z.array(mailbox),
  cc: z.array(mailbox),
  /** Who handed it on to us, where from and to are those of what was handed on. Older plans lack it. */
  forwarded_by: mailbox.nullable().optional(),
  /** For audit: Message-ID, In-Reply-To, References, Date, From, To, Cc, Delivered-To, as received. */
  headers: z.array(z.tuple([z.string(), z.string()])),
  message_id: z.string().nullable(),
  event_id: z.string(),
  /** The conversation that it belonged to when it was planned, and the number of the mapping that decided. Older plans have neither. */
  thread_id: z.string().optional(),
  mapping_version: z.number().int().optional(),
  attachments: z.array(filed),
  flags: z.array(z.string()),
  /** Keys of earlier steps of this plan (person, company, deal) that the activity belongs to. */
  about: z.array(z.string()),
  /**
   * Which of the open deals of its first person it is logged on too. The CRM is asked in the moment in which it is made, and one call makes it
   * with them: an activity that is there is not given others.
   */
  deals: z.enum(openDealChoices).optional(),
});
/**
 * What became of a mail's files after it was logged: the activity is to list them as they are now. `was`: what it may list meanwhile, the
 * latest first, so that a destination finds the very lines that are ours. `generation` counts these changes, so that a list can come back.
 */
const file = z.object({
  kind: z.literal("file"),
  ...common,
  /** Key of the activity, a step of this plan. */
  activity: z.string(),
  files: z.array(filed),
  was: z.array(z.array(filed)),
  generation: z.number().int(),
});
/** What has to be there for a run to be taken back: otherwise a person has changed it since, and it is left alone. Values are digests. */
const expected = z
  .object({
    fields: z.record(z.string(), z.string().nullable()),
    links: z.array(z.string()),
    had: z.boolean().optional(),
  })
  .optional();
/**
 * `from` is a step of this plan; `to` one of this plan, or of an earlier one of the same delivery. `generation` counts the moves of a record, so
 * that it can be moved back: a confirmed step is never worked again.
 */
const association = {
  from: z.string(),
  to: z.string(),
  generation: z.number().int().optional(),
  expect: expected,
  /** The key of the move of a run that this one takes back. */
  undoes: z.string().optional(),
};
const link = z.object({ kind: z.literal("link"), ...common, ...association });
const unlink = z.object({ kind: z.literal("unlink"), ...common, ...association });
const archive = z.object({ kind: z.literal("archive"), ...common, target: z.string(), expect: expected });
const eventCopy = z.object({ kind: z.literal("event_copy"), ...common, event: z.unknown() });

export const stepSchema = z.discriminatedUnion("kind", [
  person,
  company,
  deal,
  activity,
  file,
  link,
  unlink,
  archive,
  eventCopy,
]);
export type Step = z.infer<typeof stepSchema>;
export type StepKind = Step["kind"];
export type PersonStep = z.infer<typeof person>;
export type CompanyStep = z.infer<typeof company>;
export type DealStep = z.infer<typeof deal>;
export type LinkStep = z.infer<typeof link>;
export type ActivityStep = z.infer<typeof activity>;
export type Filed = z.infer<typeof filed>;
export type FileStep = z.infer<typeof file>;

/** What the plan says about one lane: the steps, or why there is nothing to do. */
export type Decision =
  | { readonly kind: "steps"; readonly rule: string; readonly steps: readonly Step[] }
  | { readonly kind: "skip"; readonly rule: string; readonly reason: string }
  | { readonly kind: "hold"; readonly rule: string; readonly reason: string };
