/** The shapes that `--json` prints: part of the interface, published as docs/cli.schema.json. Fields are only ever added. */
import { z } from "zod";
import { eventSchema } from "../model/event.ts";
import { deliveryStates, failureReasons, stepStates } from "../model/ledger.ts";
import { stepSchema } from "../model/step.ts";
import { auditShape, fileShape } from "./file-shapes.ts";
import {
  backfilled,
  coverage,
  initialised,
  mailboxRows,
  quarantinedRows,
  quarantineRetried,
} from "./mailbox-shapes.ts";
import { mappingDiffed, mappingFinding, mappingTested, ruleReading } from "./mapping-shapes.ts";
import { purged } from "./purge-shapes.ts";
import { scrubbed, sent } from "./replay-shapes.ts";
import { decisionShape, reviewShape } from "./review-shapes.ts";
import { runShapes, runsOfEvent } from "./run-shapes.ts";
import { scored } from "./score-shapes.ts";
import { skipCounts } from "./skip-shapes.ts";
import { threadShape, threadSummaryShape, threadsChangedShape } from "./thread-shapes.ts";
import { doctorReport, lifecycleApplied } from "./upkeep-shapes.ts";

const time = z.string().describe("RFC 3339, UTC.");
const timeOrNull = z.string().nullable().describe("RFC 3339, UTC; null when it has not happened.");
const stepKind = z.enum(stepSchema.options.map((option) => option.shape.kind.value));
const eventId = z.string().describe("UUID version 7; the same on every reprocess.");
const messageId = z.string().nullable().describe("As in the mail, with angle brackets; null when it has none.");
const destination = z.string().describe("The destination's id within its tenant.");

export const stepShape = z
  .object({
    kind: stepKind,
    key: z.string().describe("The external key, computed from the mail alone."),
    why: z.string().describe("The rule that asked for this step."),
    state: z.enum(stepStates),
    sends: z.number().int().describe("Creates sent so far."),
    ref: z.string().nullable().describe("The CRM's own id, once confirmed."),
    adopted: z.boolean().describe("True when the record was already there."),
    reason: z.string().nullable(),
    note: z.string().nullable(),
    sent_at: timeOrNull,
    settled_at: timeOrNull,
  })
  .meta({ id: "step", description: "One record or association that should exist at the CRM." });

export const deliveryShape = z
  .object({
    id: z.number().int(),
    destination,
    state: z.enum(deliveryStates),
    rule: z.string().nullable(),
    reason: z.string().nullable(),
    detail: z.string().nullable(),
    attempts: z.number().int(),
    due_at: timeOrNull,
    settled_at: timeOrNull,
    mapping_version: z.number().int(),
    steps: z.array(stepShape),
  })
  .meta({ id: "delivery", description: "What became of one message at one destination." });

export const eventSummaryShape = z
  .object({
    event_id: eventId,
    message_id: messageId,
    tenant: z.string(),
    received_at: time,
    source: z.string(),
    routes: z.array(z.string()),
    stage: z.enum(["accepted", "prepared"]).describe("accepted: waits for its parse. prepared: decided."),
    parse_status: z.enum(["ok", "partial", "failed"]).nullable(),
    raw: z.object({
      sha256: z.string(),
      size: z.number().int(),
      place: z.enum(["inline", "spool", "blob", "gone"]),
    }),
    conflict: z.boolean().describe("The same Message-ID came with other content."),
    deliveries: z.array(deliveryShape),
  })
  .describe("One received message.");
export type EventSummary = z.infer<typeof eventSummaryShape>;

const canonicalEvent = eventSchema.meta({ id: "event" });

const eventDetail = eventSummaryShape.extend({
  event: canonicalEvent.nullable().describe("Null before the parse, and once retention has removed it."),
  files: z
    .array(fileShape)
    .describe("Its attachments as they are now; the event says how they were when it was planned."),
});

const advice = z.object({
  what: z.string().describe("What to do next, as a sentence."),
  command: z.string().nullable().describe("The command that does it."),
});

const explained = eventDetail.extend({
  identity: z.object({ message_id: messageId, digest: z.string(), idempotency_key: z.string().nullable() }),
  reviews: z.array(reviewShape).describe("What waits for a person, and what did; newest first."),
  decisions: z.array(decisionShape).describe("What persons decided; newest first."),
  runs: runsOfEvent,
  story: z.array(z.object({ at: time, what: z.string(), detail: z.string().nullable() })),
  next: z.array(advice),
});
export type Explained = z.infer<typeof explained>;

