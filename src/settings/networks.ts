/** Addresses, networks and name servers as they are written in the configuration. */
import { isIP, isIPv6 } from "node:net";

/** `192.0.2.1`, `192.0.2.0/24`, `2001:db8::/32`. */
export function isNetwork(text: string): boolean {
  const [, address = "", bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  if (family === 0) return false;
  return bits === undefined || Number(bits) <= (family === 6 ? 128 : 32);
}

/** `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`. */
export function isServer(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const [, bracketed, plain, port = ""] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const known = bracketed === undefined ? isIP(plain ?? "") === 4 : isIPv6(bracketed);
  return known && Number(port) > 0 && Number(port) <= 65_535;
}
