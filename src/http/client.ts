/** Who is at the other end, as far as limits and the audit trail go: pure. */
import { isIP, isIPv6 } from "node:net";

/** `::ffff:192.0.2.1` is 192.0.2.1. What a proxy names and is no address is nobody's: it is written down, and may be anything. */
export function addressOf(address: string): string {
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address);
  const plain = mapped?.[1] ?? address.replace(/%.*$/, "");
  return isIP(plain) === 0 ? "unknown" : plain;
}

/** One household: an IPv4 address, or an IPv6 /64, of which every customer has at least one whole. */
export function clientOf(address: string): string {
  const plain = addressOf(address);
  return isIPv6(plain) ? `${groupsOf(plain, 4)}::/64` : plain;
}

/** Whoever hands out addresses: an IPv4 /24, or an IPv6 /48, of which one customer may have 65,536 of the above. */
export function networkOf(address: string): string {
  const plain = addressOf(address);
  if (isIPv6(plain)) return `${groupsOf(plain, 3)}::/48`;
  return isIP(plain) === 0 ? plain : `${plain.slice(0, plain.lastIndexOf("."))}.0/24`;
}

/** The first of the eight groups of an IPv6 address. */
function groupsOf(plain: string, count: number): string {
  const [head = "", tail] = plain.toLowerCase().split("::");
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  const gap = tail === undefined ? 0 : Math.max(0, 8 - groups.length - rest.length);
  const all = [...groups, ...Array.from({ length: gap }, () => "0"), ...rest];
  return all
    .slice(0, count)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
}
