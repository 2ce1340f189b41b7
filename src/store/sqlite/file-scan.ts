/** Hands out contents for a scanner to look at, and writes down what it said. */
import type { FileToScan } from "../../model/files.ts";
import type { Lease } from "../../model/ledger.ts";
import { furthestMs } from "./backstep.ts";
import { clip } from "./clip.ts";
import type { Connection } from "./connection.ts";
import { fairShares } from "./fair.ts";
import { openFence } from "./fence.ts";
import { living, type ScanColumns, scanOf } from "./file-rows.ts";
import type { Operations } from "./operations.ts";

interface Row extends ScanColumns {
  id: number;
  tenant: string;
  sha256: string;
  size: number;
  store_key: string;
  attempts: number;
}

export function openFilesToScan(db: Connection): Operations["filesToScan"] {
  const nextFence = openFence(db);
  const expire = db.prepare(
    "UPDATE content SET lease = NULL, lease_until = NULL, turn = 0 WHERE lease IS NOT NULL AND lease_until <= ?",
  );
  const bound = db.prepare("UPDATE content SET due_at = $most WHERE turn = 1 AND due_at > $most");
  const comeDue = db.prepare("UPDATE content SET turn = 0 WHERE turn = 1 AND due_at <= ?");
  const ready = db
    .prepare<[string, number], number>("SELECT id FROM content WHERE tenant = ? AND turn = 0 ORDER BY id LIMIT ?")
    .pluck();
  const skippedOnes = db
    .prepare<[string, number], number>(
      `SELECT id FROM content INDEXED BY content_skipped
         WHERE tenant = ? AND turn = 3 AND scan = 'skipped' AND store_key IS NOT NULL ORDER BY id LIMIT ?`,
    )
    .pluck();
  const looked = db
    .prepare<[{ tenant: string; before: number; signatures: string; room: number }], number>(
      `SELECT id FROM content INDEXED BY content_scanned WHERE tenant = $tenant AND turn = 3 AND store_key IS NOT NULL
         AND scanned_at < $before AND signatures IS NOT $signatures ORDER BY scanned_at LIMIT $room`,
    )
    .pluck();
  const take = db.prepare<[string, number, number], Row>(
    `UPDATE content SET turn = 2, lease = ?, lease_until = ?, attempts = attempts + 1 WHERE id = ?
       RETURNING id, tenant, sha256, size, store_key, attempts, scan, engine, signatures, scanned_at, scan_detail`,
  );
  return ({ tenants, room, now, leaseMs, skipped, again }) => {
    expire.run(now);
    bound.run({ most: now + furthestMs });
    comeDue.run(now);
    let ids = fairShares({ tenants, room }, (tenant, most) => ready.all(tenant, most));
    if (ids.length === 0 && skipped === true)
      ids = fairShares({ tenants, room }, (tenant, most) => skippedOnes.all(tenant, most));
    if (ids.length === 0 && again !== undefined)
      ids = fairShares({ tenants, room }, (tenant, most) => looked.all({ ...again, tenant, room: most }));
    if (ids.length === 0) return [];
    const lease: Lease = { token: nextFence(), until: now + leaseMs };
    return ids.flatMap((id): FileToScan[] => {
      const row = take.get(lease.token, lease.until, id);
      if (row === undefined) return [];
      const { tenant, sha256, size, store_key: storeKey, attempts } = row;
      return [{ lease, tenant, sha256, size, storeKey, attempts, scan: scanOf(row) }];
    });
  };
}

/** A message waits this long at most for the scans of its other files, before it is planned again for those that have a verdict. */
const togetherMs = 3 * 60_000;

export function openFilesScanned(db: Connection): Operations["filesScanned"] {
  const held = db.prepare<[string, string, string], { id: number; scan: string; scan_detail: string | null }>(
    "SELECT id, scan, scan_detail FROM content WHERE sha256 = ? AND tenant = ? AND lease = ?",
  );
  const write = db.prepare(
    `UPDATE content SET scan = $status, engine = $engine, signatures = $signatures, scanned_at = $at, scan_detail = $detail,
       lease = NULL, lease_until = NULL, turn = iif($dueAt IS NULL, 3, 1), due_at = coalesce($dueAt, 0),
       attempts = iif($dueAt IS NULL, 0, attempts) WHERE id = $id`,
  );
  const carriers = (statuses: string) =>
    db
      .prepare<[string, string], number>(
        `SELECT event FROM file WHERE sha256 = ? AND tenant = ? AND kept = 1 AND decided IS NULL AND status IN ${statuses}`,
      )
      .pluck();
  const all = carriers(living);
  const undecided = carriers("('checking')");
  const others = db
    .prepare<[number], number>(
      `SELECT 1 FROM file f JOIN content c ON c.sha256 = f.sha256 AND c.tenant = f.tenant
         WHERE f.event = ? AND f.status = 'checking' AND c.scan IN ('pending', 'skipped') AND c.turn <> 3 LIMIT 1`,
    )
    .pluck();
  const due = db.prepare(
    "UPDATE filing SET turn = iif(lease IS NULL, 0, turn), again = iif(lease IS NULL, 0, 1), due_at = 0 WHERE event = ?",
  );
  const dueSoon = db.prepare("UPDATE filing SET turn = 1, due_at = $at WHERE event = $event AND turn = 3");
  const dueOnceMore = db.prepare("UPDATE filing SET again = 1 WHERE event = ? AND lease IS NOT NULL");

  return ({ tenant, sha256, lease, now, scan, dueAt }) => {
    const content = held.get(sha256, tenant, lease.token);
    if (content === undefined) return false;
    const detail = scan.detail === null ? null : clip(scan.detail);
    write.run({ ...scan, at: scan.at ?? now, detail, dueAt, id: content.id });
    // One that is judged without a scanner again may have had a mail wait for its verdict.
    const news = isNews(content, { status: scan.status, detail });
    if (!news && !(scan.status === "skipped" && dueAt === null)) return true;
    for (const event of new Set((news ? all : undecided).all(sha256, tenant))) {
      if (others.get(event) === undefined) due.run(event);
      else {
        dueSoon.run({ event, at: now + togetherMs });
        dueOnceMore.run(event);
      }
    }
    return true;
  };
}

/** Why there is no verdict changes with every try while a scanner is in trouble: no reason to plan each mail again. */
function isNews(
  before: { readonly scan: string; readonly scan_detail: string | null },
  { status, detail }: { readonly status: string; readonly detail: string | null },
): boolean {
  if (before.scan !== status) return true;
  if (status === "skipped") return (before.scan_detail === null) !== (detail === null);
  return status !== "unscanned" && before.scan_detail !== detail;
}

/** When something comes due by itself; what is due already is for whoever has room, and for tenants that somebody works for. */
export function openFilesDueAt(db: Connection): Operations["filesDueAt"] {
  const first = (sql: string) => db.prepare<[number], number>(sql).pluck();
  const earliest = (table: "filing" | "content") => [
    first(`SELECT due_at FROM ${table} WHERE turn = 1 AND due_at > ? ORDER BY due_at LIMIT 1`),
    first(`SELECT lease_until FROM ${table} WHERE lease IS NOT NULL AND lease_until > ? ORDER BY lease_until LIMIT 1`),
  ];
  const keeping = earliest("filing");
  const scanning = earliest("content");
  const least = (statements: typeof keeping, now: number) => {
    const times = statements.flatMap((statement) => statement.get(now) ?? []);
    return times.length === 0 ? null : Math.min(...times);
  };
  return (now) => ({ keeping: least(keeping, now), scanning: least(scanning, now) });
}
