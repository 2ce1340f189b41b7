/** Runs of a mapping over stored messages: begun, and given out in small portions. */
import type { Cohort, RunRow } from "../../model/runs.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";
import { openStory } from "./story.ts";

type Names = "beginRun" | "chooseForRun" | "stateRun" | "feedRun";

export interface Columns {
  id: number;
  tenant: string;
  kind: RunRow["kind"];
  of: number | null;
  mapping_version: number;
  cohort: string;
  by: string;
  note: string | null;
  at: number;
  state: RunRow["state"];
  ended_at: number | null;
}

export const rowOf = ({ mapping_version, cohort, ended_at, ...row }: Columns): RunRow => ({
  ...row,
  mappingVersion: mapping_version,
  cohort: JSON.parse(cohort) as Cohort,
  endedAt: ended_at,
});

export function openRuns(db: Connection): Pick<Operations, Names> {
  const insert = db
    .prepare<unknown[], number>(
      `INSERT INTO run (tenant, kind, of, mapping_version, cohort, by, note, at, state)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
    )
    .pluck();
  const open = db
    .prepare<[string, number], number>(
      "SELECT 1 FROM run INDEXED BY run_open WHERE tenant = ? AND state <> 'done' AND id <> ? LIMIT 1",
    )
    .pluck();
  const end = db.prepare("UPDATE run SET state = 'done', ended_at = coalesce(ended_at, ?) WHERE id = ?");
  const later = db
    .prepare<[number], number>(
      `SELECT 1 FROM run_event mine JOIN run_event other INDEXED BY run_event_of ON other.event = mine.event AND other.run > mine.run
         JOIN run r ON r.id = other.run AND r.kind = 'apply'
         WHERE mine.run = ? AND NOT EXISTS (SELECT 1 FROM run u INDEXED BY run_of WHERE u.of = r.id AND u.state = 'done') LIMIT 1`,
    )
    .pluck();
  // Also what was to be planned again, or could not be, after some of it had come about.
  const takeOver = db.prepare(
    `INSERT INTO run_event (run, event, state) SELECT $id, r.event, 'waiting' FROM run_event r
       WHERE r.run = $of AND (r.state IN ('given', 'planned') OR EXISTS (
         SELECT 1 FROM delivery d JOIN step s INDEXED BY step_delivery ON s.delivery = d.id
           WHERE d.event = r.event AND s.run = $of AND s.state <> 'planned' AND s.undone IS NULL))`,
  );
  const choose = db.prepare(
    `INSERT INTO run_event (run, event, state) SELECT r.id, e.seq, 'waiting' FROM run r JOIN event e ON e.tenant = r.tenant
       WHERE r.id = ? AND e.event_id = ? ON CONFLICT DO NOTHING`,
  );
  const isLeft = db
    .prepare<[{ run: number }], number>(
      `SELECT 1 WHERE EXISTS (SELECT 1 FROM run_event WHERE run = $run AND state = 'waiting')
         OR EXISTS (SELECT 1 FROM run_event WHERE run = $run AND state = 'given')`,
    )
    .pluck();
  const state = db.prepare(
    "UPDATE run SET state = $state, ended_at = iif($state IN ('done', 'stopped'), $now, NULL) WHERE id = $run AND state <> 'done'",
  );
  return {
    beginRun({ tenant, kind, of, mappingVersion, cohort, by, note, now }) {
      if (open.get(tenant, of ?? 0) !== undefined) return undefined;
      // What the later one asked for too is there as the earlier one's, and would go with it.
      if (of !== null && later.get(of) !== undefined) return undefined;
      const first = kind === "undo" ? "running" : "choosing";
      const id = insert.get(tenant, kind, of, mappingVersion, JSON.stringify(cohort), by, note, now, first);
      if (id === undefined) throw new TypeError("a run was written and has no number");
      if (of !== null) {
        end.run(now, of);
        takeOver.run({ id, of });
      }
      return id;
    },
    chooseForRun(run, eventIds) {
      for (const eventId of eventIds) choose.run(run, eventId);
    },
    stateRun({ run, state: wanted, now }) {
      if (wanted === "done" && isLeft.get({ run }) !== undefined) return false;
      return state.run({ run, state: wanted, now }).changes === 1;
    },
    feedRun: openFeed(db),
  };
}

interface Fed {
  seq: number;
  pinned: number | null;
  raw_kind: string;
  has_body: number;
}

function openFeed(db: Connection): Operations["feedRun"] {
  const tell = openStory(db);
  const run = db.prepare<[number], Columns>("SELECT * FROM run WHERE id = ?");
  const next = db.prepare<[number, number], Fed>(
    `SELECT e.seq, e.pinned, e.raw_kind, e.has_body FROM run_event r INDEXED BY run_event_waiting JOIN event e ON e.seq = r.event
       WHERE r.run = ? AND r.state = 'waiting' ORDER BY r.event LIMIT ?`,
  );
  // A parse that is under way knows nothing of it: then it is planned once more after it. One that is live in any way stays live.
  const give = db.prepare(
    `UPDATE event SET run = $run, pinned = $pinned, replay = iif(stage = 'accepted', min(replay, 1), 1), stage = 'accepted',
       again = iif(lease IS NULL, again, 1), parse_attempts = iif(lease IS NULL, 0, parse_attempts),
       turn = iif(lease IS NULL, 0, turn), due_at = 0 WHERE seq = $seq`,
  );
  // What was pinned before the run, however often it is given to it; 0 where nothing was.
  const given = db.prepare(
    "UPDATE run_event SET state = 'given', pinned = coalesce(pinned, ?, 0), reason = NULL WHERE run = ? AND event = ?",
  );
  const unable = db.prepare(
    "UPDATE run_event SET state = 'unable', reason = 'retention has removed its content' WHERE run = ? AND event = ?",
  );
  const before = db
    .prepare<[number, number], number | null>("SELECT pinned FROM run_event WHERE run = ? AND event = ?")
    .pluck();
  // What a lane is working now is not known yet: to be taken back, it has to be.
  const nextAtRest = db.prepare<[number, number], Fed>(
    `SELECT e.seq, e.pinned, e.raw_kind, e.has_body FROM run_event r INDEXED BY run_event_waiting JOIN event e ON e.seq = r.event
       WHERE r.run = ? AND r.state = 'waiting' AND NOT EXISTS (
         SELECT 1 FROM delivery d LEFT JOIN revision v ON v.delivery = d.id
           WHERE d.event = r.event AND (d.lease IS NOT NULL OR v.delivery IS NOT NULL))
       ORDER BY r.event LIMIT ?`,
  );
  return ({ run: id, limit, now }) => {
    const row = run.get(id);
    if (row === undefined || row.state === "done") return 0;
    const all = (row.of === null ? next : nextAtRest).all(id, limit);
    for (const { seq, pinned, raw_kind, has_body } of all) {
      if (has_body === 0 && (raw_kind === "gone" || row.of !== null)) {
        unable.run(id, seq);
        tell(seq, now, `run ${id} could not plan it: retention has removed its content`);
        continue;
      }
      const to = row.of === null ? row.mapping_version : before.get(row.of, seq) || null;
      give.run({ run: id, pinned: to, seq });
      given.run(pinned, id, seq);
      tell(
        seq,
        now,
        `given to run ${id}`,
        `${row.kind === "undo" ? `takes back run ${row.of}` : `mapping version ${to}`}, by ${row.by}`,
      );
    }
    return all.length;
  };
}
