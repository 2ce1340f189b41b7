/** A content that a tenant's store holds: entered when its bytes are durable, given up when no file lives on it any more. */
import type { FileKept } from "../../model/files.ts";
import type { Connection } from "./connection.ts";
import { lives, living } from "./file-rows.ts";

export interface ContentOf {
  readonly tenant: string;
  readonly sha256: string;
  readonly size: number;
  readonly received_at: number;
}

interface Known {
  id: number;
  store_key: string | null;
  scan: string;
  scanned_at: number | null;
}

export interface Contents {
  /**
   * Writes down where its bytes are. False when another verdict is there than the one it was judged by, or when its bytes
   * are not, though it is to live.
   */
  enter(of: ContentOf, kept: Pick<FileKept, "status" | "storeKey" | "scan">, now: number): boolean;
  /** After files of it have changed: when none lives on it, its bytes are to be deleted. */
  settle(of: Pick<ContentOf, "tenant" | "sha256">): void;
}

export function openContents(db: Connection): Contents {
  const known = db.prepare<[string, string], Known>(
    "SELECT id, store_key, scan, scanned_at FROM content WHERE sha256 = ? AND tenant = ?",
  );
  const insert = db.prepare(
    `INSERT INTO content (tenant, sha256, size, store_key, stored_at, newest_at, scan, engine, signatures, scanned_at, scan_detail,
       turn, due_at, attempts)
       VALUES ($tenant, $sha256, $size, $storeKey, iif($storeKey IS NULL, NULL, $now), $newest, $status, $engine, $signatures, $at, $detail,
         iif($storeKey IS NOT NULL AND $status = 'pending', 0, 3), 0, 0)`,
  );
  // Also by a mail that listed it before the ledger knew of it, and found it kept: or it would go while that mail still has time.
  const mentioned = db.prepare("UPDATE content SET newest_at = $newest WHERE id = $id AND newest_at < $newest");
  // Under an unfinished scan it waits for one; with a verdict, from before its bytes went, that verdict stands.
  const stored = db.prepare(
    `UPDATE content SET store_key = $storeKey, stored_at = $now, scan = iif(scan = 'pending', $status, scan),
       scanned_at = iif(scan = 'pending', $at, scanned_at),
       turn = iif(iif(scan = 'pending', $status, scan) IN ('pending', 'unscanned'), 0, 3), due_at = 0, attempts = 0
       WHERE id = $id`,
  );
  const again = db.prepare("UPDATE content SET store_key = ?, stored_at = ? WHERE id = ?");
  // A mail waits for its verdict, so that it is not left to the walk over all that was kept without a scanner.
  const wanted = db.prepare(
    "UPDATE content SET turn = 0, due_at = 0 WHERE id = ? AND turn = 3 AND scan = 'skipped' AND store_key IS NOT NULL",
  );
  const needed = db
    .prepare<[string, string], number>(
      `SELECT 1 FROM file WHERE sha256 = ? AND tenant = ? AND status IN ${living} LIMIT 1`,
    )
    .pluck();
  const giveUp = db.prepare(
    "UPDATE content SET store_key = NULL, stored_at = NULL, turn = 3, lease = NULL, lease_until = NULL WHERE id = ?",
  );
  const doom = db.prepare("INSERT OR IGNORE INTO doomed (store_key, tenant, sha256) VALUES (?, ?, ?)");
  const spare = db.prepare("DELETE FROM doomed WHERE store_key = ?");

  /** Once more, since it had been there for long; or by two messages at once. */
  function put(found: Known, storeKey: string, { tenant, sha256 }: Pick<ContentOf, "tenant" | "sha256">, now: number) {
    const before = found.store_key;
    again.run(storeKey, now, found.id);
    // Another store is configured by now.
    if (before !== null && before !== storeKey) doom.run(before, tenant, sha256);
  }

  return {
    enter({ tenant, sha256, size, received_at: newest }, { status, storeKey, scan }, now) {
      const found = known.get(sha256, tenant);
      const at = scan.at ?? (scan.status === "pending" ? null : now);
      if (storeKey !== null) spare.run(storeKey);
      if (found === undefined) {
        if (storeKey === null) return !lives(status);
        insert.run({ tenant, sha256, size, storeKey, newest, ...scan, at, now });
        return true;
      }
      mentioned.run({ newest, id: found.id });
      if (storeKey !== null && found.store_key === null) {
        stored.run({ storeKey, status: scan.status, at, id: found.id, now });
      } else if (storeKey !== null) put(found, storeKey, { tenant, sha256 }, now);
      if (lives(status) && storeKey === null && found.store_key === null) return false;
      if (status === "checking") wanted.run(found.id);
      const unsaid = found.scan === "pending" && found.store_key === null;
      return unsaid || (found.scan === scan.status && found.scanned_at === scan.at);
    },
    settle({ tenant, sha256 }) {
      const found = known.get(sha256, tenant);
      if (found === undefined || found.store_key === null || needed.get(sha256, tenant) !== undefined) return;
      doom.run(found.store_key, tenant, sha256);
      giveUp.run(found.id);
    },
  };
}
