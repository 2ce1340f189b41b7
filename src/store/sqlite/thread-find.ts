/** Answers what a person asks of a thread: the messages that are in it, and the names that it went by. */
import type { ThreadRow } from "../../model/threads.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";

export function openThread(db: Connection): Operations["thread"] {
  const ofEvent = db
    .prepare<[string], string>("SELECT t.thread FROM threaded t JOIN event e ON e.seq = t.message WHERE e.event_id = ?")
    .pluck();
  const alias = db.prepare<[string], string>("SELECT thread FROM thread_alias WHERE alias = ?").pluck();
  const messages = db.prepare<[string], { event_id: string; tenant: string; written_at: number }>(
    `SELECT e.event_id, e.tenant, t.written_at FROM threaded t JOIN event e ON e.seq = t.message
       WHERE t.thread = ? ORDER BY t.written_at, t.placed`,
  );
  const aliases = db
    .prepare<[string], string>("SELECT alias FROM thread_alias WHERE thread = ? ORDER BY alias")
    .pluck();
  return (query): ThreadRow | undefined => {
    const named = "event" in query ? ofEvent.get(query.event) : query.thread;
    if (named === undefined) return undefined;
    const threadId = alias.get(named) ?? named;
    const rows = messages.all(threadId);
    const [first] = rows;
    if (first === undefined) return undefined;
    return {
      threadId,
      tenant: first.tenant,
      messages: rows.map(({ event_id: eventId, written_at: writtenAt }) => ({ eventId, writtenAt })),
      aliases: aliases.all(threadId),
    };
  };
}
