/** Keeps mapping files by number, and finds the deal of a conversation. */
import type { MappingRow, ThreadDeal } from "../../model/mappings.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";
import { openStory } from "./story.ts";
import { openPlanAgain } from "./thread-place.ts";

type Names = "registerMapping" | "mappings" | "mappingText" | "dealsOf";

/** A deal is asked for where a conversation begins; a mailing list that goes on for years is not read through for one. */
const mostMessages = 200;

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
  const messages = db
    .prepare<[string], number>(
      `SELECT message FROM threaded WHERE thread = ? ORDER BY written_at, placed LIMIT ${mostMessages}`,
    )
    .pluck();
  const deal = db.prepare<[number], ThreadDeal>("SELECT key, pipeline, stage FROM deal WHERE event = ?");

  function dealOf(thread: string): ThreadDeal | null {
    for (const message of messages.all(alias.get(thread) ?? thread)) {
      const found = deal.get(message);
      if (found !== undefined) return found;
    }
    return null;
  }

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
       ORDER BY t.written_at, t.placed LIMIT ${mostMessages}`,
  );
  const giveAgain = db.prepare(
    "UPDATE run_event SET state = 'waiting' WHERE run = ? AND event = ? AND state = 'planned'",
  );
  const planAgain = openPlanAgain(db);
  const tell = openStory(db);
  return (event, deal, { now, run }) => {
    if (deal === undefined || put.run(event, deal.key, deal.pipeline, deal.stage, run).changes === 0) return;
    for (const { seq, raw_kind } of beside.all({ event })) {
      // A run touches what it was given, and nothing else.
      if (run !== null) {
        giveAgain.run(run, seq);
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
