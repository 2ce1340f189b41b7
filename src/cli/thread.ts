/** Finds the thread that a command was given a name of, and puts what is known of it together. */
import { type Ground, replyAddress } from "../main.ts";
import type { EventRow } from "../model/ledger.ts";
import type { ThreadRow } from "../model/threads.ts";
import { Failed } from "./exit.ts";
import { findMessage, isEventId } from "./find.ts";
import { plain } from "./plain.ts";
import { decisionShapeOf, eventSummaryOf, isoTime, reviewShapeOf, stateOf, storedEvent } from "./rows.ts";
import type { ThreadShape } from "./thread-shapes.ts";

/** By its own name or one that it had before, or by a message of it. Rejects with a sentence when there is none. */
export async function findThread(ground: Ground, name: string): Promise<ThreadRow> {
  const byName = isEventId(name) ? undefined : await ground.ledger.thread({ thread: name });
  if (byName !== undefined) return byName;
  const { eventId } = await findMessage(ground, name);
  const found = await ground.ledger.thread({ event: eventId });
  if (found === undefined) {
    throw new Failed(
      `event ${eventId} has no place in a thread yet: it was prepared by a version without threads, or waits for its parse; \`mailwright reprocess ${eventId}\` gives it one`,
    );
  }
  return found;
}

/** A message of the thread for another one to be joined to: the first that is not that one. */
export async function messageToJoin(ground: Ground, name: string, eventId: string): Promise<string> {
  const thread = await findThread(ground, name);
  const other = thread.messages.find((message) => message.eventId !== eventId);
  if (other === undefined)
    throw new Failed(`thread ${plain(thread.threadId)} holds nothing but event ${eventId} itself`);
  return other.eventId;
}

const mostMessages = 1_000;
const mostReviews = 10;

export async function threadShapeOf(ground: Ground, thread: ThreadRow): Promise<ThreadShape> {
  const { ledger } = ground;
  const messages: ThreadShape["messages"] = [];
  const routes: string[] = [];
  for (const { eventId, writtenAt } of thread.messages.slice(-mostMessages)) {
    const [row] = await ledger.find({ event: eventId, limit: 1 });
    if (row === undefined) continue;
    routes.unshift(...row.routes);
    const decisions = (await ledger.decisions(eventId)).map(decisionShapeOf);
    const reviews = (await ledger.reviews({ event: eventId, limit: mostReviews })).map(reviewShapeOf);
    messages.push({ ...messageShapeOf(ground, row, writtenAt), decisions, reviews });
  }
  return {
    thread_id: thread.threadId,
    tenant: thread.tenant,
    aliases: [...thread.aliases],
    reply_to: replyAddress(ground, thread.tenant, thread.threadId, [...new Set(routes)]),
    messages_left_out: Math.max(0, thread.messages.length - mostMessages),
    messages,
  };
}

function messageShapeOf({ sealer }: Ground, row: EventRow, writtenAt: number) {
  const event = storedEvent(row, sealer);
  return {
    event_id: row.eventId,
    message_id: row.messageId,
    written_at: isoTime(writtenAt),
    from: event?.message.from?.email ?? null,
    subject: event?.message.subject ?? null,
    state: stateOf(eventSummaryOf(row)),
    parent_event_id: event?.thread.parent_event_id ?? null,
    method: event?.thread.method ?? null,
    confidence: event?.thread.confidence ?? null,
    candidates: event?.thread.candidates ?? [],
  };
}