const deadLetter = z
  .object({
    id: z.number().int().describe("For dead-letters replay, confirm and drop."),
    event_id: eventId,
    message_id: messageId,
    tenant: z.string(),
    destination,
    reason: z.enum(failureReasons),
    detail: z.string().describe("The vendor's own words, where it had any."),
    attempts: z.number().int(),
    at: time,
  })
  .describe("A delivery that needs a person.");
export type DeadLetterShape = z.infer<typeof deadLetter>;

const planned = z.object({
  event_id: eventId.nullable().describe("Null for a file that is not stored."),
  message_id: messageId,
  tenant: z.string(),
  mapping_version: z.number().int().nullable().describe("Null for a mapping file that was never in force."),
  rules: z
    .array(ruleReading)
    .describe(
      "The rules of the tenant's mapping file as they were read for this message; none after a skip or review.",
    ),
  lanes: z.array(
    z.object({
      destination,
      decision: z.enum(["steps", "skip", "hold"]),
      rule: z.string(),
      reason: z.string().nullable(),
      steps: z.array(
        z.object({
          kind: stepKind,
          key: z.string(),
          why: z.string(),
          does: z.string().describe("What the step brings about, as a sentence."),
          lookup: z.string().nullable().describe("What is asked of the CRM before anything is written."),
          known_ref: z.string().nullable().describe("The CRM's id, where it is known."),
          known_from: z
            .enum(["ledger", "live"])
            .nullable()
            .describe("Whose word `known_ref` is: the ledger's memory, with no look-up then, or the CRM's, asked now."),
          live: z
            .enum(["found", "absent", "failed"])
            .nullable()
            .describe(
              "What the CRM said now; null where it was not asked: without --live, and of what the ledger remembers.",
            ),
          live_problem: z.string().nullable().describe("Why it could not be asked."),
        }),
      ),
    }),
  ),
});
export type Planned = z.infer<typeof planned>;

/** What a command that changed the ledger did about the work that follows. */
const worker = z
  .enum(["daemon", "command", "later"])
  .describe("Who works it: the running daemon, this command, or a daemon that did not answer and will find it.");
export type Worker = z.infer<typeof worker>;

const reprocessed = z.object({
  event_id: eventId,
  message_id: messageId,
  action: z.enum(["requeued", "accepted", "duplicate"]).describe("duplicate: the file was stored already; requeued."),
  worked_by: worker,
  deliveries: z.array(deliveryShape),
});
export type Reprocessed = z.infer<typeof reprocessed>;

const deadLettersChanged = z.object({
  done: z.array(z.number().int()).describe("Ids of the dead letters that were changed."),
  not_done: z.array(z.object({ id: z.string(), why: z.string() })),
  worked_by: worker,
});
export type DeadLettersChanged = z.infer<typeof deadLettersChanged>;

const reviewResolved = z.object({
  review: z.number().int(),
  event_id: eventId,
  answer: decisionShape.shape.kind,
  by: z.string(),
  note: z.string().nullable(),
  worked_by: worker,
  deliveries: z.array(deliveryShape).describe("What became of the message with this answer."),
});

const fileDecided = fileShape.extend({
  worked_by: worker,
  deliveries: z.array(deliveryShape).describe("What became of the message since the decision."),
});

const crmRecord = z
  .object({
    id: z.string(),
    kind: z.enum(["contact", "company", "deal", "activity"]),
    tenant: z.string(),
    key: z.string(),
    natural_key: z.string().nullable(),
    created_at: time,
    archived: z.boolean(),
    fields: z.record(z.string(), z.unknown()),
    links: z.array(z.string()).describe("Ids of associated records."),
  })
  .meta({ id: "crm_record", description: "A record of the built-in CRM." });
export type CrmRecord = z.infer<typeof crmRecord>;

const configChecked = z.object({
  ok: z.boolean(),
  file: z.string(),
  problems: z.array(
    z.object({
      place: z.union([
        z.object({ file: z.string(), line: z.number().int(), column: z.number().int() }),
        z.object({ variable: z.string() }),
      ]),
      path: z.string(),
      found: z.string(),
      expected: z.string(),
      nearest: z.string().nullable(),
    }),
  ),
  settings: z.unknown().describe("The settings in force, secrets as ***; null when they are refused."),
});
export type ConfigChecked = z.infer<typeof configChecked>;

