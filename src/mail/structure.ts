/** What the parts of a message say about its class: reports, receipts and calendars. */
import type { MessageStructure } from "../model/event.ts";
import { type RawField, unfold } from "./header.ts";
import { parameters } from "./parameters.ts";
import type { PartHead } from "./part.ts";
import { isReturned } from "./report/returned.ts";
import type { Reports } from "./report.ts";

/** The beginning of a part that says what kind of message this is. */
export interface Peek {
  readonly kind: "calendar" | "report";
  readonly contentType: string;
  /** The METHOD and the charset parameters of its Content-Type. */
  readonly method: string | null;
  readonly charset: string | null;
  /** A file beside the message, not one of the forms of its body. */
  readonly attached: boolean;
  readonly bytes: Buffer;
}

/** A calendar whole, a status with all its recipients; of a returned message, its header. */
const maxPeekBytes = 256 * 1024;
const maxReturnedBytes = 64 * 1024;
/** Of all peeks of a message: a thousand parts may each claim to be a calendar. */
export const maxAllPeekBytes = 1024 * 1024;
export const maxPeeks = 64;

const maxTypes = 50;
/** RFC 3464 has one Action per recipient; one message was seen to claim a million. */
const maxActions = 1000;

/** RFC 6533: the "global" ones are the same for addresses in UTF-8. */
const reports = new Set([
  "message/delivery-status",
  "message/global-delivery-status",
  "message/feedback-report",
  "message/disposition-notification",
  "message/global-disposition-notification",
]);

export const noStructure: MessageStructure = {
  report_type: null,
  part_types: [],
  dsn_actions: [],
  bounce_words: null,
  feedback_type: null,
  calendar_method: null,
  encrypted: false,
  signed: false,
};

/** How many bytes of a part are kept while it streams by. */
export function peekedBytes(contentType: string, filename: string | null): number {
  if (reports.has(contentType) || isCalendar(contentType, filename)) return maxPeekBytes;
  return isReturned(contentType) ? maxReturnedBytes : 0;
}

/** Attached calendars come under all kinds of types; their name is what calendar programs go by too. */
export function isCalendar(contentType: string, filename: string | null): boolean {
  if (contentType === "text/calendar" || contentType === "application/ics") return true;
  return filename !== null && /\.ics$/i.test(filename);
}

/** What `peekedBytes` kept of a part. */
export function peekOf({ type, filename, disposition, params }: PartHead, bytes: Buffer): Peek {
  return {
    kind: isCalendar(type, filename) ? "calendar" : "report",
    contentType: type,
    method: params.get("method") ?? null,
    charset: params.get("charset") ?? null,
    attached: type !== "text/calendar" || disposition === "attachment",
    bytes,
  };
}

export function structureOf(
  fields: readonly RawField[],
  partTypes: readonly string[],
  peeks: readonly Peek[],
  { bounce, complaint, bounceWords }: Reports,
): MessageStructure {
  return {
    report_type: reportType(fields),
    part_types: [...new Set(partTypes)].slice(0, maxTypes),
    dsn_actions: bounce?.kind === "dsn" ? bounce.recipients.slice(0, maxActions).map(({ action }) => action) : [],
    bounce_words: bounceWords,
    feedback_type: complaint?.type ?? null,
    calendar_method: peeks.flatMap((peek) => method(peek) ?? [])[0] ?? null,
    encrypted: false,
    signed: false,
  };
}

export function reportType(fields: readonly RawField[]): string | null {
  const field = fields.find(({ key }) => key === "content-type");
  if (field === undefined) return null;
  const { value, params } = parameters(unfold(field.raw));
  const type = params.get("report-type");
  return value === "multipart/report" && type !== undefined ? type.toLowerCase().slice(0, 100) : null;
}

/** RFC 5546 §1.4: the property rules; the parameter only repeats it. A file beside the message is not what the message is. */
function method({ contentType, method: parameter, attached, bytes }: Peek): string | undefined {
  if (contentType !== "text/calendar" || attached) return undefined;
  const property = /^METHOD(?:;[^:\r\n]{0,100})?:[ \t]*([A-Z-]{1,30})/im.exec(bytes.toString("latin1"))?.[1];
  return (property ?? parameter ?? undefined)?.toUpperCase().slice(0, 30);
}
