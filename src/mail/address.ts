/** Reads address headers: structure first, words afterwards, and never the shorter of two possible domains. */
import { domainToASCII, domainToUnicode } from "node:url";
import type { Address } from "../model/event.ts";
import { type Mailbox, mailboxes } from "./mailbox.ts";
import { clean, decodeWords } from "./words.ts";

export interface AddressList {
  readonly addresses: readonly Address[];
  /** Of the whole header: `group`, `addresses_cut`, `charset_guess`. */
  readonly anomalies: readonly string[];
}

/** Whole lists of recipients belong to the raw mail, not to a CRM. */
const maxAddresses = 2000;
const maxNameChars = 500;
const maxRawChars = 1000;
/** RFC 5321 §4.5.3.1: 64 octets and 255 octets. Local parts are longer in practice (bounce tags, webhooks). */
const maxLocalChars = 256;
const maxDomainChars = 255;

const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;
const addressLike = /[^\s<>"'(),:;@]+@[^\s<>"'(),:;@]+\.[^\s<>"'(),:;@]+/;
const scripts = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
];

/** The addresses of all fields of one name. Values are unfolded latin1 strings. Groups are flattened. */
export function addressList(values: readonly string[]): AddressList {
  const addresses: Address[] = [];
  const anomalies = new Set<string>();
  for (const value of values) {
    const found = mailboxes(value, maxAddresses - addresses.length + 1);
    if (found.grouped) anomalies.add("group");
    for (const mailbox of found.mailboxes) {
      if (addresses.length === maxAddresses) {
        anomalies.add("addresses_cut");
        return { addresses, anomalies: [...anomalies] };
      }
      addresses.push(addressOf(mailbox, anomalies));
    }
  }
  return { addresses, anomalies: [...anomalies] };
}

function addressOf(mailbox: Mailbox, listAnomalies: Set<string>): Address {
  const anomalies = new Set(mailbox.anomalies);
  const words = decodeWords(mailbox.name);
  if (words.guessed) listAnomalies.add("charset_guess");
  const name = clean(words.text).slice(0, maxNameChars);
  const spec = mailbox.spec === null ? null : addrSpec(mailbox.spec);
  if (mailbox.spec !== null && spec === null) anomalies.add("unusable_address");
  const named = addressLike.exec(name)?.[0];
  // "cfo@corp.example" <x@evil.example>: shown as the one, sent by the other.
  if (named !== undefined && named.toLowerCase() !== spec?.email.toLowerCase()) anomalies.add("name_contains_address");
  if (spec !== null && mixesScripts(spec.unicodeDomain)) anomalies.add("mixed_script_domain");
  return {
    name:
      name === "" && spec === null && mailbox.spec !== null
        ? clean(decodeWords(mailbox.spec).text).slice(0, maxNameChars)
        : name,
    email: spec?.email ?? null,
    email_unicode: spec === null ? null : `${spec.local}@${spec.unicodeDomain}`,
    local: spec?.local ?? null,
    domain: spec?.domain ?? null,
    raw: clean(decodeWords(mailbox.raw).text).slice(0, maxRawChars),
    anomalies: [...anomalies],
  };
}

interface AddrSpec {
  readonly email: string;
  readonly local: string;
  readonly domain: string;
  readonly unicodeDomain: string;
}

/**
 * The local part as given, the domain in lower-case ASCII. Null where there is no usable address: no or several @ signs,
 * control characters, encoded-words (RFC 2047 §5 keeps them out of addresses), a domain that cannot be one.
 */
export function addrSpec(latin1: string): AddrSpec | null {
  const text = bareSpec(clean(decodeWords(latin1.includes("=?") ? "" : latin1).text));
  const at = text.lastIndexOf("@");
  if (at <= 0 || /[\p{Cc}\ufffd]/u.test(latin1)) return null;
  const local = text.slice(0, at);
  const quoted = /^"(?:[^"\\]|\\.)*"$/.test(local);
  if (local.length > maxLocalChars || (!quoted && /[\s"@<>()[\]\\,;:]/.test(local))) return null;
  const domain = asciiDomain(text.slice(at + 1));
  if (domain === null) return null;
  return {
    email: `${local}@${domain}`,
    local,
    domain,
    unicodeDomain: domain.startsWith("[") ? domain : unicodeOf(domain),
  };
}

/** Without the quotes of Outlook ('a@b.example') and a bracket that never closed. */
function bareSpec(text: string): string {
  const opened = text.startsWith("<") ? text.slice(1) : text;
  return opened.startsWith("'") && opened.endsWith("'") ? opened.slice(1, -1) : opened;
}

function asciiDomain(written: string): string | null {
  // RFC 5321 §4.1.3: [192.0.2.1] and [IPv6:...] are domains, of no use to a CRM but true.
  if (/^\[[0-9a-z.:]{2,60}\]$/i.test(written)) return written.toLowerCase();
  const rooted = written.endsWith(".") ? written.slice(0, -1) : written;
  // Not for ASCII: the URL parser behind domainToASCII would read "1.2" as an IPv4 address.
  const domain = /^\p{ASCII}*$/u.test(rooted) ? rooted.toLowerCase() : domainToASCII(rooted);
  if (domain === "" || domain.length > maxDomainChars) return null;
  return domain.split(".").every((part) => label.test(part)) ? domain : null;
}

function unicodeOf(domain: string): string {
  if (!domain.includes("xn--")) return domain;
  const shown = domainToUnicode(domain);
  return shown === "" ? domain : shown;
}

/** A label of Latin and Cyrillic letters is nobody's name: it is there to be taken for another one. */
function mixesScripts(domain: string): boolean {
  return domain.split(".").some((part) => scripts.filter((script) => script.test(part)).length > 1);
}
