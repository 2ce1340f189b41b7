/** Finds the identifier of the message that a report is about: it leads to the thread. */
import { type RawField, splitHeader } from "../header.ts";
import { messageId, messageIds } from "../message-id.ts";
import type { Peek } from "../structure.ts";

const returnedTypes = new Set([
  "message/rfc822",
  "message/global",
  "message/rfc822-headers",
  "message/global-headers",
  "text/rfc822-headers",
]);

/** RFC 6522 §3: the third part of a report is the returned message, or its headers. */
export const isReturned = (contentType: string): boolean => returnedTypes.has(contentType);

const maxHeadChars = 64 * 1024;
const maxFields = 1_000;

/** The first of the returned messages that has a usable identifier. */
export function returnedId(peeks: readonly Peek[]): string | null {
  for (const { contentType, bytes } of peeks) {
    const id = isReturned(contentType) ? idOfHead(bytes.toString("latin1", 0, maxHeadChars)) : null;
    if (id !== null) return id;
  }
  return null;
}

/** From a returned message or header in the text, where there is no part for it. `text` is decoded. */
export function idInText(text: string): string | null {
  const at = /^[ \t>]{0,8}Message-I[Dd]:/m.exec(text)?.index;
  if (at === undefined) return null;
  const lines = text.slice(at, at + 2_000).split("\n");
  const folds = lines.slice(1).findIndex((line) => !/^[ \t>]+\S/.test(line) || line.includes(":"));
  const value = lines.slice(0, folds === -1 ? 2 : folds + 1).join(" ");
  return messageId(value.slice(value.indexOf(":") + 1)).id;
}

/** What a mail system names as the message it answers; the last resort, because a report may also stand in for a thread. */
export function answeredId(fields: readonly RawField[]): string | null {
  for (const key of ["in-reply-to", "references"]) {
    const raw = fields.find((field) => field.key === key)?.raw;
    const id = raw === undefined ? undefined : messageIds(raw).ids.at(-1);
    if (id !== undefined) return id;
  }
  return null;
}

function idOfHead(text: string): string | null {
  // Some systems put a blank line or an mbox "From " line before the header.
  const start = text.search(/\S/);
  if (start === -1) return null;
  const blank = /\r?\n[ \t]*\r?\n/.exec(text.slice(start));
  const head = text.slice(start, blank === null ? text.length : start + blank.index + 2);
  const field = splitHeader(head, maxFields).find(({ key }) => key === "message-id");
  return field === undefined ? null : messageId(field.raw).id;
}