export const manifestShape = z
  .object({
    format: z.literal(1),
    made_at: time,
    mailwright: z.string().describe("The version that made it."),
    key_id: z.string().describe("Which master key opens it."),
    with_key: z.boolean(),
    files: z.array(z.object({ path: z.string(), bytes: z.number().int(), sha256: z.string() })),
  })
  .describe("manifest.json of a backup.");
export type Manifest = z.infer<typeof manifestShape>;

const recovered = z.object({
  damaged_kept_as: z.string().nullable(),
  salvaged: z.record(z.string(), z.number().int()).describe("Rows saved per table."),
  lost: z.array(z.string()).describe("What could not be read, as sentences."),
  taken_in_again: z.number().int().describe("Messages taken in again from sealed files."),
  already_there: z.number().int(),
  unreadable_files: z.array(z.string()),
  from_backup: z.number().int().describe("Messages taken in from the backup."),
});
export type Recovered = z.infer<typeof recovered>;

const demoRow = z.object({
  from: z.string(),
  subject: z.string(),
  about: z.string().describe("Why this mail is in the demo."),
  event_id: eventId.nullable(),
  outcomes: z.array(
    z.object({
      destination,
      state: z.enum(deliveryStates),
      contact: z.enum(["new", "known"]).nullable(),
      contact_id: z.string().nullable(),
      activity_id: z.string().nullable(),
      because: z.string().nullable().describe("The rule of a skip, or the reason of a dead letter."),
    }),
  ),
});
export type DemoRow = z.infer<typeof demoRow>;

/** Every shape by the command that prints it, sorted. */
export const shapes = {
  "attachments drop": fileDecided,
  "attachments list": z.array(fileShape),
  "attachments release": fileDecided,
  "attachments show": fileShape.extend({ audit: z.array(auditShape).describe("The last hundred, newest first.") }),
  "audit coverage": coverage,
  backfill: backfilled,
  backup: manifestShape,
  "config check": configChecked,
  "crm activities": z.array(crmRecord),
  "crm companies": z.array(crmRecord),
  "crm contacts": z.array(crmRecord),
  "crm deals": z.array(crmRecord),
  "crm show": crmRecord,
  "dead-letters confirm": deadLettersChanged,
  "dead-letters drop": deadLettersChanged,
  "dead-letters list": z.array(deadLetter),
  "dead-letters replay": deadLettersChanged,
  "dead-letters show": explained,
  demo: z.array(demoRow),
  doctor: doctorReport,
  "events list": z.array(eventSummaryShape),
  "events list --skipped": skipCounts.extend({
    events: z.array(eventSummaryShape).describe("The newest of them, as many as --limit says."),
  }),
  "events show": eventDetail,
  explain: explained,
  init: initialised,
  "mailboxes list": mailboxRows,
  ...runShapes,
  "mapping check": z.array(mappingFinding),
  "mapping diff": mappingDiffed,
  "mapping test": z.array(mappingTested),
  parse: canonicalEvent,
  plan: planned,
  purge: purged,
  "quarantine list": quarantinedRows,
  "quarantine retry": quarantineRetried,
  recover: recovered,
  reprocess: z.array(reprocessed),
  restore: manifestShape,
  "review list": z.array(reviewShape),
  "review resolve": reviewResolved,
  "review show": explained.extend({ review: reviewShape }),
  score: scored,
  scrub: scrubbed,
  send: sent,
  "storage apply-lifecycle": lifecycleApplied,
  "threads list": z.array(threadSummaryShape),
  "threads merge": threadsChangedShape(worker),
  "threads show": threadShape,
  "threads split": threadsChangedShape(worker),
} as const;
export type ShapeName = keyof typeof shapes;

/** One JSON Schema document: a definition per command, and those that several share. Open to fields that a later version adds. */
export function cliSchema(): Record<string, unknown> {
  const definitions: Record<string, unknown> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const { $schema: _, $defs, ...schema } = z.toJSONSchema(shape, { io: "input" }) as Record<string, unknown>;
    Object.assign(definitions, $defs, { [name]: schema });
  }
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "What the mailwright commands print with --json",
    $defs: definitions,
  };
}
