/** Answers what a person asks of the ledger: messages with their deliveries and steps, dead letters, sealed bytes. */
import type { Envelope } from "../../model/envelope.ts";
import type {
  DeadLetter,
  DeliveryRow,
  DeliveryState,
  EventRow,
  FailureReason,
  FindQuery,
  StepRow,
  StepState,
} from "../../model/ledger.ts";
import type { StepKind } from "../../model/step.ts";
import type { MessageColumns } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { contentDigest } from "./displace.ts";
import type { Operations } from "./operations.ts";
import { rawPlace } from "./place.ts";
import { becauseOf } from "./skips.ts";

export function openFind(db: Connection): Pick<Operations, "find" | "steps" | "raw"> {
  const select = openSelect(db);
  const rowOf = openRows(db);
  const plan = db.prepare<[number], Uint8Array>("SELECT sealed FROM plan WHERE delivery = ?").pluck();
  const raw = db
    .prepare<[string], Uint8Array>("SELECT r.sealed FROM event e JOIN raw r ON r.event = e.seq WHERE e.event_id = ?")
    .pluck();
  return {
    // Whoever walks over all spooled messages wants to know where they are: their bodies would be gigabytes.
    find: (query) => select(query).map((seq) => rowOf(seq, query.spooled !== true)),
    steps: (delivery) => plan.get(delivery),
    raw: (eventId) => raw.get(eventId),
  };
}

