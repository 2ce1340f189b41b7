/** Keeps the ledger small: raw bytes leave for the attic, and what retention no longer wants goes. Rows, digests and refs always stay. */
import type { PurgeCursor, Purged, PurgePolicy, RawPlace } from "../../model/ledger.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";
import { rawPlace } from "./place.ts";
import { openStory } from "./story.ts";

interface RawRow {
  seq: number;
  event_id: string;
  tenant: string;
  raw_kind: string;
  raw_name: string | null;
  raw_size: number;
}

/** Nothing pending: only such a message's bytes move. A dead letter's may, for they stay readable where they go. */
export function openArchive(db: Connection): Pick<Operations, "archivable" | "archived"> {
  const settled = db.prepare<[string, number], RawRow & { sealed: Uint8Array | null }>(
    `SELECT e.seq, e.event_id, e.tenant, e.raw_kind, e.raw_name, e.raw_size, r.sealed FROM event e LEFT JOIN raw r ON r.event = e.seq
       WHERE e.stage = 'prepared' AND e.open = 0 AND e.raw_kind IN ('inline', 'spool')
       AND e.tenant NOT IN (SELECT value FROM json_each(?)) ORDER BY e.seq LIMIT ?`,
  );
  const move = db
    .prepare<[string, string], number>(
      "UPDATE event SET raw_kind = 'blob', raw_name = ? WHERE event_id = ? AND raw_kind IN ('inline', 'spool') RETURNING seq",
    )
    .pluck();
  const dropRaw = db.prepare("DELETE FROM raw WHERE event = ?");
  return {
    archivable: (limit, exceptTenants = []) =>
      settled.all(JSON.stringify(exceptTenants), limit).map(({ event_id, tenant, raw_kind, raw_name, sealed }) => ({
        eventId: event_id,
        tenant,
        raw: rawPlace(raw_kind, raw_name),
        ...(sealed === null ? {} : { sealed }),
      })),
    archived(moves) {
      for (const { eventId, key } of moves) {
        const seq = move.get(key, eventId);
        if (seq !== undefined) dropRaw.run(seq);
      }
    },
  };
}

/**
 * Settled here means closed: nothing pending, nothing held, no other review open, no file that is not kept, scanned and judged yet and no dead letter that a
 * person has not dropped. What is still open keeps its bytes beyond any age, because nothing that was acknowledged may be lost, and a
 * decision needs them.
 */
const closed = `e.stage = 'prepared' AND e.open = 0 AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event = e.seq
  AND (d.state = 'held' OR d.state = 'failed' AND d.reason <> 'dropped'))
  AND NOT EXISTS (SELECT 1 FROM review r WHERE r.event = e.seq AND r.resolved_at IS NULL)
  AND NOT EXISTS (SELECT 1 FROM file f WHERE f.event = e.seq AND (f.kept = 0 OR f.status = 'checking'))
  AND NOT EXISTS (SELECT 1 FROM file f JOIN content c ON c.tenant = f.tenant AND c.sha256 = f.sha256 WHERE f.event = e.seq AND c.turn <> 3)
  AND NOT EXISTS (SELECT 1 FROM filing g WHERE g.event = e.seq AND (g.change > 0 OR g.turn <> 3))`;

export function openPurge(db: Connection): Operations["purge"] {
  const tell = openStory(db);
  const oldRaws = db.prepare<[number, number, number, number, number, number], OldRaw>(
    `SELECT e.seq, e.event_id, e.raw_kind, e.raw_name, e.raw_size, e.received_at FROM event e
       WHERE e.raw_kind <> 'gone' AND e.received_at < ? AND (e.received_at, e.seq) > (?, ?)
         AND (e.received_at, e.seq) <= (?, ?) AND ${closed} ORDER BY e.received_at, e.seq LIMIT ?`,
  );
  const oldRawOf = db.prepare<[string, number], OldRaw>(
    `SELECT e.seq, e.event_id, e.raw_kind, e.raw_name, e.raw_size, e.received_at FROM event e
       WHERE e.event_id = ? AND e.raw_kind <> 'gone' AND e.received_at < ? AND ${closed}`,
  );
  const oldBodies = db.prepare<[number, number], { seq: number; event_id: string }>(
    `SELECT e.seq, e.event_id FROM event e
       WHERE e.has_body = 1 AND e.received_at < ? AND ${closed} ORDER BY e.received_at, e.seq LIMIT ?`,
  );
  const rawGone = db.prepare("UPDATE event SET raw_kind = 'gone', raw_name = NULL WHERE seq = ?");
  const dropRaw = db.prepare("DELETE FROM raw WHERE event = ?");
  const bodyGone = db.prepare("UPDATE event SET has_body = 0 WHERE seq = ?");
  const dropBody = db.prepare("DELETE FROM body WHERE event = ?");
  const dropPlans = db.prepare("DELETE FROM plan WHERE delivery IN (SELECT id FROM delivery WHERE event = ?)");

  const dropRunPlans = db.prepare(
    "UPDATE run_delivery INDEXED BY run_delivery_of SET plan = NULL WHERE delivery IN (SELECT id FROM delivery WHERE event = ?)",
  );

  const rawsOf = (before: number, most: number, { only, after = first, upTo = last }: PurgePolicy) =>
    only === undefined
      ? oldRaws.all(before, after.receivedAt, after.seq, upTo.receivedAt, upTo.seq, most)
      : oldRawOf.all(only, before);

  return (policy: PurgePolicy): Purged => {
    const { rawBefore, eventBefore, now, dryRun, limit, except = [], only } = policy;
    // One more than the limit tells whether there is more.
    const most = Math.min(limit, Number.MAX_SAFE_INTEGER - 1 - except.length);
    const kept = new Set(except);
    const found = rawBefore === null ? [] : rawsOf(rawBefore, most + 1 + kept.size, policy);
    const raws = found.filter(({ event_id }) => !kept.has(event_id));
    const bodies = eventBefore === null || only !== undefined ? [] : oldBodies.all(eventBefore, most + 1);
    const isCut = raws.length > most;
    const more = isCut || bodies.length > most;
    raws.length = Math.min(raws.length, most);
    const through = cursorOf((isCut ? raws : found).at(-1));
    bodies.length = Math.min(bodies.length, most);
    if (!dryRun) {
      for (const { seq } of raws) {
        rawGone.run(seq);
        dropRaw.run(seq);
        tell(seq, now, "raw bytes deleted by retention");
      }
      for (const { seq } of bodies) {
        bodyGone.run(seq);
        dropBody.run(seq);
        dropPlans.run(seq);
        dropRunPlans.run(seq);
        tell(seq, now, "event body and plan deleted by retention");
      }
    }
    return { raws: raws.map(purgedRaw), events: bodies.map(({ event_id }) => event_id), through, more };
  };
}

type OldRaw = Omit<RawRow, "tenant"> & { received_at: number };

const first: PurgeCursor = { receivedAt: Number.MIN_SAFE_INTEGER, seq: 0 };
const last: PurgeCursor = { receivedAt: Number.MAX_SAFE_INTEGER, seq: 0 };

const cursorOf = (row: OldRaw | undefined): PurgeCursor | undefined =>
  row === undefined ? undefined : { receivedAt: row.received_at, seq: row.seq };

function purgedRaw(row: OldRaw): { eventId: string; raw: RawPlace; bytes: number } {
  return { eventId: row.event_id, raw: rawPlace(row.raw_kind, row.raw_name), bytes: row.raw_size };
}
