/** Commits what was made of a message: its event, and per lane what is to be done. */
import type { Prepared } from "../../model/ledger.ts";
import { openTeach } from "./acquaintance.ts";
import type { Connection } from "./connection.ts";
import { openListFiles } from "./file-list.ts";
import { openFixDeal } from "./mappings.ts";
import type { Operations } from "./operations.ts";
import { openPlans } from "./plan.ts";
import { openAskForReviews } from "./reviews.ts";
import { openPlace } from "./thread-place.ts";

interface Leased {
  seq: number;
  tenant: string;
  again: number;
  reprocess: number;
  replay: number;
  run: number | null;
}

export function openPrepare(db: Connection): Operations["prepare"] {
  const plans = openPlans(db);
  const place = openPlace(db);
  const teach = openTeach(db);
  const askForReviews = openAskForReviews(db);
  const fixDeal = openFixDeal(db);
  const listFiles = openListFiles(db);
  const leased = db.prepare<[string, string], Leased>(
    "SELECT seq, tenant, again, reprocess, replay, run FROM event WHERE event_id = ? AND lease = ? AND stage = 'accepted'",
  );
  const inWork = db
    .prepare<[{ event: number; run: number; now: number }], number>(
      `SELECT 1 FROM run u JOIN delivery d ON d.event = $event WHERE u.id = $run AND u.kind = 'undo'
         AND (d.lease IS NOT NULL OR EXISTS (SELECT 1 FROM revision v WHERE v.delivery = d.id)
           OR EXISTS (SELECT 1 FROM step s INDEXED BY step_delivery WHERE s.delivery = d.id AND s.settled_at >= $now)) LIMIT 1`,
    )
    .pluck();
  const waits = db.prepare("UPDATE run_event SET state = 'waiting' WHERE run = ? AND event = ? AND state = 'given'");
  // With what led to it meanwhile; of another run, that one has it now.
  const leaveRun = db.prepare(
    `UPDATE event SET stage = iif(again = 1 OR reprocess = 1 OR run <> $run, 'accepted', 'prepared'), run = iif(run = $run, NULL, run),
       parse_attempts = 0, turn = 0, due_at = 0, lease = NULL, lease_until = NULL, again = 0 WHERE seq = $event`,
  );
  const planned = db.prepare("UPDATE run_event SET state = 'planned' WHERE run = ? AND event = ?");
  const putBody = db.prepare(
    "INSERT INTO body (event, sealed) VALUES (?, ?) ON CONFLICT DO UPDATE SET sealed = excluded.sealed",
  );
  // A message that has to be planned once more stays accepted; its parse came to an end, so its attempts count anew. What a person asked for
  // meanwhile is asked for still.
  const finish = db.prepare(
    `UPDATE event SET stage = iif(again = 1, 'accepted', 'prepared'), parse_attempts = iif(again = 1, 0, parse_attempts),
       turn = 0, due_at = 0, lease = NULL, lease_until = NULL, again = 0, reprocess = iif(again = 1, reprocess, 0),
       replay = iif(again = 1, replay, 0), run = iif(again = 1, run, NULL), prepared_at = ?, parse_status = ?,
       schema_version = ?, mapping_version = ?, thread = ?, has_body = 1 WHERE seq = ?`,
  );

  /** What a run planned is made from what was stored: nothing is lost with it, and it is given to the run again. */
  function isOvertaken(event: Leased, run: number, now: number): boolean {
    return event.again === 1 || event.run !== run || inWork.get({ event: event.seq, run, now }) !== undefined;
  }

  function one(item: Prepared): boolean {
    const event = leased.get(item.eventId, item.lease.token);
    if (event === undefined) return false;
    const run = item.byRun ?? null;
    if (run !== null && isOvertaken(event, run, item.now)) {
      waits.run(run, event.seq);
      leaveRun.run({ run, event: event.seq });
      return true;
    }
    putBody.run(event.seq, item.sealedEvent);
    for (const delivery of item.deliveries) {
      plans.merge({
        event: event.seq,
        now: item.now,
        thread: item.threadKey,
        mappingVersion: item.mappingVersion,
        reprocess: event.reprocess === 1,
        replay: event.replay === 1,
        run,
        delivery,
      });
    }
    if (item.thread !== undefined) place(event.seq, item.thread, item.now);
    if (item.acquaintance !== undefined) teach(event.tenant, item.eventId, item.acquaintance);
    askForReviews(event.seq, item.now, item.reviews);
    fixDeal(event.seq, item.deal, { now: item.now, run });
    if (run !== null) planned.run(run, event.seq);
    if (item.files !== undefined && item.files.length > 0) listFiles(event.seq, item.now, item.files);
    finish.run(item.now, item.parseStatus, item.schemaVersion, item.mappingVersion, item.threadKey, event.seq);
    return true;
  }

  return (items) => items.map(one);
}