interface Filter {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

/** The seqs a query means, newest first. Each filter is fixed text; what comes from outside is only ever bound. */
function openSelect(db: Connection): (query: FindQuery) => number[] {
  const statements = new Map<string, ReturnType<typeof prepare>>();
  const prepare = (sql: string) => db.prepare<(string | number)[], number>(sql).pluck();
  const statement = (sql: string) => {
    let known = statements.get(sql);
    if (known === undefined) {
      known = prepare(sql);
      statements.set(sql, known);
    }
    return known;
  };
  const laneNames = db.prepare<[], { name: string; tenant: string }>("SELECT name, tenant FROM lane");

  /** Through the lanes when a state is asked for: the index on (state, lane, event) finds three dead letters among a million. */
  function byState(query: FindQuery, state: DeliveryState): number[] {
    const { sql, values } = where(query);
    const because = query.because === undefined ? [] : [query.because, query.because];
    const seqs = new Set<number>();
    for (const { name, tenant } of laneNames.all()) {
      if (query.lane !== undefined && query.lane !== name) continue;
      if (query.tenant !== undefined && query.tenant !== tenant) continue;
      const found = statement(
        `SELECT d.event FROM delivery d JOIN event e ON e.seq = d.event
           WHERE d.state = ? AND d.lane = ? AND d.event < ? ${sql} ${because.length === 0 ? "" : `AND ${becauseOf}`}
           ORDER BY d.event DESC LIMIT ?`,
      ).all(state, name, query.before ?? Number.MAX_SAFE_INTEGER, ...values, ...because, query.limit);
      for (const seq of found) seqs.add(seq);
    }
    return [...seqs].sort((a, b) => b - a).slice(0, query.limit);
  }

  return (query) => {
    if (query.state !== undefined && query.state !== "received") return byState(query, query.state);
    const { sql, values } = where(query);
    const limit = [query.before ?? Number.MAX_SAFE_INTEGER, ...values, query.limit];
    return statement(`SELECT e.seq FROM event e WHERE e.seq < ? ${sql} ORDER BY e.seq DESC LIMIT ?`).all(...limit);
  };
}

function where(query: FindQuery): Filter {
  const filters: Filter[] = [];
  const add = (sql: string, ...values: (string | number)[]) => filters.push({ sql, values });
  if (query.event !== undefined) add("e.event_id = ?", query.event);
  if (query.message !== undefined) {
    const bare = query.message.trim().replace(/^<([\s\S]*)>$/, "$1");
    add("(e.event_id = ? OR e.message_id = ?)", bare, `<${bare}>`);
  }
  if (query.tenant !== undefined) add("e.tenant = ?", query.tenant);
  if (query.since !== undefined) add("e.received_at >= ?", query.since);
  if (query.spooled === true) add("e.raw_kind = 'spool'");
  if (query.state === "received") add("e.stage = 'accepted'");
  if (query.lane !== undefined)
    add("EXISTS (SELECT 1 FROM delivery d2 WHERE d2.event = e.seq AND d2.lane = ?)", query.lane);
  return { sql: filters.map(({ sql }) => `AND ${sql}`).join(" "), values: filters.flatMap(({ values }) => values) };
}

interface Event extends MessageColumns {
  stage: "accepted" | "prepared";
  parse_status: EventRow["parseStatus"];
  sealed: Uint8Array | null;
}

function openRows(db: Connection): (seq: number, withBody: boolean) => EventRow {
  const event = db.prepare<[number], Event>(
    "SELECT e.*, b.sealed FROM event e LEFT JOIN body b ON b.event = e.seq WHERE e.seq = ?",
  );
  const bodiless = db.prepare<[number], Event>("SELECT e.*, NULL AS sealed FROM event e WHERE e.seq = ?");
  const deliveries = openDeliveryRows(db);
  return (seq, withBody) => {
    const row = (withBody ? event : bodiless).get(seq);
    if (row === undefined) throw new TypeError(`event ${seq} was found and is not there`);
    return {
      seq,
      eventId: row.event_id,
      tenant: row.tenant,
      messageId: row.message_id,
      digest: contentDigest(row.digest),
      conflict: row.conflict === 1,
      receivedAt: row.received_at,
      envelope: JSON.parse(row.envelope) as Envelope,
      routes: JSON.parse(row.routes) as string[],
      rawSha256: row.raw_sha256,
      rawSize: row.raw_size,
      raw: rawPlace(row.raw_kind, row.raw_name),
      stage: row.stage,
      parseAttempts: row.parse_attempts,
      preparedAt: row.prepared_at,
      parseStatus: row.parse_status,
      ...(row.sealed === null ? {} : { sealedEvent: row.sealed }),
      deliveries: deliveries(seq),
    };
  };
}

interface DeliveryColumns {
  id: number;
  lane: string;
  state: DeliveryState;
  reason: string | null;
  detail: string | null;
  rule: string | null;
  attempts: number;
  due_at: number;
  settled_at: number | null;
  mapping_version: number;
}

interface StepColumns {
  id: number;
  kind: string;
  key: string;
  why: string;
  state: string;
  sends: number;
  ref: string | null;
  adopted: number;
  reason: string | null;
  note: string | null;
  sent_at: number | null;
  settled_at: number | null;
}

function openDeliveryRows(db: Connection): (seq: number) => DeliveryRow[] {
  const deliveries = db.prepare<[number], DeliveryColumns>("SELECT * FROM delivery WHERE event = ? ORDER BY id");
  // The plan's order, and after it what is no longer planned.
  const steps = db.prepare<[number], StepColumns>(
    "SELECT * FROM step WHERE delivery = ? ORDER BY position IS NULL, position, id",
  );
  return (seq) =>
    deliveries.all(seq).map((row) => ({
      id: row.id,
      lane: row.lane,
      state: row.state,
      reason: row.reason,
      detail: row.detail,
      rule: row.rule,
      attempts: row.attempts,
      dueAt: row.state === "pending" ? row.due_at : null,
      settledAt: row.settled_at,
      mappingVersion: row.mapping_version,
      steps: steps.all(row.id).map(stepRow),
    }));
}

const stepRow = (row: StepColumns): StepRow => ({
  id: row.id,
  kind: row.kind as StepKind,
  key: row.key,
  why: row.why,
  state: row.state as StepState,
  sends: row.sends,
  ref: row.ref,
  adopted: row.adopted === 1,
  reason: row.reason,
  note: row.note,
  sentAt: row.sent_at,
  settledAt: row.settled_at,
});

interface DeadRow {
  id: number;
  event_id: string;
  message_id: string | null;
  tenant: string;
  lane: string;
  reason: FailureReason;
  detail: string | null;
  attempts: number;
  settled_at: number | null;
}

export function openDeadLetters(db: Connection): Operations["deadLetters"] {
  const dead = db.prepare<[{ tenant: string | null; lane: string | null; before: number; limit: number }], DeadRow>(
    `SELECT d.id, e.event_id, e.message_id, e.tenant, d.lane, d.reason, d.detail, d.attempts, d.settled_at
       FROM delivery d INDEXED BY delivery_dead JOIN event e ON e.seq = d.event
       WHERE d.state = 'failed' AND d.reason <> 'dropped' AND d.id < $before
         AND ($tenant IS NULL OR e.tenant = $tenant) AND ($lane IS NULL OR d.lane = $lane)
       ORDER BY d.id DESC LIMIT $limit`,
  );
  return ({ tenant, lane, limit, before }): DeadLetter[] =>
    dead
      .all({ tenant: tenant ?? null, lane: lane ?? null, limit, before: before ?? Number.MAX_SAFE_INTEGER })
      .map((row) => ({
        id: row.id,
        eventId: row.event_id,
        messageId: row.message_id,
        tenant: row.tenant,
        lane: row.lane,
        reason: row.reason,
        detail: row.detail ?? "",
        attempts: row.attempts,
        at: row.settled_at ?? 0,
      }));
}
