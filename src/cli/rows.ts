/** Turns what the ledger holds into the shapes that commands print. */
import type { CanonicalEvent } from "../model/event.ts";
import type { DeadLetter, DeliveryRow, EventRow, SkipCount, StepRow } from "../model/ledger.ts";
import type { Sealer } from "../model/ports.ts";
import type { DecisionRow, ReviewRow } from "../model/reviews.ts";
import { openEvent } from "../pipeline/stored.ts";
import type { DecisionShape, ReviewShape } from "./review-shapes.ts";
import type { DeadLetterShape, EventSummary } from "./shapes.ts";

export const isoTime = (ms: number): string => new Date(ms).toISOString();
export const isoTimeOrNull = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));

/** A lane is `tenant/destination`. */
export const destinationOf = (lane: string): string => lane.slice(lane.indexOf("/") + 1);

export function deliveryShapeOf(row: DeliveryRow): EventSummary["deliveries"][number] {
  return {
    id: row.id,
    destination: destinationOf(row.lane),
    state: row.state,
    rule: row.rule,
    reason: row.reason,
    detail: row.detail,
    attempts: row.attempts,
    due_at: isoTimeOrNull(row.dueAt),
    settled_at: isoTimeOrNull(row.settledAt),
    mapping_version: row.mappingVersion,
    steps: row.steps.map(stepShapeOf),
  };
}

function stepShapeOf(row: StepRow): EventSummary["deliveries"][number]["steps"][number] {
  const { kind, key, why, state, sends, ref, adopted, reason, note } = row;
  return {
    kind,
    key,
    why,
    state,
    sends,
    ref,
    adopted,
    reason,
    note,
    sent_at: isoTimeOrNull(row.sentAt),
    settled_at: isoTimeOrNull(row.settledAt),
  };
}

export function eventSummaryOf(row: EventRow): EventSummary {
  return {
    event_id: row.eventId,
    message_id: row.messageId,
    tenant: row.tenant,
    received_at: isoTime(row.receivedAt),
    source: row.envelope.kind,
    routes: [...row.routes],
    stage: row.stage,
    parse_status: row.parseStatus,
    raw: { sha256: row.rawSha256, size: row.rawSize, place: row.raw.kind },
    conflict: row.conflict,
    deliveries: row.deliveries.map(deliveryShapeOf),
  };
}

export function skipCountOf({ lane, rule, reason, messages }: SkipCount) {
  return { tenant: lane.slice(0, lane.indexOf("/")), destination: destinationOf(lane), rule, reason, messages };
}

export function deadLetterOf(row: DeadLetter): DeadLetterShape {
  return {
    id: row.id,
    event_id: row.eventId,
    message_id: row.messageId,
    tenant: row.tenant,
    destination: destinationOf(row.lane),
    reason: row.reason,
    detail: row.detail,
    attempts: row.attempts,
    at: isoTime(row.at),
  };
}

export function reviewShapeOf({ id, eventId, messageId, tenant, kind, detail, at, resolved }: ReviewRow): ReviewShape {
  return {
    id,
    event_id: eventId,
    message_id: messageId,
    tenant,
    kind,
    detail,
    at: isoTime(at),
    resolved: resolved === null ? null : { ...resolved, at: isoTime(resolved.at) },
  };
}

export function decisionShapeOf({ kind, withEventId, by, at, note, stands }: DecisionRow): DecisionShape {
  return { kind, with_event_id: withEventId, by, at: isoTime(at), note, stands };
}

/** The canonical event as stored, or null before the parse, after retention, and where it cannot be read. */
export const storedEvent = (row: EventRow, sealer: Sealer): CanonicalEvent | null =>
  openEvent(row.sealedEvent, sealer) ?? null;

/** `pending`, or what it came to at all destinations: for a line in a list. */
export function stateOf(row: EventSummary): string {
  if (row.stage === "accepted") return "received";
  const states = [...new Set(row.deliveries.map(({ state }) => state))];
  return states.length === 0 ? "prepared" : states.join("+");
}
