/** The threads that were written to last, one row each. */
import type { ThreadSummary } from "../../model/threads.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";

export function openThreadList(db: Connection): Operations["threads"] {
  // By the place of its newest message, so that each has one row however the pages fall.
  const newest = db.prepare<[{ tenant: string | null; before: number; limit: number }], ThreadSummary>(
    `SELECT t.thread AS threadId, e.tenant, t.placed AS at,
         (SELECT count(*) FROM threaded m WHERE m.thread = t.thread) AS messages,
         (SELECT min(written_at) FROM threaded m WHERE m.thread = t.thread) AS firstAt,
         (SELECT max(written_at) FROM threaded m WHERE m.thread = t.thread) AS lastAt
       FROM threaded t JOIN event e ON e.seq = t.message
       WHERE t.placed < $before AND ($tenant IS NULL OR e.tenant = $tenant)
         AND NOT EXISTS (SELECT 1 FROM threaded n WHERE n.thread = t.thread AND n.placed > t.placed)
       ORDER BY t.placed DESC LIMIT $limit`,
  );
  return ({ tenant, before, limit }) =>
    newest.all({ tenant: tenant ?? null, before: before ?? Number.MAX_SAFE_INTEGER, limit });
}
