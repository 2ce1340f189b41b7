/** What the ledger remembers of a lane's records, for a preview that must not claim anything. */
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";

export function openRemembered(db: Connection): Operations["remembered"] {
  const ref = db
    .prepare<[string, string, string], string>("SELECT ref FROM record WHERE lane = ? AND kind = ? AND key = ?")
    .pluck();
  return (lane, records) => records.map(({ kind, key }) => ref.get(lane, kind, key) ?? null);
}
