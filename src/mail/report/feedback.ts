/** Reads feedback reports (RFC 5965): somebody pressed "this is spam" on a mail of ours. */
import type { Complaint } from "../../model/event.ts";
import { fieldGroups, recipientAddress, typed } from "./groups.ts";

const maxRecipients = 100;
const maxTypeChars = 40;
const maxAgentChars = 200;

/** All but the identifier of the message that was complained about. */
export function feedback(parts: readonly Buffer[]): Omit<Complaint, "original_message_id"> | null {
  const group = parts.flatMap(fieldGroups).find((one) => one.has("feedback-type") || one.has("user-agent"));
  if (group === undefined) return null;
  const type = /^[\w-]+/
    .exec(group.first("feedback-type") ?? "")?.[0]
    .toLowerCase()
    .slice(0, maxTypeChars);
  const recipients = group
    .all("original-rcpt-to", maxRecipients)
    .map(recipientAddress)
    .filter((address) => address !== "");
  return {
    // RFC 5965 §3.1 demands it, §7.3 has "other" for what is none of the known.
    type: type ?? "other",
    user_agent: group.first("user-agent")?.slice(0, maxAgentChars) ?? null,
    original_rcpt: [...new Set(recipients)],
    source_ip: addressOfHost(group.first("source-ip")),
  };
}

/** Some write `dns; 192.0.2.1` or brackets, as delivery reports do. */
function addressOfHost(value: string | null): string | null {
  const bare = value === null ? "" : typed(value).value.replace(/^\[(?:IPv6:)?([^\]]*)\]$/i, "$1");
  return /^[0-9a-fA-F.:]{2,45}$/.test(bare) ? bare : null;
}
