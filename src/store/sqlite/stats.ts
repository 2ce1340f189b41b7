/** What the ledger holds, in figures that cost the same however much that is. */
import { statSync } from "node:fs";
import type { LedgerStats } from "../../model/ledger.ts";
import { type Connection, inMemory } from "./connection.ts";
import type { Operations } from "./operations.ts";

interface Totals {
  messages: number;
  accepted: number;
  unarchived: number;
}

/** Every figure is a running total or one index look-up, so it may be asked for with each mail, whatever the ledger holds. */
export function openStats(db: Connection): Operations["stats"] {
  const totals = db.prepare<[], Totals>("SELECT messages, accepted, unarchived FROM ledger");
  const states = db.prepare<[], { state: string; n: number }>(
    "SELECT state, sum(n) AS n FROM lane_tally GROUP BY state",
  );
  const oldest = db
    .prepare<[], number>("SELECT received_at FROM event WHERE stage = 'accepted' ORDER BY seq LIMIT 1")
    .pluck();
  const bytes = openBytes(db);
  return (): LedgerStats => {
    const { messages, accepted, unarchived } = totals.get() ?? { messages: 0, accepted: 0, unarchived: 0 };
    const tally = new Map(states.all().map(({ state, n }) => [state, n]));
    const count = (state: string) => tally.get(state) ?? 0;
    return {
      messages,
      received: accepted,
      oldestReceivedAt: oldest.get() ?? null,
      backlog: accepted + count("pending"),
      deliveries: {
        pending: count("pending"),
        processed: count("processed"),
        failed: count("failed") + count("dropped"),
        skipped: count("skipped"),
        held: count("held"),
      },
      unarchived,
      bytes: bytes(),
    };
  };
}

function openBytes(db: Connection): () => number {
  if (inMemory(db.name)) {
    const pages = db.prepare<[], number>("PRAGMA page_count").pluck();
    const pageSize = db.prepare<[], number>("PRAGMA page_size").pluck();
    return () => (pages.get() ?? 0) * (pageSize.get() ?? 0);
  }
  const files = [db.name, `${db.name}-wal`, `${db.name}-shm`];
  return () => files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}
