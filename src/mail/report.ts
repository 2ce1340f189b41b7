/** Reads what mail systems report: bounces, complaints and read receipts, in their forms for machines or in words. */
import type { Address, ParsedMessage } from "../model/event.ts";
import type { RawField } from "./header.ts";
import { deliveryStatus } from "./report/delivery-status.ts";
import { disposition } from "./report/disposition.ts";
import { feedback } from "./report/feedback.ts";
import { answeredId, idInText, returnedId } from "./report/returned.ts";
import { readWords } from "./report/words.ts";
import type { Peek } from "./structure.ts";

export interface Reports extends Pick<ParsedMessage, "bounce" | "complaint" | "mdn"> {
  /** The words by which a bounce was recognised that holds no status for machines. Its class needs more than them. */
  readonly bounceWords: string | null;
}

export interface Reportable {
  readonly fields: readonly RawField[];
  readonly peeks: readonly Peek[];
  readonly reportType: string | null;
  readonly message: {
    readonly text: string | null;
    readonly subject: string | null;
    readonly from: Address | null;
    readonly to: readonly Address[];
  };
}

export const noReports: Reports = { bounce: null, complaint: null, mdn: null, bounceWords: null };

const contents = (peeks: readonly Peek[], ...types: string[]): Buffer[] =>
  peeks.flatMap(({ contentType, bytes }) => (types.includes(contentType) ? [bytes] : []));

export function reportsOf(found: Reportable): Reports {
  const receipt = contents(found.peeks, "message/disposition-notification", "message/global-disposition-notification");
  const complaint = contents(found.peeks, "message/feedback-report");
  const original = returnedId(found.peeks);
  const mdn = receipt.length === 0 ? null : disposition(receipt);
  const complained = complaint.length === 0 ? null : feedback(complaint);
  return {
    ...bounceOf(found, original),
    complaint: complained === null ? null : { ...complained, original_message_id: original },
    mdn:
      mdn === null
        ? null
        : { ...mdn, original_message_id: mdn.original_message_id ?? original ?? answeredId(found.fields) },
  };
}

function bounceOf({ fields, peeks, reportType, message }: Reportable, original: string | null) {
  const parts = contents(peeks, "message/delivery-status", "message/global-delivery-status");
  const status = parts.length === 0 ? undefined : deliveryStatus(parts);
  if (status !== undefined && status.recipients.length > 0) {
    return {
      bounce: {
        kind: "dsn" as const,
        confidence: 1,
        recipients: [...status.recipients],
        reporting_mta: status.reportingMta,
        original_message_id: original ?? idInText(message.text ?? "") ?? answeredId(fields),
        original_envelope_id: status.envelopeId,
      },
      bounceWords: null,
    };
  }
  const words = readWords({ fields, ...message, report: parts.length > 0 || reportType === "delivery-status" });
  if (words === undefined) return { bounce: null, bounceWords: null };
  return {
    bounce: {
      ...words.bounce,
      original_message_id: original ?? words.bounce.original_message_id ?? answeredId(fields),
      reporting_mta: status?.reportingMta ?? null,
      original_envelope_id: status?.envelopeId ?? null,
    },
    bounceWords: words.sign,
  };
}
