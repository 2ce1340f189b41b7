/** Delivered mails that a person is asked to compare with what the CRM holds: drawn, listed, answered. */
import type { SampleAnswer, SampleRow } from "../../model/samples.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";
import { openStory } from "./story.ts";

interface Row {
  seq: number;
  event_id: string;
  message_id: string | null;
  tenant: string;
  at: number;
  resolved_at: number | null;
  resolved_by: string | null;
  resolved_as: SampleAnswer | null;
  note: string | null;
}
interface Filter {
  tenant: string | null;
  before: number;
  limit: number;
}

const columns = `e.seq, e.event_id, e.message_id, s.tenant, s.at, s.resolved_at, s.resolved_by, s.resolved_as, s.note`;

export function openSamples(db: Connection): Pick<Operations, "samples" | "answerSample"> {
  const tell = openStory(db);
  const select = (which: string, index = "") =>
    db.prepare<[Filter], Row>(
      `SELECT ${columns} FROM sample s ${index} JOIN event e ON e.seq = s.event
         WHERE s.event < $before AND ($tenant IS NULL OR s.tenant = $tenant) ${which} ORDER BY s.event DESC LIMIT $limit`,
    );
  const statements = {
    open: select("AND s.resolved_at IS NULL", "INDEXED BY sample_open"),
    resolved: select("AND s.resolved_at IS NOT NULL"),
    all: select(""),
  };
  const ofEvent = db.prepare<[string], Row>(
    `SELECT ${columns} FROM event e JOIN sample s ON s.event = e.seq WHERE e.event_id = ?`,
  );
  const answer = db
    .prepare<unknown[], number>(
      `UPDATE sample SET resolved_at = ?, resolved_by = ?, resolved_as = ?, note = ?
         WHERE event = (SELECT seq FROM event WHERE event_id = ?) RETURNING event`,
    )
    .pluck();
  return {
    samples({ event, tenant, which = "open", limit, before }) {
      if (event === undefined) {
        const filter = { tenant: tenant ?? null, before: before ?? Number.MAX_SAFE_INTEGER, limit };
        return statements[which].all(filter).map(rowOf);
      }
      const rows = ofEvent.all(event).map(rowOf);
      return rows.filter(({ resolved }) => which === "all" || (which === "open") === (resolved === null));
    },
    answerSample({ eventId, as, by, note, now }) {
      const seq = answer.get(now, by, as, note, eventId);
      if (seq === undefined) return false;
      tell(seq, now, `compared with the CRM by a person: ${as}`, [`by ${by}`, note].filter(Boolean).join(": "));
      return true;
    },
  };
}

function rowOf(row: Row): SampleRow {
  const { resolved_at: at, resolved_by: by, resolved_as: as, note } = row;
  return {
    seq: row.seq,
    eventId: row.event_id,
    messageId: row.message_id,
    tenant: row.tenant,
    at: row.at,
    resolved: at === null || by === null || as === null ? null : { at, by, as, note },
  };
}
