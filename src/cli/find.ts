/** Finds the one message that a command was given an event id or Message-ID of. */
import type { Ground } from "../main.ts";
import type { EventRow } from "../model/ledger.ts";
import { Failed } from "./exit.ts";
import { plain } from "./plain.ts";
import { isoTime } from "./rows.ts";

const mostShown = 10;

/** RFC 9562 §4: an event id, in any case. */
export const isEventId = (text: string): boolean =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text);

/** Everything stored under this event id or Message-ID (with or without angle brackets), newest first. */
export async function findMessages({ ledger }: Ground, id: string): Promise<readonly EventRow[]> {
  if (isEventId(id)) return await ledger.find({ event: id.toLowerCase(), limit: 1 });
  return await ledger.find({ message: id, limit: mostShown });
}

/** Rejects with a sentence when nothing is stored under it, or more than one message is. */
export async function findMessage(ground: Ground, id: string): Promise<EventRow> {
  const rows = await findMessages(ground, id);
  const [row] = rows;
  if (row === undefined) {
    throw new Failed(`nothing is stored under ${plain(id)}: \`mailwright events list\` shows what was received`);
  }
  if (rows.length > 1) {
    const each = rows.map(({ eventId, tenant, receivedAt }) => `${eventId} (${tenant}, ${isoTime(receivedAt)})`);
    throw new Failed(`${rows.length} messages have the id ${plain(id)}; name one by its event id: ${each.join("; ")}`);
  }
  return row;
}
