/** What the parts of a message say about its class: reports, receipts and calendars. */
import type { MessageStructure } from "../model/event.ts";
import { type RawField, unfold } from "./header.ts";
import { parameters } from "./parameters.ts";

/** The beginning of a part that says what kind of message this is. */
export interface Peek {
  readonly contentType: string;
  /** The METHOD parameter of its Content-Type. */
  readonly method: string | null;
  readonly bytes: Buffer;
}

const maxTypes = 50;
/** RFC 3464 has one Action per recipient; one message was seen to claim a million. */
const maxActions = 1000;

export const noStructure: MessageStructure = {
  report_type: null,
  part_types: [],
  dsn_actions: [],
  calendar_method: null,
  encrypted: false,
  signed: false,
};

export function isPeeked(contentType: string): boolean {
  return contentType === "text/calendar" || isDeliveryStatus(contentType);
}

export function structureOf(
  fields: readonly RawField[],
  partTypes: readonly string[],
  peeks: readonly Peek[],
): MessageStructure {
  return {
    report_type: reportType(fields),
    part_types: [...new Set(partTypes)].slice(0, maxTypes),
    dsn_actions: peeks
      .flatMap(({ contentType, bytes }) => (isDeliveryStatus(contentType) ? actions(bytes) : []))
      .slice(0, maxActions),
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

/** RFC 6533 §3: the second is the same for addresses in UTF-8. */
const isDeliveryStatus = (type: string): boolean =>
  type === "message/delivery-status" || type === "message/global-delivery-status";

function actions(bytes: Buffer): string[] {
  const found = bytes.toString("latin1").matchAll(/^action[ \t]*:[ \t]*([a-z]{1,20})/gim);
  return found
    .take(maxActions)
    .map(([, action = ""]) => action.toLowerCase())
    .toArray();
}

/** RFC 5546 §1.4: the property rules; the parameter only repeats it. */
function method({ contentType, method: parameter, bytes }: Peek): string | undefined {
  if (contentType !== "text/calendar") return undefined;
  const property = /^METHOD(?:;[^:\r\n]{0,100})?:[ \t]*([A-Z-]{1,30})/im.exec(bytes.toString("latin1"))?.[1];
  return (property ?? parameter ?? undefined)?.toUpperCase().slice(0, 30);
}
