/** Prolongs leases, for work that takes longer than one lease and is alive. */
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";

export function openRenew(db: Connection): Operations["renew"] {
  const renew = db.prepare<[number, number, string]>("UPDATE delivery SET lease_until = ? WHERE id = ? AND lease = ?");
  return (claims, until) => claims.map(({ id, lease }) => renew.run(until, id, lease.token).changes === 1);
}
