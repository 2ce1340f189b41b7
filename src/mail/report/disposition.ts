/** Reads read receipts (RFC 8098). */
import type { Mdn } from "../../model/event.ts";
import { messageId } from "../message-id.ts";
import { fieldGroups, recipientAddress } from "./groups.ts";

const maxWordChars = 40;

export function disposition(parts: readonly Buffer[]): Mdn | null {
  const group = parts.flatMap(fieldGroups).find((one) => one.has("disposition") || one.has("final-recipient"));
  if (group === undefined) return null;
  // RFC 8098 §3.2.6: `manual-action/MDN-sent-manually; displayed/error`. Some clients leave out the mode.
  const value = group.first("disposition") ?? "";
  const word = /[a-z-]+/i
    .exec(value.slice(value.lastIndexOf(";") + 1))?.[0]
    .toLowerCase()
    .slice(0, maxWordChars);
  const recipient = group.first("final-recipient") ?? group.first("original-recipient");
  return {
    disposition: word ?? "unknown",
    original_message_id: messageId(group.first("original-message-id") ?? "").id,
    final_recipient: recipient === null ? null : recipientAddress(recipient) || null,
  };
}
