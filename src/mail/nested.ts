/** Tells what a message inside a message says of itself, one level deep. */
import type { NestedMessage } from "../model/event.ts";
import { chooseBody } from "./body.ts";
import type { Collected } from "./collect.ts";
import { labelsOf } from "./filename.ts";
import type { RawField } from "./header.ts";
import { headerFacts } from "./message.ts";

/** Of the event; the raw message is whole. */
export const maxNestedTextChars = 64 * 1024;
export const maxNestedAttachments = 100;

const telling = new Set(["from", "subject", "date", "message-id", "received", "to", "sender"]);

/** Null where the bytes have no header of a message. */
export function nestedMessage(fields: readonly RawField[], collected: Collected): NestedMessage | null {
  if (!fields.some(({ key }) => telling.has(key))) return null;
  const { message_id, from, to, subject, date } = headerFacts(fields).message;
  const inside = collected.drafts.slice(0, maxNestedAttachments).map(({ part, size }) => ({
    original: part.head.filename,
    type: part.head.declared || part.head.type,
    size,
  }));
  const { text } = chooseBody(collected.root);
  return {
    message_id,
    from,
    to,
    subject,
    date,
    text: text === null ? null : cutText(text),
    attachments: nestedAttachments(inside),
  };
}

/** Of a message inside a message, attachments are only named. */
export function nestedAttachments(
  inside: readonly { readonly original: string | null; readonly type: string; readonly size: number }[],
): NestedMessage["attachments"] {
  const { labels } = labelsOf(inside.map(({ original, type }) => ({ original, type, detected: null })));
  return labels.map(({ filename }, index) => ({
    filename,
    content_type: inside[index]?.type ?? "",
    size: inside[index]?.size ?? 0,
  }));
}

export function cutText(text: string): string {
  if (text.length <= maxNestedTextChars) return text;
  const last = text.charCodeAt(maxNestedTextChars - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? maxNestedTextChars - 1 : maxNestedTextChars);
}
