/** Which conversation a message belongs to, by the ids it names. */
import { createHash } from "node:crypto";
import type { ParsedMessage } from "../model/event.ts";

/**
 * A hash of the oldest id that the message names: the root of its References, else what it answers, else its own id, else its
 * content digest. The same for all messages of a thread whose clients keep References, as RFC 5322 §3.6.4 asks.
 */
export function threadKey(
  parsed: { readonly message: Pick<ParsedMessage["message"], "references" | "in_reply_to"> },
  identity: { readonly messageId: string | null; readonly digest: string },
): string {
  const root = parsed.message.references[0] ?? parsed.message.in_reply_to ?? identity.messageId ?? identity.digest;
  return createHash("sha256").update(`thread\0${root}`).digest("hex");
}
