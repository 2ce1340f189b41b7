/** Recipient patterns and addresses in the one spelling in which they are compared. */
import { domainToASCII } from "node:url";

/** A mailbox in two parts; `local` is undefined for a whole domain (`*@domain`). */
export interface RecipientPattern {
  readonly local: string | undefined;
  readonly domain: string;
}

// RFC 5321 §4.1.2 Dot-string, and RFC 6531 §3.3 for what is outside ASCII. `%` and `!` are atext too, but only ever meant
// "send it on from here": no mailbox of ours has them.
const dotString =
  /^[A-Za-z0-9#$&'*+/=?^_`{|}~\u{80}-\u{10FFFF}-]+(\.[A-Za-z0-9#$&'*+/=?^_`{|}~\u{80}-\u{10FFFF}-]+)*$/u;
// RFC 5321 §4.1.2 Domain, at least two labels; RFC 1035 §2.3.4 for the lengths.
const hostname = /^(?=.{1,255}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const maxLocalOctets = 64;

/**
 * Lower-case ASCII form of a domain, or undefined when it is none. A domain that is ASCII already is only lower-cased: Node's
 * conversion follows the URL standard, which also decodes `%2e` and turns `127.1` into an address.
 */
export function asciiDomain(domain: string): string | undefined {
  if (domain.length > 255) return undefined;
  const isAscii = /^[\x20-\x7e]*$/.test(domain);
  if (!isAscii && /[^a-zA-Z0-9.\u{80}-\u{10FFFF}-]/u.test(domain)) return undefined;
  const ascii = isAscii ? domain.toLowerCase() : domainToASCII(domain);
  return hostname.test(ascii) ? ascii : undefined;
}

/**
 * A local part as it is compared: ASCII letters without case (RFC 5321 §2.4 leaves that to the receiving host), the rest in
 * Unicode's composed form, because some systems send `u` and a combining diaeresis for `ü`. Undefined when it cannot be one of ours.
 */
export function canonicalLocal(local: string): string | undefined {
  const composed = local.normalize("NFC");
  if (!dotString.test(composed) || Buffer.byteLength(composed) > maxLocalOctets) return undefined;
  return composed.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** `deals@inbound.example.com` or `*@inbound.example.com`; undefined when it is neither. */
export function parseRecipientPattern(text: string): RecipientPattern | undefined {
  const at = text.lastIndexOf("@");
  const domain = at > 0 ? asciiDomain(text.slice(at + 1)) : undefined;
  if (domain === undefined) return undefined;
  const written = text.slice(0, at);
  if (written === "*") return { local: undefined, domain };
  const local = written.includes("*") ? undefined : canonicalLocal(written);
  return local === undefined ? undefined : { local, domain };
}

export function isRecipientPattern(text: string): boolean {
  return parseRecipientPattern(text) !== undefined;
}
