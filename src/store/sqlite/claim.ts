/** Hands a lane its next deliveries under a lease: live mail before replays, oldest due first, one of each thread, none while the lane is paused or blocked. */
import type { Claim, ClaimedStep, ClaimRequest, Claims, Lease, StepState } from "../../model/ledger.ts";
import type { StepKind } from "../../model/step.ts";
import { openFollow } from "./account.ts";
import { type Backstep, furthestMs } from "./backstep.ts";
import type { Connection } from "./connection.ts";
import { openReplayShare } from "./fair.ts";
import { openFence } from "./fence.ts";
import { openElect } from "./head.ts";
import { openPlans } from "./plan.ts";

interface Taken {
  id: number;
  lane: string;
  attempts: number;
  prepared_at: number;
  binding: number;
}
interface Message {
  tenant: string;
  event_id: string;
  received_at: number;
  sealed: Uint8Array | null;
  body: Uint8Array | null;
}
interface Step {
  id: number;
  kind: string;
  key: string;
  state: string;
  sends: number;
  empty_reads: number;
  deadline: number | null;
  ref: string | null;
  remembered: string | null;
  planned: number;
  run: number | null;
  times: number | null;
}
interface LaneGate {
  paused_until: number | null;
  blocked_at: number | null;
  old_until: number | null;
  binding: number;
}

/** Retries that come due together are made ready this many at a time. */
const wakeAtOnce = 1_000;

export function openClaim(db: Connection, backstep: Backstep): (request: ClaimRequest) => Claims {
  const nextFence = openFence(db);
  const follow = openFollow(db);
  const expire = openExpiry(db);
  const due = openDue(db);
  const gate = db.prepare<[number, string], LaneGate>(
    "SELECT min(paused_until, ?) AS paused_until, blocked_at, old_until, binding FROM lane WHERE name = ?",
  );
  const boundPause = db.prepare("UPDATE lane SET paused_until = $most WHERE name = $lane AND paused_until > $most");
  const readyOf = (replay: 0 | 1) =>
    db
      .prepare<[string, number], number>(
        `SELECT id FROM delivery WHERE lane = ? AND state = 'pending' AND head = 1 AND turn = 0 AND replay = ${replay} ORDER BY due_at, id LIMIT ?`,
      )
      .pluck();
  const [live, replays] = [readyOf(0), readyOf(1)];
  const share = openReplayShare();
  const take = db.prepare<[string, number, number], Taken>(
    "UPDATE delivery SET turn = 2, lease = ?, lease_until = ? WHERE id = ? RETURNING id, lane, attempts, prepared_at, binding",
  );
  const message = db.prepare<[number], Message>(
    `SELECT e.tenant, e.event_id, e.received_at, p.sealed, b.sealed AS body FROM delivery d JOIN event e ON e.seq = d.event
       LEFT JOIN plan p ON p.delivery = d.id LEFT JOIN body b ON b.event = d.event WHERE d.id = ?`,
  );
  const bodiless = db.prepare<[number], Message>(
    `SELECT e.tenant, e.event_id, e.received_at, p.sealed, NULL AS body FROM delivery d JOIN event e ON e.seq = d.event
       LEFT JOIN plan p ON p.delivery = d.id WHERE d.id = ?`,
  );
  const steps = db.prepare<[string, string, number], Step>(
    `SELECT s.id, s.kind, s.key, s.state, s.sends, s.empty_reads, s.deadline, s.ref, r.ref AS remembered,
         s.position IS NOT NULL AS planned, s.run, u.times
       FROM step s LEFT JOIN record r ON r.lane = ? AND r.kind = s.kind AND r.key = s.key
         LEFT JOIN undone u ON u.lane = ? AND u.kind = s.kind AND u.key = s.key
       WHERE s.delivery = ? AND s.undone IS NULL AND (s.position IS NOT NULL OR s.state = 'confirmed') ORDER BY s.position, s.id`,
  );

  function claimOf(taken: Taken, lease: Lease, withBody: boolean): Claim {
    const about = (withBody ? message : bodiless).get(taken.id);
    if (about === undefined) throw new TypeError(`delivery ${taken.id} belongs to no event`);
    const rows = steps.all(taken.lane, taken.lane, taken.id);
    return {
      lease,
      id: taken.id,
      lane: taken.lane,
      tenant: about.tenant,
      eventId: about.event_id,
      attempts: taken.attempts,
      receivedAt: about.received_at,
      preparedAt: taken.prepared_at,
      sealedSteps: about.sealed ?? new Uint8Array(),
      sealedEvent: about.body ?? undefined,
      steps: rows.filter(({ planned }) => planned === 1).map(claimedStep),
      left: rows.flatMap(({ planned, kind, key, ref }) =>
        planned === 1 || ref === null ? [] : [{ kind: kind as StepKind, key, ref }],
      ),
    };
  }

  return ({ lane, room, now, leaseMs, bodies = true }) => {
    backstep(now);
    expire(lane, now);
    const held = gate.get(now + furthestMs, lane);
    if (held === undefined || held.blocked_at !== null) return { claims: [], nextDueAt: null };
    if (held.paused_until !== null && held.paused_until > now) {
      boundPause.run({ lane, most: now + furthestMs });
      return { claims: [], nextDueAt: held.paused_until };
    }
    due.wake(lane, now);
    const oldWaits =
      held.old_until !== null && held.old_until > now ? Math.min(held.old_until, now + furthestMs) : null;
    const ids = share(lane, Math.max(0, room), {
      live: (most) => live.all(lane, most),
      replays: (most) => (oldWaits === null ? replays.all(lane, most) : []),
    });
    const lease: Lease = { token: ids.length > 0 ? nextFence() : "", until: now + leaseMs };
    const claims: Claim[] = [];
    for (const id of ids) {
      const taken = take.get(lease.token, lease.until, id);
      if (taken === undefined) continue;
      if (taken.binding !== held.binding) follow(id, now);
      claims.push(claimOf(taken, lease, bodies));
    }
    return { claims, nextDueAt: due.next(lane, now, oldWaits) };
  };
}

