/** Decides whom a message is from, and says where the headers disagree about it. */
import type { Address, Message } from "../model/event.ts";
import { addressList } from "./address.ts";
import { type RawField, unfold } from "./header.ts";

export type Sent = { readonly address: Address | null; readonly source: Message["from_source"] };

/** The first mailbox of From. Where From names no address, the next header that does; trust is never raised by it. */
export function sentBy(
  from: readonly Address[],
  sender: readonly Address[],
  replyTo: readonly Address[],
  returnPath: readonly RawField[],
): Sent {
  const first = from[0];
  if (first !== undefined && (first.email !== null || first.anomalies.includes("ambiguous_address"))) {
    return { address: first, source: "from" };
  }
  const usable = (addresses: readonly Address[]) => addresses.find(({ email }) => email !== null);
  const name = first?.name ?? "";
  const named = (address: Address): Address => (address.name === "" ? { ...address, name } : address);
  const bySender = usable(sender);
  if (bySender !== undefined) return { address: named(bySender), source: "sender" };
  const byReplyTo = usable(replyTo);
  if (byReplyTo !== undefined) return { address: named(byReplyTo), source: "reply_to" };
  // RFC 5321 §4.4: only the topmost was written by the system that delivered.
  const top = returnPath[0];
  const byReturnPath = top === undefined ? undefined : usable(addressList([unfold(top.raw)]).addresses);
  if (byReturnPath !== undefined) return { address: named(byReturnPath), source: "return_path" };
  return first === undefined ? { address: null, source: "none" } : { address: first, source: "from" };
}

/** What an address of From says of the whole message. */
const codes: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  ambiguous_address: "from_ambiguous",
  unusable_address: "from_unusable",
  name_contains_address: "name_contains_address",
  mixed_script_domain: "mixed_script_domain",
  lookalike_domain: "lookalike_domain",
  hidden_characters: "hidden_characters",
});

/** Codes of the message, with a detail where one helps. */
export function senderAnomalies(
  from: readonly Address[],
  sender: readonly Address[],
  replyTo: readonly Address[],
  sent: Sent,
): { readonly code: string; readonly detail?: string }[] {
  const found: { code: string; detail?: string }[] = [];
  if (from.length > 1) found.push({ code: "multiple_from" });
  if (from.length === 0) found.push({ code: "no_from" });
  if (sent.source !== "from" && sent.source !== "none") found.push({ code: "from_elsewhere", detail: sent.source });
  for (const { anomalies } of from) {
    for (const odd of anomalies) {
      const code = codes[odd];
      if (code !== undefined) found.push({ code });
    }
  }
  const own = sent.source === "from" ? (sent.address?.domain ?? null) : null;
  if (own !== null && elsewhere(own, sender)) found.push({ code: "sender_differs" });
  if (own !== null && elsewhere(own, replyTo)) found.push({ code: "reply_to_elsewhere" });
  return found;
}

/** In none of the domains above or below. Which of them belong to one organisation is for whoever knows the public suffixes. */
function elsewhere(own: string, addresses: readonly Address[]): boolean {
  return addresses.some(
    ({ domain }) => domain !== null && domain !== own && !domain.endsWith(`.${own}`) && !own.endsWith(`.${domain}`),
  );
}
