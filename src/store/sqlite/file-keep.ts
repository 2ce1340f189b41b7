/** Hands out messages whose files are to be brought in line with what is known of them, and writes down what came of that. */
import type { FileKept, FilesToKeep, Later } from "../../model/files.ts";
import type { Lease } from "../../model/ledger.ts";
import { furthestMs } from "./backstep.ts";
import { clip } from "./clip.ts";
import type { Connection } from "./connection.ts";
import { type ContentOf, openContents } from "./content.ts";
import { fairShares } from "./fair.ts";
import { openFence } from "./fence.ts";
import { openTellPlans } from "./file-plan.ts";
import { openFilesOf } from "./file-rows.ts";
import type { Operations } from "./operations.ts";
import { rawPlace } from "./place.ts";

interface Taken {
  seq: number;
  event_id: string;
  tenant: string;
  raw_kind: string;
  raw_name: string | null;
  raw_size: number;
  sealed: Uint8Array | null;
}

export function openFilesToKeep(db: Connection): Operations["filesToKeep"] {
  const nextFence = openFence(db);
  const filesOf = openFilesOf(db);
  const expire = db.prepare(
    "UPDATE filing SET lease = NULL, lease_until = NULL, turn = 0 WHERE lease IS NOT NULL AND lease_until <= ?",
  );
  // A clock that was set back must not make it wait longer than it would have.
  const bound = db.prepare("UPDATE filing SET due_at = $most WHERE turn = 1 AND due_at > $most");
  const comeDue = db.prepare("UPDATE filing SET turn = 0 WHERE turn = 1 AND due_at <= ?");
  const ready = db
    .prepare<[string, number], number>("SELECT event FROM filing WHERE tenant = ? AND turn = 0 ORDER BY event LIMIT ?")
    .pluck();
  const take = db
    .prepare<[string, number, number], number>(
      "UPDATE filing SET turn = 2, lease = ?, lease_until = ?, attempts = attempts + 1, again = 0 WHERE event = ? RETURNING attempts",
    )
    .pluck();
  const message = db.prepare<[number], Taken>(
    `SELECT e.seq, e.event_id, e.tenant, e.raw_kind, e.raw_name, e.raw_size, r.sealed
       FROM event e LEFT JOIN raw r ON r.event = e.seq WHERE e.seq = ?`,
  );

  return ({ tenants, room, now, leaseMs }) => {
    expire.run(now);
    bound.run({ most: now + furthestMs });
    comeDue.run(now);
    const events = fairShares({ tenants, room }, (tenant, most) => ready.all(tenant, most));
    if (events.length === 0) return [];
    const lease: Lease = { token: nextFence(), until: now + leaseMs };
    return events.flatMap((event): FilesToKeep[] => {
      const attempts = take.get(lease.token, lease.until, event);
      const row = message.get(event);
      if (attempts === undefined || row === undefined) return [];
      return [
        {
          lease,
          eventId: row.event_id,
          tenant: row.tenant,
          attempts,
          rawSize: row.raw_size,
          raw: rawPlace(row.raw_kind, row.raw_name),
          ...(row.sealed === null ? {} : { sealed: row.sealed }),
          files: filesOf(event),
        },
      ];
    });
  };
}

interface Row extends ContentOf {
  seq: number;
  status: string;
  reason: string | null;
}

export function openFilesKept(db: Connection): Pick<Operations, "filesKept" | "filesLater"> {
  const contents = openContents(db);
  const tellPlans = openTellPlans(db);
  const leased = db
    .prepare<[string, string], number>(
      "SELECT g.event FROM event e JOIN filing g ON g.event = e.seq WHERE e.event_id = ? AND g.lease = ?",
    )
    .pluck();
  // What a person said meanwhile stands, and what is gone does not come back.
  const open = db.prepare<[string, number], Row>(
    `SELECT seq, tenant, sha256, size, received_at, status, reason FROM file WHERE id = ? AND event = ? AND decided IS NULL
       AND status NOT IN ('refused', 'dropped', 'removed')`,
  );
  const any = db.prepare<[string, number], ContentOf>(
    "SELECT tenant, sha256, size, received_at FROM file WHERE id = ? AND event = ?",
  );
  const change = db.prepare(
    "UPDATE file SET status = ?, reason = ?, kept = 1, by = 'mailwright', at = ? WHERE seq = ?",
  );
  const looked = db.prepare("UPDATE file SET inspection = ? WHERE seq = ?");
  const keep = db.prepare("UPDATE file SET kept = 1 WHERE seq = ? AND kept = 0");
  const finish = db.prepare(
    `UPDATE filing SET lease = NULL, lease_until = NULL, turn = iif(again = 1 OR $turn = 0, 0, $turn), due_at = $dueAt,
       attempts = iif($turn = 3, 0, attempts), again = 0 WHERE event = $event`,
  );
  const unkept = db.prepare<[number], number>("SELECT 1 FROM file WHERE event = ? AND kept = 0 LIMIT 1").pluck();
  const giveBack = db.prepare(
    `UPDATE filing SET lease = NULL, lease_until = NULL, turn = 1, due_at = $dueAt, attempts = max(0, attempts - $blameless)
       WHERE event = $event`,
  );

  /** `changed`: it has another status or reason now. `stale`: it has to be judged anew. */
  function one(event: number, now: number, kept: FileKept): "changed" | "stale" | "same" {
    const row = open.get(kept.id, event);
    if (row === undefined) {
      // Dropped while it was put: its bytes go again.
      const of = kept.storeKey === null ? undefined : any.get(kept.id, event);
      if (of === undefined) return "same";
      contents.enter(of, kept, now);
      contents.settle(of);
      return "same";
    }
    if (kept.inspection !== null) looked.run(JSON.stringify(kept.inspection), row.seq);
    const isNews = row.status !== kept.status || row.reason !== kept.reason;
    // It stays to be kept, though it may have been: looking at it once more costs little.
    if (!contents.enter(row, kept, now)) return "stale";
    if (isNews) change.run(kept.status, kept.reason === null ? null : clip(kept.reason), now, row.seq);
    else keep.run(row.seq);
    contents.settle(row);
    return isNews ? "changed" : "same";
  }

  function later(event: number, { dueAt, blameless }: Later): void {
    giveBack.run({ event, dueAt, blameless: blameless ? 1 : 0 });
  }

  return {
    filesKept({ eventId, lease, now, kept, later: next }) {
      const event = leased.get(eventId, lease.token);
      if (event === undefined) return false;
      const outcomes = kept.map((each) => ({ status: each.status, became: one(event, now, each) }));
      const isStale = outcomes.some(({ became }) => became === "stale");
      if (next !== undefined && !isStale) later(event, next);
      else finish.run({ event, turn: isStale || unkept.get(event) !== undefined ? 0 : 3, dueAt: 0 });
      const news = outcomes.filter(({ became }) => became === "changed");
      if (news.length > 0) tellPlans(event, now, "its files were checked", counted(news));
      return true;
    },
    filesLater(eventId, lease, next) {
      const event = leased.get(eventId, lease.token);
      if (event !== undefined) later(event, next);
    },
  };
}

/** `2 stored, 1 quarantined`. */
function counted(files: readonly { readonly status: string }[]): string {
  const counts = new Map<string, number>();
  for (const { status } of files) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} ${status}`).join(", ");
}
