/** Which headers a DKIM signature covers: what it leaves out, anybody can write. */
import type { Evidence } from "../../model/event.ts";

type Signature = Evidence["dkim"][number];

/** RFC 6376 §5.4.1 asks for more; of these all large senders sign the first two. */
const always = ["subject", "date"];
const maxChars = 4_000;

/**
 * Names that this signature leaves open: headers that it does not sign, and ones that stand more often than it signs them, of which the topmost
 * was added afterwards and is the one that is shown (RFC 6376 §8.15). `watched`: names that count beside Subject and Date.
 */
export function leftOpen(
  { domain, selector }: Signature,
  headers: readonly (readonly [string, string])[],
  watched: readonly string[] = [],
): string[] {
  const fields = headers
    .filter(([name]) => name.toLowerCase() === "dkim-signature")
    .map(([, value]) => tagsOf(value))
    .filter((tags) => tags.get("d")?.toLowerCase() === domain && tags.get("s") === selector);
  // One that cannot be found again says nothing: its header was cut off the event.
  const covered = fields.map((tags) => (tags.get("h") ?? "").toLowerCase().split(/\s*:\s*/));
  const open = covered.map((names) => [...always, ...watched].filter((name) => isOpen(name, names, headers)));
  return open.toSorted((a, b) => b.length - a.length)[0] ?? [];
}

function isOpen(name: string, signed: readonly string[], headers: readonly (readonly [string, string])[]): boolean {
  const there = headers.filter(([other]) => other.toLowerCase() === name).length;
  return there > signed.filter((other) => other === name).length;
}

function tagsOf(value: string): Map<string, string> {
  const tags = new Map<string, string>();
  for (const part of value.slice(0, maxChars).split(";")) {
    const at = part.indexOf("=");
    if (at > 0) tags.set(part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).replace(/\s+/g, ""));
  }
  return tags;
}
