/** Lease tokens: a counter in the ledger, so that a token is never given twice and a holder that lost its lease is always found out. */
import type { Connection } from "./connection.ts";

export function openFence(db: Connection): () => string {
  const next = db.prepare<[], number>("UPDATE ledger SET fence = fence + 1 RETURNING fence").pluck();
  return () => `f${next.get()}`;
}
