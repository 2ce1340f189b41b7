/** What `mapping apply`, `undo` and `runs` print as JSON. */
import { z } from "zod";
import { deliveryStates } from "../model/ledger.ts";
import { stepSchema } from "../model/step.ts";
import { sampleShapes } from "./sample-shapes.ts";

const time = z.string().describe("RFC 3339, UTC.");
const kind = z.enum(stepSchema.options.map((option) => option.shape.kind.value));

export const runShape = z
  .object({
    run: z.number().int().describe("For mapping apply --continue and --status, and for mapping undo."),
    kind: z.enum(["apply", "undo"]),
    of: z.number().int().nullable().describe("undo: the run that it takes back."),
    tenant: z.string(),
    mapping_version: z.number().int(),
    cohort: z.record(z.string(), z.unknown()),
    by: z.string(),
    note: z.string().nullable(),
    at: time,
    state: z.enum(["choosing", "running", "stopped", "done"]),
    ended_at: time.nullable(),
  })
  .meta({ id: "run", description: "A mapping over stored messages, or the taking back of one." });
export type RunShape = z.infer<typeof runShape>;

export const runsOfEvent = z
  .array(runShape.extend({ message: z.enum(["waiting", "given", "planned", "unable"]) }))
  .describe("Mappings that were applied to it after it was stored, and taken back; newest first.");

const left = z.object({
  event_id: z.string(),
  message_id: z.string().nullable(),
  destination: z.string(),
  state: z.enum(deliveryStates),
  why: z.string().describe("What was not done, as a sentence."),
  records: z
    .array(z.object({ kind, ref: z.string().nullable(), why: z.string().nullable() }))
    .describe("What stays at the CRM, by its own ids."),
});
export type Left = z.infer<typeof left>;

export const runReport = runShape.extend({
  messages: z.object({
    chosen: z.number().int(),
    planned: z.number().int(),
    waiting: z.number().int().describe("Not planned yet."),
    unable: z.number().int().describe("Retention has left nothing to plan from, or it failed again and again."),
  }),
  deliveries: z.record(z.enum(deliveryStates), z.number().int()).describe("What became of what it planned."),
  made: z
    .array(
      z.object({
        kind,
        n: z.number().int(),
        adopted: z.boolean().describe("True: it was at the CRM already."),
        undone: z.boolean(),
      }),
    )
    .describe("What its plans asked for first, and what came about."),
  unable: z
    .array(z.object({ event_id: z.string(), message_id: z.string().nullable(), why: z.string() }))
    .describe("Messages that were not planned, and stay as they are; the first of them."),
  left: z
    .array(left)
    .describe("What it found and left alone: no longer wanted, or changed by a person. The first of them."),
  left_out: z.number().int().describe("More of these than are listed."),
});
export type RunReport = z.infer<typeof runReport>;

const change = z.object({ kind, n: z.number().int() });
export const runDry = z.object({
  dry_run: z.literal(true),
  tenant: z.string(),
  messages: z.number().int(),
  unable: z.number().int().describe("Retention has left nothing to plan from."),
  lanes: z.array(
    z.object({
      destination: z.string(),
      unchanged: z.number().int().describe("Messages for which nothing would be done."),
      asked: z.array(change).describe("Steps that would be asked for and did not come about yet."),
      unwanted: z.array(change).describe("What came about and would not be asked for any more; it would stay."),
      skipped: z.number().int().describe("Messages that would be skipped and are at the CRM."),
    }),
  ),
});
export type RunDry = z.infer<typeof runDry>;

/** By the command that prints it; those of sampled reviews too. */
export const runShapes = {
  "mapping apply": runReport,
  "mapping apply --dry-run": runDry,
  "mapping runs": z.array(runShape),
  "mapping undo": runReport,
  ...sampleShapes,
} as const;
