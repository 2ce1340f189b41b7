/** A run that has come to its end is given what it could not plan once more. */
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";
import { inLaterRun } from "./run-later.ts";

interface Ended {
  tenant: string;
  of: number | null;
  state: string;
}

export function openRetry(db: Connection): Operations["retryRun"] {
  const ended = db.prepare<[number], Ended>("SELECT tenant, of, state FROM run WHERE id = ?");
  const isOverruled = db
    .prepare<[{ run: number; tenant: string }], number>(
      `SELECT 1 WHERE EXISTS (SELECT 1 FROM run INDEXED BY run_open WHERE tenant = $tenant AND state <> 'done' AND id <> $run)
         OR EXISTS (SELECT 1 FROM run INDEXED BY run_of WHERE of = $run)`,
    )
    .pluck();
  // An undo goes by what stands in the ledger; for an apply the bytes would do. What a later run asked for would go with what is taken back, or be
  // planned by a mapping that was left since.
  const again = db.prepare(
    `UPDATE run_event SET state = 'waiting', reason = NULL WHERE run = $run AND state = 'unable'
       AND EXISTS (SELECT 1 FROM event e WHERE e.seq = run_event.event AND (e.has_body = 1 OR ($of IS NULL AND e.raw_kind <> 'gone')))
       AND NOT ${inLaterRun("run_event.event", "coalesce($of, $run)")}`,
  );
  // An undo begins with what hangs on others, also for these.
  const reopen = db.prepare("UPDATE run SET state = 'running', ended_at = NULL, pass = 1 WHERE id = ?");
  return (run) => {
    const row = ended.get(run);
    if (row === undefined || (row.state !== "done" && row.state !== "stopped")) return 0;
    if (isOverruled.get({ run, tenant: row.tenant }) !== undefined) return 0;
    const { changes } = again.run({ run, of: row.of });
    if (changes > 0) reopen.run(run);
    return changes;
  };
}
