/** Keeps mapping files by number, and finds the deal of a conversation. */
import type { MappingRow, ThreadDeal } from "../../model/mappings.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";
import { inLaterRun } from "./run-later.ts";
import { openStory } from "./story.ts";
import { openPlanAgain } from "./thread-place.ts";

type Names = "registerMapping" | "mappings" | "mappingText" | "dealsOf";

/** Planned again when their conversation gets a deal: in one transaction, which a mailing list of years must not make long. The rest is told. */
const mostPlannedAgain = 200;

export function openMappings(db: Connection): Pick<Operations, Names> {
  const find = db
    .prepare<[string, string], number>("SELECT version FROM mapping WHERE tenant = ? AND sha256 = ?")
    .pluck();
  const insert = db
    .prepare<[string, string, string, number], number>(
      "INSERT INTO mapping (tenant, sha256, text, at) VALUES (?, ?, ?, ?) RETURNING version",
    )
    .pluck();
  const list = db.prepare<[string], MappingRow>(
    "SELECT version, tenant, sha256, at FROM mapping WHERE tenant = ? ORDER BY version DESC",
  );
  const text = db.prepare<[number], string>("SELECT text FROM mapping WHERE version = ?").pluck();
  const alias = db.prepare<[string], string>("SELECT thread FROM thread_alias WHERE alias = ?").pluck();
  const deal = db.prepare<[string], ThreadDeal>(
    `SELECT d.key, d.pipeline, d.stage FROM threaded t INDEXED BY threaded_deal CROSS JOIN deal d ON d.event = t.message
       WHERE t.thread = ? AND t.deal = 1 ORDER BY t.written_at, t.placed LIMIT 1`,
  );

  /** The first that was asked for, however long the conversation is. */
  const dealOf = (thread: string): ThreadDeal | null => deal.get(alias.get(thread) ?? thread) ?? null;

  return {
    registerMapping({ tenant, sha256, text: content, now }) {
      const version = find.get(tenant, sha256) ?? insert.get(tenant, sha256, content, now);
      if (version === undefined) throw new TypeError("a mapping was written and has no number");
      return version;
    },
    mappings: (tenant) => list.all(tenant),
    mappingText: (version) => text.get(version),
    dealsOf: (threads) => threads.map(dealOf),
  };
}

/**
 * The first answer stands: a message that is planned again asks for the same deal. An answer that overtook its request was filed without one, so
 * that those of the thread that are there are planned again when its deal is asked for.
 */
export function openFixDeal(
  db: Connection,
): (event: number, deal: ThreadDeal | undefined, asked: { now: number; run: number | null }) => void {
  const put = db.prepare(
    "INSERT INTO deal (event, key, pipeline, stage, run) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const beside = db.prepare<[{ event: number }], { seq: number; raw_kind: string }>(
    `SELECT e.seq, e.raw_kind FROM threaded t JOIN event e ON e.seq = t.message
       WHERE t.thread = (SELECT thread FROM threaded WHERE message = $event) AND t.message <> $event
       ORDER BY t.written_at, t.placed LIMIT ${mostPlannedAgain + 1}`,
  );
  const giveAgain = db.prepare(
    `UPDATE run_event SET state = 'waiting' WHERE run = $run AND event = $event AND state = 'planned'
       AND NOT ${inLaterRun("$event", "$run")}`,
  );
  const planAgain = openPlanAgain(db);
  const tell = openStory(db);
  return (event, deal, { now, run }) => {
    if (deal === undefined || put.run(event, deal.key, deal.pipeline, deal.stage, run).changes === 0) return;
    const others = beside.all({ event });
    if (others.length > mostPlannedAgain)
      tell(
        event,
        now,
        `its conversation has a deal now; only its first ${mostPlannedAgain} messages are planned again (mailwright reprocess does others)`,
      );
    for (const { seq, raw_kind } of others.slice(0, mostPlannedAgain)) {
      // A run touches what it was given, and nothing else.
      if (run !== null) {
        giveAgain.run({ run, event: seq });
        continue;
      }
      if (raw_kind === "gone") {
        tell(seq, now, "its conversation has a deal now; its raw bytes are gone, so it is not planned again");
        continue;
      }
      planAgain(seq);
      tell(seq, now, "its conversation has a deal now; it is planned again");
    }
  };
}
