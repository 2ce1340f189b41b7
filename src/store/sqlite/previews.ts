/** Which previews there are: begun before a byte is put, done when they are kept or cannot be made, gone with their original or by age. */
import type { PreviewRow } from "../../model/preview.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";

interface Row {
  state: PreviewRow["state"];
  store_key: string;
  reason: PreviewRow["reason"];
  attempts: number;
  at: number;
}

interface Old {
  tenant: string;
  sha256: string;
  store_key: string;
}

type Of = [sha256: string, tenant: string];

export function openPreviews(
  db: Connection,
): Pick<Operations, "preview" | "previewBegun" | "previewLeft" | "previewDone" | "previewsRemoved"> {
  const one = db.prepare<Of, Row>(
    "SELECT state, store_key, reason, attempts, at FROM preview WHERE sha256 = ? AND tenant = ?",
  );
  const served = db
    .prepare<Of, number>("SELECT 1 FROM file WHERE sha256 = ? AND tenant = ? AND status = 'stored' LIMIT 1")
    .pluck();
  const lives = db
    .prepare<Of, number>("SELECT 1 FROM content WHERE sha256 = ? AND tenant = ? AND store_key IS NOT NULL")
    .pluck();
  const begin = db
    .prepare<[{ tenant: string; sha256: string; storeKey: string; now: number }], number>(
      `INSERT INTO preview (tenant, sha256, state, store_key, reason, attempts, at) VALUES ($tenant, $sha256, 'making', $storeKey, NULL, 1, $now)
         ON CONFLICT DO UPDATE SET attempts = iif(state = 'making', attempts + 1, 1), state = 'making', store_key = $storeKey,
           reason = NULL, at = $now RETURNING attempts`,
    )
    .pluck();
  const left = db.prepare<Of>(
    "UPDATE preview SET attempts = max(0, attempts - 1) WHERE sha256 = ? AND tenant = ? AND state = 'making'",
  );
  const done = db.prepare(
    `UPDATE preview SET state = iif($reason IS NULL, 'made', 'none'), reason = $reason, attempts = 0, at = $now
       WHERE sha256 = $sha256 AND tenant = $tenant AND store_key = $storeKey`,
  );
  const doom = db.prepare("INSERT OR IGNORE INTO doomed (store_key, tenant, sha256) VALUES (?, ?, ?)");
  const spare = db.prepare("DELETE FROM doomed WHERE store_key = ?");
  const old = db.prepare<[number, number], Old>(
    "SELECT tenant, sha256, store_key FROM preview WHERE at < ? ORDER BY at LIMIT ?",
  );
  const forget = db.prepare<Of>("DELETE FROM preview WHERE sha256 = ? AND tenant = ?");

  return {
    preview({ tenant, sha256 }) {
      const row = one.get(sha256, tenant);
      if (row === undefined) return undefined;
      const { state, store_key: storeKey, reason, attempts, at } = row;
      return { state, storeKey, reason, attempts, at };
    },
    previewBegun({ tenant, sha256, storeKey, now }) {
      if (served.get(sha256, tenant) === undefined || lives.get(sha256, tenant) === undefined) return undefined;
      const before = one.get(sha256, tenant)?.store_key;
      // Another store is configured by now.
      if (before !== undefined && before !== storeKey) doom.run(before, tenant, sha256);
      spare.run(storeKey);
      return begin.get({ tenant, sha256, storeKey, now });
    },
    previewLeft({ tenant, sha256 }) {
      left.run(sha256, tenant);
    },
    previewDone({ tenant, sha256, storeKey, reason, now }) {
      const isThere = done.run({ tenant, sha256, storeKey, reason, now }).changes > 0;
      // Also where there is none now: an earlier try may have ended between its bytes and its row.
      if (!isThere || reason !== null) doom.run(storeKey, tenant, sha256);
      return isThere;
    },
    previewsRemoved({ before, limit, dryRun }) {
      const found = old.all(before, limit);
      const gone = found.map(({ tenant, sha256 }) => ({ tenant, sha256 }));
      if (dryRun) return gone;
      for (const { tenant, sha256, store_key: storeKey } of found) {
        doom.run(storeKey, tenant, sha256);
        forget.run(sha256, tenant);
      }
      return gone;
    },
  };
}