function claimedStep(row: Step): ClaimedStep {
  const confirmed = row.state === "confirmed";
  return {
    id: row.id,
    kind: row.kind as StepKind,
    key: row.key,
    state: row.state as StepState,
    sends: row.sends,
    emptyReads: row.empty_reads,
    deadline: row.deadline,
    ref: confirmed ? row.ref : row.remembered,
    remembered: !confirmed && row.remembered !== null,
    ...(row.run === null ? {} : { run: row.run }),
    ...(row.times === null ? {} : { generation: row.times }),
  };
}

/** What waits for a time, and what waits for nothing but room. */
function openDue(db: Connection) {
  const bound = db.prepare(
    "UPDATE delivery SET due_at = $most WHERE lane = $lane AND state = 'pending' AND head = 1 AND turn = 1 AND due_at > $most",
  );
  const wake = db.prepare(
    `UPDATE delivery SET turn = 0 WHERE id IN (SELECT id FROM delivery
       WHERE lane = ? AND state = 'pending' AND head = 1 AND turn = 1 AND due_at <= ? ORDER BY due_at LIMIT ${wakeAtOnce})`,
  );
  const first = (which: string) =>
    db
      .prepare<[string], number>(
        `SELECT due_at FROM delivery WHERE lane = ? AND state = 'pending' AND head = 1 AND ${which} ORDER BY due_at LIMIT 1`,
      )
      .pluck();
  const live = first("turn = 0 AND replay = 0");
  const replay = first("turn = 0 AND replay = 1");
  const waiting = first("turn = 1");
  const leased = db
    .prepare<[string], number>(
      "SELECT lease_until FROM delivery WHERE lane = ? AND lease IS NOT NULL ORDER BY lease_until LIMIT 1",
    )
    .pluck();
  return {
    wake(lane: string, now: number): void {
      bound.run({ lane, most: now + furthestMs });
      wake.run(lane, now);
    },
    /** A ready delivery is due now, also when the clock has been set back to before it was planned. */
    next(lane: string, now: number, oldWaits: number | null): number | null {
      const liveAt = live.get(lane);
      const oldAt = liveAt === undefined ? replay.get(lane) : undefined;
      const readyAt = liveAt ?? (oldWaits === null ? oldAt : undefined);
      if (readyAt !== undefined) return Math.min(readyAt, now);
      const held = oldAt === undefined || oldWaits === null ? undefined : oldWaits;
      const times = [waiting.get(lane), leased.get(lane), held].filter((time) => time !== undefined);
      return times.length === 0 ? null : Math.min(...times);
    },
  };
}

/**
 * Takes back leases whose time is over, and counts an attempt: work that never comes to an end must not be given out for ever. Steps stay as they are: the next holder looks up what was sent before it
 * sends anything.
 */
export function openExpiry(db: Connection): (lane: string, now: number) => void {
  const over = db.prepare<[string, number], { id: number; lane: string; thread: string }>(
    `UPDATE delivery SET lease = NULL, lease_until = NULL, turn = 0, attempts = attempts + 1
       WHERE lane = ? AND lease IS NOT NULL AND lease_until <= ?
       RETURNING id, lane, thread`,
  );
  const elect = openElect(db);
  const plans = openPlans(db);
  return (lane, now) => {
    for (const { id, lane: name, thread } of over.all(lane, now)) {
      elect(name, thread);
      plans.revise(id);
    }
  };
}
