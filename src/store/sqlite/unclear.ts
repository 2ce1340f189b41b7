/** Tells whether a call for a person, a company or a deal, made for another message, has had no clear answer. */
import type { Unclear } from "../../model/unclear.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";

export function openUnclear(db: Connection): Operations["unclear"] {
  // As the index says it, word by word: that is how SQLite knows that it may use it.
  const latest = db.prepare<[string, string, string, number], { deadline: number; pending: number }>(
    `SELECT s.deadline, d.state = 'pending' AS pending FROM step s INDEXED BY step_unclear JOIN delivery d ON d.id = s.delivery
       WHERE s.kind = ? AND s.key = ? AND s.state IN ('sent', 'unknown') AND s.kind IN ('person', 'company', 'deal')
         AND s.deadline IS NOT NULL AND d.lane = ? AND d.id <> ? ORDER BY s.deadline DESC LIMIT 1`,
  );
  return ({ lane, kind, key, except }): Unclear | null => {
    const row = latest.get(kind, key, lane, except);
    return row === undefined ? null : { deadline: row.deadline, pending: row.pending === 1 };
  };
}
