/** The story of one message in words: how it came, who it is, what was decided, what became of each step. */
import type { CanonicalEvent } from "../model/event.ts";
import type { EventRow } from "../model/ledger.ts";
import { plain } from "./plain.ts";
import type { EventSummary } from "./shapes.ts";
import { evidenceLines } from "./story/evidence.ts";
import { field } from "./story/field.ts";
import { threadLines } from "./story/thread.ts";
import { type Paint, stateColour } from "./table.ts";

type Delivery = EventSummary["deliveries"][number];
type Step = Delivery["steps"][number];

/** People named in one line. */
const mostShown = 10;

/** The head of `explain` and `events show`. */
export function storyLines(row: EventRow, summary: EventSummary, event: CanonicalEvent | null, paint: Paint): string[] {
  return [
    `${paint("bold", "Event")} ${summary.event_id}`,
    field("message-id", row.messageId ?? "none: the content's digest is its identity"),
    field("received", receivedWords(row, summary)),
    field("tenant", `${summary.tenant}, by ${summary.routes.join(", ") || "no inbound address"}`),
    field("identity", identityWords(row, event)),
    field("raw", `${row.rawSize} bytes, SHA-256 ${row.rawSha256}, ${placeWords(row)}`),
    field("parse", parseWords(row, event)),
    ...(event === null ? [] : mailLines(event)),
    ...summary.deliveries.flatMap((delivery) => ["", ...deliveryLines(delivery, paint)]),
  ];
}

function receivedWords({ envelope }: EventRow, { received_at }: EventSummary): string {
  const { smtp, kind } = envelope;
  if (smtp === undefined) return `${received_at}, ${kind === "import" ? "as a file (import)" : `by ${kind}`}`;
  const tls = smtp.tls === null ? "no TLS" : `${smtp.tls.version}, ${smtp.tls.cipher}`;
  const sender = smtp.mail_from === null ? "the null sender <>" : smtp.mail_from;
  return `${received_at} by SMTP from ${smtp.remote_ip} (HELO ${smtp.helo}, ${tls}); MAIL FROM ${sender}; RCPT TO ${smtp.rcpt_to.join(", ")}`;
}

function identityWords({ digest, conflict }: EventRow, event: CanonicalEvent | null): string {
  const words = `content digest ${digest}`;
  if (!conflict) return words;
  const other = `${words}; another mail with this Message-ID and other content is known`;
  const isOther = event === null || event.anomalies.some(({ code }) => code === "message_id_conflict");
  return isOther ? `${other}: both are kept` : `${other}: it is the same mail, which came by two ways`;
}

function placeWords({ raw }: EventRow): string {
  switch (raw.kind) {
    case "inline":
      return "sealed in the ledger";
    case "spool":
      return "sealed in the spool";
    case "blob":
      return "sealed in the attic";
    case "gone":
      return "removed by retention";
    default:
      return raw satisfies never;
  }
}

function parseWords(row: EventRow, event: CanonicalEvent | null): string {
  if (row.stage === "accepted") {
    return row.parseAttempts === 0 ? "not yet begun" : `begun ${row.parseAttempts} times, not ended`;
  }
  const by = event === null ? "" : ` by ${event.parser.name} ${event.parser.version}`;
  const odd = event?.anomalies.map(({ code }) => code).join(", ") ?? "";
  if (event === null && row.sealedEvent !== undefined)
    return `${row.parseStatus ?? "unknown"}; what came of it was sealed with another key, or is damaged: mailwright doctor`;
  return `${row.parseStatus ?? "unknown"}${by}${odd === "" ? "" : `; odd: ${odd}`}`;
}

function mailLines({ message, participants, auth, class: classified, thread }: CanonicalEvent): string[] {
  const because = classified.evidence.map(({ rule, header }) => (header === null ? rule : `${rule} (${header})`));
  return [
    field(
      "from",
      message.from === null ? "nobody" : `${message.from.name} <${message.from.email ?? message.from.raw}>`,
    ),
    field("to", [...message.to, ...message.cc].map(({ email, raw }) => email ?? raw).join(", ")),
    field("subject", message.subject ?? "(none)"),
    // An event of before there were participants is shown without.
    ...(participants === undefined ? [] : [field("people", peopleWords(participants))]),
    field("trust", `${auth.trust}: ${auth.reason}`),
    ...evidenceLines(auth),
    field("class", `${classified.kind}${because.length === 0 ? "" : `: ${because.join(", ")}`}`),
    ...threadLines(thread),
  ];
}

function peopleWords(participants: CanonicalEvent["participants"]): string {
  const { direction, basis, filed_under, others, forwarded_by, list, excluded } = participants;
  const emails = (of: readonly { email: string }[]): string => {
    const some = of.slice(0, mostShown).map(({ email }) => email);
    return `${some.join(", ")}${of.length > some.length ? ` and ${of.length - some.length} more` : ""}`;
  };
  return [
    `${direction}, filed under ${filed_under.length === 0 ? "nobody" : emails(filed_under)} (${basis})`,
    ...(others.length === 0 ? [] : [`others outside: ${emails(others)}`]),
    ...(forwarded_by === null ? [] : [`handed on by ${forwarded_by.email}`]),
    ...(list === null ? [] : [`through ${list.own ? "our own" : "a"} mailing list`]),
    ...(excluded === null ? [] : [`people.excluded names ${excluded}`]),
  ].join("; ");
}

function deliveryLines(delivery: Delivery, paint: Paint): string[] {
  const { destination, state, rule, reason, detail, attempts, due_at, settled_at } = delivery;
  const head = `${paint("bold", `Destination ${plain(destination, 80)}`)}: ${coloured(state, paint)}`;
  return [
    head,
    ...(rule === null ? [] : [field("rule", rule)]),
    ...(reason === null ? [] : [field("reason", reason)]),
    ...(detail === null ? [] : [field("detail", detail)]),
    ...(attempts === 0 ? [] : [field("attempts", String(attempts))]),
    ...(state === "pending" && due_at !== null ? [field("due", due_at)] : []),
    ...(settled_at === null ? [] : [field("settled", settled_at)]),
    ...(state === "failed" ? [field("dead letter", String(delivery.id))] : []),
    ...delivery.steps.map((step, index) => stepLine(step, index + 1, paint)),
  ];
}

function coloured(state: string, paint: Paint): string {
  const colour = stateColour(state);
  return colour === undefined ? state : paint(colour, state);
}

function stepLine(step: Step, position: number, paint: Paint): string {
  const at = step.settled_at ?? step.sent_at;
  const became =
    step.ref === null
      ? `${step.state}${step.reason === null ? "" : `: ${step.reason}`}`
      : `${step.state}, ${step.adopted ? "was there already, " : ""}CRM id ${step.ref}`;
  const note = step.note === null ? "" : `; ${step.note}`;
  const line = `${position}. ${step.kind.padEnd(8)}  ${became}${at === null ? "" : ` at ${at}`}${note}`;
  return `  ${plain(line, 600)}\n     ${paint("dim", plain(step.why, 300))}`;
}
