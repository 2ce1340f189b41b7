/** Hands messages out for parsing, an equal share to each tenant, each under a lease, and takes them back. */
import type { Envelope } from "../../model/envelope.ts";
import type { Attempt, Lease } from "../../model/ledger.ts";
import type { PlannedBy } from "../../model/runs.ts";
import type { Backstep } from "./backstep.ts";
import type { MessageColumns } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { openVerdict } from "./decisions.ts";
import { contentDigest } from "./displace.ts";
import { fairShares, openReplayShare } from "./fair.ts";
import { openFence } from "./fence.ts";
import type { Operations } from "./operations.ts";
import { rawPlace } from "./place.ts";
import { openStory } from "./story.ts";

export function openAttempt(db: Connection, backstep: Backstep): Pick<Operations, "attempt" | "release"> {
  const tell = openStory(db);
  const nextFence = openFence(db);
  const verdictOn = openVerdict(db);
  const expire = db.prepare(
    "UPDATE event SET lease = NULL, lease_until = NULL, turn = 0 WHERE lease IS NOT NULL AND lease_until <= ?",
  );
  const comeDue = db.prepare("UPDATE event SET turn = 0 WHERE stage = 'accepted' AND turn = 1 AND due_at <= ?");
  const readyOf = (replay: 0 | 1) =>
    db
      .prepare<[string, number], number>(
        `SELECT seq FROM event WHERE tenant = ? AND stage = 'accepted' AND turn = 0 AND replay = ${replay} ORDER BY priority, seq LIMIT ?`,
      )
      .pluck();
  const [live, replays] = [readyOf(0), readyOf(1)];
  const share = openReplayShare();
  // A run that gives up in the end has to leave what came while it tried.
  const take = db.prepare<[string, number, number], MessageColumns>(
    `UPDATE event SET turn = 2, lease = ?, lease_until = ?, parse_attempts = parse_attempts + 1,
       again = iif(run IS NULL, 0, again) WHERE seq = ?
     RETURNING seq, event_id, tenant, message_id, digest, conflict, received_at, envelope, routes, raw_sha256, raw_size,
       raw_kind, raw_name, parse_attempts, prepared_at, run, pinned`,
  );
  const plannedBy = db.prepare<[number], PlannedBy>("SELECT id, kind, of FROM run WHERE id = ?");
  const sealedRaw = db.prepare<[number], Uint8Array>("SELECT sealed FROM raw WHERE event = ?").pluck();
  const giveBack = db.prepare(
    "UPDATE event SET lease = NULL, lease_until = NULL, turn = 1, due_at = ? WHERE event_id = ? AND lease = ?",
  );

  const blameless = db
    .prepare<[string, string], number>(
      "UPDATE event SET parse_attempts = parse_attempts - 1 WHERE event_id = ? AND lease = ? AND parse_attempts > 0 RETURNING seq",
    )
    .pluck();
  const asItStood = db.prepare<[number]>(
    `UPDATE event SET stage = 'prepared', turn = 0, due_at = 0, lease = NULL, lease_until = NULL, again = 0, reprocess = 0,
         replay = 0, run = NULL
       WHERE seq = ? AND prepared_at IS NOT NULL
         AND (raw_kind = 'gone' OR EXISTS (SELECT 1 FROM delivery d WHERE d.event = event.seq))`,
  );
  // Fires the trigger that opens a review: what a person decided about it cannot be brought about, and it must not be out of sight for that.
  const waitsStill = db.prepare("UPDATE delivery SET state = state WHERE event = ? AND state = 'held'");

  const unable = db.prepare(
    "UPDATE run_event INDEXED BY run_event_of SET state = 'unable', reason = 'its raw bytes are gone' WHERE event = ? AND state = 'given'",
  );

  function attemptOf(row: MessageColumns, lease: Lease): Attempt {
    const sealed = row.raw_kind === "inline" ? sealedRaw.get(row.seq) : undefined;
    // Nobody has seen a message that was never prepared.
    const verdict = row.prepared_at === null ? undefined : verdictOn(row.seq);
    const run = row.run === null ? undefined : plannedBy.get(row.run);
    return {
      lease,
      eventId: row.event_id,
      tenant: row.tenant,
      attempts: row.parse_attempts,
      receivedAt: row.received_at,
      messageId: row.message_id,
      digest: contentDigest(row.digest),
      conflict: row.conflict === 1,
      rawSha256: row.raw_sha256,
      rawSize: row.raw_size,
      raw: rawPlace(row.raw_kind, row.raw_name),
      ...(sealed === undefined ? {} : { sealed }),
      envelope: JSON.parse(row.envelope) as Envelope,
      routes: JSON.parse(row.routes) as string[],
      preparedBefore: row.prepared_at !== null,
      ...(verdict === undefined ? {} : { verdict }),
      ...(row.pinned === null ? {} : { pinned: row.pinned }),
      ...(run === undefined ? {} : { run }),
    };
  }

  return {
    attempt(request) {
      const { now, leaseMs } = request;
      backstep(now);
      expire.run(now);
      comeDue.run(now);
      const { tenants } = request;
      const turnOf = (ready: typeof live) => (room: number) =>
        fairShares({ tenants, room }, (tenant, most) => ready.all(tenant, most));
      const seqs = share("parse", request.room, { live: turnOf(live), replays: turnOf(replays) });
      if (seqs.length === 0) return [];
      const lease: Lease = { token: nextFence(), until: now + leaseMs };
      const attempts: Attempt[] = [];
      for (const seq of seqs) {
        const row = take.get(lease.token, lease.until, seq);
        if (row === undefined) continue;
        tell(seq, now, row.parse_attempts === 1 ? "parse began" : `parse began, attempt ${row.parse_attempts}`);
        attempts.push(attemptOf(row, lease));
      }
      return attempts;
    },
    release(eventId, lease, dueAt, why) {
      const seq = why === undefined ? undefined : blameless.get(eventId, lease.token);
      const bytes = why === "ledger_failed" ? undefined : why;
      if (bytes !== undefined && seq !== undefined) {
        const stands = bytes.lost && asItStood.run(seq).changes > 0;
        tell(seq, bytes.at, stands ? "its raw bytes are gone: it stays as it was" : "its raw bytes could not be read");
        if (stands) {
          waitsStill.run(seq);
          unable.run(seq);
          return;
        }
      }
      giveBack.run(dueAt, eventId, lease.token);
    },
  };
}
