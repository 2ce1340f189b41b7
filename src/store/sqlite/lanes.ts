/** The lanes: what each holds, and whether it may be worked. */
import type { LaneStatus, Pause } from "../../model/ledger.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";

interface LaneRow {
  name: string;
  tenant: string;
  paused_until: number | null;
  pause_reason: string | null;
  blocked_at: number | null;
  blocked_reason: string | null;
  old_until: number | null;
  old_reason: string | null;
}

interface Count {
  lane: string;
  state: string;
  n: number;
}

export function openLanes(db: Connection): Pick<Operations, "lanes" | "pause" | "laneBudget" | "keepLaneBudget"> {
  const all = db.prepare<[], LaneRow>("SELECT * FROM lane ORDER BY name");
  const counts = db.prepare<[], Count>("SELECT lane, state, n FROM lane_tally");
  const oldest = db
    .prepare<[string], number>(
      `SELECT e.received_at FROM delivery d JOIN event e ON e.seq = d.event
         WHERE d.state = 'pending' AND d.lane = ? ORDER BY d.event LIMIT 1`,
    )
    .pluck();
  const add = db.prepare("INSERT INTO lane (name, tenant) VALUES (?, ?) ON CONFLICT DO NOTHING");
  const until = db.prepare(
    `UPDATE lane SET paused_until = $until, pause_reason = $reason WHERE name = $lane AND (paused_until IS NULL OR paused_until < $until)`,
  );
  const block = db.prepare("UPDATE lane SET blocked_at = coalesce(blocked_at, ?), blocked_reason = ? WHERE name = ?");
  const old = db.prepare("UPDATE lane SET old_until = ?, old_reason = ? WHERE name = ?");
  const budgetOf = db.prepare<[string], string | null>("SELECT budget FROM lane WHERE name = ?").pluck();
  const keepBudget = db.prepare("UPDATE lane SET budget = ? WHERE name = ?");
  const resume = db.prepare("UPDATE lane SET blocked_at = NULL, blocked_reason = NULL WHERE name = ?");

  return {
    lanes() {
      const tally = new Map(counts.all().map(({ lane, state, n }) => [`${state} ${lane}`, n]));
      return all.all().map((row) => statusOf(row, tally, oldest.get(row.name) ?? null));
    },
    pause(pause: Pause) {
      add.run(pause.lane, pause.lane.split("/", 1)[0]);
      switch (pause.kind) {
        case "until":
          until.run({ lane: pause.lane, until: pause.until, reason: pause.reason });
          break;
        case "blocked":
          block.run(pause.at, pause.reason, pause.lane);
          break;
        case "old_mail":
          old.run(pause.waits?.until ?? null, pause.waits?.reason ?? null, pause.lane);
          break;
        case "resume":
          resume.run(pause.lane);
          break;
        default:
          pause satisfies never;
      }
    },
    laneBudget: (lane) => budgetOf.get(lane) ?? null,
    keepLaneBudget({ lane, budget }) {
      add.run(lane, lane.split("/", 1)[0]);
      keepBudget.run(budget, lane);
    },
  };
}

function statusOf(row: LaneRow, tally: ReadonlyMap<string, number>, oldestPendingAt: number | null): LaneStatus {
  const count = (state: string) => tally.get(`${state} ${row.name}`) ?? 0;
  return {
    lane: row.name,
    tenant: row.tenant,
    pausedUntil: row.paused_until,
    pauseReason: row.pause_reason,
    blockedReason: row.blocked_reason,
    blockedAt: row.blocked_at,
    oldMail: row.old_until === null ? null : { until: row.old_until, reason: row.old_reason ?? "" },
    pending: count("pending"),
    failed: count("failed"),
    held: count("held"),
    oldestPendingAt,
  };
}
