/** What waits for a person: opened with the event that asks for it, listed, and counted. */
import type { NewReview, ReviewKind, ReviewRow, ReviewTally } from "../../model/reviews.ts";
import { clip } from "./clip.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";

interface Row {
  id: number;
  event_id: string;
  message_id: string | null;
  tenant: string;
  kind: ReviewKind;
  detail: string;
  at: number;
  resolved_at: number | null;
  resolved_by: string | null;
  resolved_as: string | null;
  note: string | null;
}

interface Filter {
  id: number | null;
  event: string | null;
  tenant: string | null;
  kind: string | null;
  before: number;
  limit: number;
}

export function openReviews(db: Connection): Pick<Operations, "reviews" | "reviewTally"> {
  const columns = (index: string) =>
    `r.id, e.event_id, e.message_id, r.tenant, r.kind, r.detail, r.at, r.resolved_at, r.resolved_by, r.resolved_as, r.note
       FROM review r ${index} JOIN event e ON e.seq = r.event`;
  const where = `r.id < $before AND ($id IS NULL OR r.id = $id) AND ($tenant IS NULL OR r.tenant = $tenant)
    AND ($kind IS NULL OR r.kind = $kind) AND ($event IS NULL OR e.event_id = $event)`;
  const select = (which: string, index = "") =>
    db.prepare<[Filter], Row>(`SELECT ${columns(index)} WHERE ${where} ${which} ORDER BY r.id DESC LIMIT $limit`);
  const statements = {
    // Few are open among all that there ever were, and the planner would walk all.
    open: select("AND r.resolved_at IS NULL", "INDEXED BY review_newest"),
    resolved: select("AND r.resolved_at IS NOT NULL"),
    all: select(""),
  };
  const ofEvent = db.prepare<[Filter], Row>(
    `SELECT ${columns("")} WHERE r.event = (SELECT seq FROM event WHERE event_id = $event) AND ${where} ORDER BY r.id DESC LIMIT $limit`,
  );
  const tally = db.prepare<[], ReviewTally>(
    "SELECT tenant, kind, count(*) AS open, min(at) AS oldestAt FROM review WHERE resolved_at IS NULL GROUP BY tenant, kind",
  );
  return {
    reviews({ id, event, tenant, kind, which = "open", limit, before }) {
      const filter: Filter = {
        id: id ?? null,
        event: event ?? null,
        tenant: tenant ?? null,
        kind: kind ?? null,
        before: before ?? Number.MAX_SAFE_INTEGER,
        limit,
      };
      if (event === undefined) return statements[which].all(filter).map(rowOf);
      const rows = ofEvent.all({ ...filter, limit: Number.MAX_SAFE_INTEGER }).map(rowOf);
      return rows
        .filter(({ resolved }) => which === "all" || (which === "open") === (resolved === null))
        .slice(0, limit);
    },
    reviewTally: () => tally.all(),
  };
}

function rowOf(row: Row): ReviewRow {
  const { resolved_at: at, resolved_by: by, resolved_as: as, note } = row;
  return {
    id: row.id,
    eventId: row.event_id,
    messageId: row.message_id,
    tenant: row.tenant,
    kind: row.kind,
    detail: row.detail,
    at: row.at,
    resolved: at === null || by === null || as === null ? null : { at, by, as, note },
  };
}

/** `event` and `now` are those of the message that was prepared. */
export type AskForReviews = (event: number, now: number, reviews: readonly NewReview[] | undefined) => void;

export function openAskForReviews(db: Connection): AskForReviews {
  // Whoever has decided about its thread is not asked again.
  const open = db.prepare(
    `INSERT INTO review (event, tenant, kind, detail, at)
       SELECT e.seq, e.tenant, $kind, $detail, $now FROM event e WHERE e.event_id = $eventId
         AND NOT ($kind = 'thread' AND EXISTS (SELECT 1 FROM decision d WHERE d.event = e.seq AND d.about = 'thread' AND d.stands = 1))
       ON CONFLICT (event, kind) WHERE resolved_at IS NULL DO UPDATE SET detail = excluded.detail`,
  );
  const noLonger = db.prepare(
    `UPDATE review SET resolved_at = ?, resolved_by = 'mailwright', resolved_as = 'released'
       WHERE event = ? AND kind = 'thread' AND resolved_at IS NULL`,
  );
  const own = db.prepare<[number], string>("SELECT event_id FROM event WHERE seq = ?").pluck();
  return (event, now, reviews) => {
    if (reviews === undefined) return;
    // Held deliveries open and close theirs by themselves.
    for (const { eventId, kind, detail } of reviews)
      if (kind !== "held") open.run({ eventId, kind, detail: clip(detail), now });
    const eventId = own.get(event);
    if (!reviews.some((review) => review.kind === "thread" && review.eventId === eventId)) noLonger.run(now, event);
  };
}
