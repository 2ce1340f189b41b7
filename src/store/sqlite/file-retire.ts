/** Takes files away by age, and says which bytes nobody needs any more: rows first, bytes after, so that no link leads to nothing. */
import type { FileAges, FileBytes, FilesOld } from "../../model/files.ts";
import type { Connection } from "./connection.ts";
import { living } from "./file-rows.ts";
import type { Operations } from "./operations.ts";

interface Row {
  tenant: string;
  sha256: string;
  store_key: string;
  size: number;
  newest_at: number;
  files: number;
}

type Retire = Pick<Operations, "filesToRemove" | "filesRemoved" | "filesToDelete" | "fileToDelete" | "fileDeleted">;

export function openFilesRetire(db: Connection): Retire {
  return { filesToRemove: openOld(db), filesRemoved: openRemoved(db), ...openDoomed(db) };
}

const has = (statuses: string) =>
  `EXISTS (SELECT 1 FROM file o WHERE o.sha256 = c.sha256 AND o.tenant = c.tenant AND o.status IN ${statuses})`;
/** A content of both classes stays as long as either allows. */
const oldOfBoth = `c.newest_at < $stored AND (c.newest_at < $quarantined OR NOT ${has("('quarantined')")})`;
const oldAlone = `c.newest_at < $quarantined AND NOT ${has("('stored', 'checking')")}`;

function openOld(db: Connection): Operations["filesToRemove"] {
  const columns = `c.tenant, c.sha256, c.store_key, c.size, c.newest_at,
    (SELECT count(*) FROM file f WHERE f.sha256 = c.sha256 AND f.tenant = c.tenant AND f.status IN ${living}) AS files`;
  const stored = db.prepare<[{ tenant: string; stored: number; quarantined: number; limit: number }], Row>(
    `SELECT ${columns} FROM content c INDEXED BY content_age WHERE c.tenant = $tenant AND c.store_key IS NOT NULL
       AND ${oldOfBoth} ORDER BY c.newest_at LIMIT $limit`,
  );
  // Few, and their time is shorter: found from their rows.
  const quarantined = db.prepare<[{ tenant: string; quarantined: number; limit: number }], Row>(
    `SELECT ${columns} FROM content c WHERE c.id IN (SELECT c2.id FROM file f INDEXED BY file_since
         JOIN content c2 ON c2.sha256 = f.sha256 AND c2.tenant = f.tenant
         WHERE f.tenant = $tenant AND f.status = 'quarantined' AND f.received_at < $quarantined)
       AND c.store_key IS NOT NULL AND ${oldAlone} LIMIT $limit`,
  );
  return ({ tenant, limit, ...ages }) => {
    const bounds = { tenant, limit, ...boundsOf(ages) };
    const found = new Map<string, FilesOld>();
    for (const row of [...stored.all(bounds), ...quarantined.all(bounds)]) found.set(row.sha256, oldOf(row));
    return [...found.values()].slice(0, limit);
  };
}

/** null: such are kept. */
const boundsOf = ({ storedBefore, quarantinedBefore }: FileAges) => ({
  stored: storedBefore ?? -1,
  quarantined: quarantinedBefore ?? -1,
});

const oldOf = (row: Row): FilesOld => ({
  tenant: row.tenant,
  sha256: row.sha256,
  storeKey: row.store_key,
  bytes: row.size,
  files: row.files,
  newestAt: row.newest_at,
});

function openRemoved(db: Connection): Operations["filesRemoved"] {
  const giveUp = db
    .prepare<[{ sha256: string; tenant: string; newestAt: number; stored: number; quarantined: number }], string>(
      `UPDATE content AS c SET store_key = NULL, stored_at = NULL, turn = 3, lease = NULL, lease_until = NULL
         WHERE c.sha256 = $sha256 AND c.tenant = $tenant AND c.newest_at = $newestAt AND c.store_key IS NOT NULL
           AND (${oldOfBoth} OR ${oldAlone} AND ${has("('quarantined')")}) RETURNING id`,
    )
    .pluck();
  const doom = db.prepare("INSERT OR IGNORE INTO doomed (store_key, tenant, sha256) VALUES (?, ?, ?)");
  const remove = db.prepare(
    `UPDATE file SET status = 'removed', reason = 'It was removed when its time was over.', kept = 1, by = 'mailwright', at = ?
       WHERE sha256 = ? AND tenant = ? AND status IN ${living}`,
  );
  return (contents, now, ages) => {
    const bounds = boundsOf(ages);
    let removed = 0;
    for (const { tenant, sha256, newestAt, storeKey } of contents) {
      if (giveUp.get({ sha256, tenant, newestAt, ...bounds }) === undefined) continue;
      removed++;
      doom.run(storeKey, tenant, sha256);
      remove.run(now, sha256, tenant);
    }
    return removed;
  };
}

function openDoomed(db: Connection): Pick<Operations, "filesToDelete" | "fileToDelete" | "fileDeleted"> {
  const next = db.prepare<[string, number], FileBytes>(
    "SELECT store_key AS storeKey, tenant, sha256 FROM doomed WHERE store_key > ? ORDER BY store_key LIMIT ?",
  );
  const still = db.prepare<[string], number>("SELECT 1 FROM doomed WHERE store_key = ?").pluck();
  const gone = db.prepare("DELETE FROM doomed WHERE store_key = ?");
  return {
    filesToDelete: ({ limit, after = "" }) => next.all(after, limit),
    fileToDelete: (storeKey) => still.get(storeKey) !== undefined,
    fileDeleted(storeKey) {
      gone.run(storeKey);
    },
  };
}
