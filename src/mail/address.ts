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

/**
 * The addresses of all fields of one name. Values are unfolded latin1 strings; `hint` is the charset of the body, for raw bytes that are
 * no UTF-8. Groups are flattened.
 */
export function addressList(values: readonly string[], hint?: string): AddressList {
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
      addresses.push(addressOf(mailbox, anomalies, hint));
    }
  }
  return { addresses, anomalies: [...anomalies] };
}

function addressOf(mailbox: Mailbox, listAnomalies: Set<string>, hint: string | undefined): Address {
  const anomalies = new Set(mailbox.anomalies);
  const decoded = (raw: string): string => {
    const words = decodeWords(raw, hint);
    if (words.guessed) listAnomalies.add("charset_guess");
    for (const mark of words.marks) listAnomalies.add(mark);
    return words.text;
  };
  const oneLine = (raw: string): string => clean(decoded(raw), (code) => listAnomalies.add(code));
  const name = oneLine(mailbox.name).slice(0, maxNameChars);
  const spec = mailbox.spec === null ? null : addrSpec(mailbox.spec, hint);
  if (mailbox.spec !== null && spec === null) anomalies.add("unusable_address");
  if (encodedWord.test(mailbox.spec ?? "")) anomalies.add("encoded_address");
  // For what it says of the bytes: a guess in an address is one too.
  if (spec !== null && !onlyAscii.test(mailbox.spec ?? "")) oneLine(mailbox.spec ?? "");
  if (spec !== null) for (const code of eyeAndMachine(mailbox.spec ?? "", spec)) anomalies.add(code);
  if (namesAnother(name, spec)) anomalies.add("name_contains_address");
  return {
    name: name === "" && spec === null && mailbox.spec !== null ? oneLine(mailbox.spec).slice(0, maxNameChars) : name,
    email: spec?.email ?? null,
    email_unicode: spec === null ? null : `${spec.local}@${spec.unicodeDomain}`,
    local: spec?.local ?? null,
    domain: spec?.domain ?? null,
    raw: printable.test(mailbox.raw) ? mailbox.raw.slice(0, maxRawChars) : oneLine(mailbox.raw).slice(0, maxRawChars),
    anomalies: [...anomalies],
  };
}

/** "cfo@corp.example" <x@evil.example>: shown as the one, sent by the other. Full-width letters look the same to a person. */
function namesAnother(name: string, spec: AddrSpec | null): boolean {
  const shown = name.includes("@") || /[\uff20\ufe6b]/.test(name) ? name.normalize("NFKC") : "";
  const named = addressLike.exec(shown)?.[0].toLowerCase();
  return named !== undefined && named !== spec?.email.toLowerCase() && named !== unicodeForm(spec);
}

const unicodeForm = (spec: AddrSpec | null): string | undefined =>
  spec === null ? undefined : `${spec.local}@${spec.unicodeDomain}`.toLowerCase();

/** Where what a person sees is not what a machine takes. */
function eyeAndMachine(written: string, spec: AddrSpec): string[] {
  const found: string[] = [];
  if (spec.unicodeDomain !== spec.domain) {
    const labels = spec.unicodeDomain.split(".");
    if (labels.some(mixesScripts)) found.push("mixed_script_domain");
    // Below a Cyrillic or Greek top level such a word is what it says it is.
    else if (onlyAscii.test(labels.at(-1) ?? "") && labels.some(looksLatin)) found.push("lookalike_domain");
  }
  if (!onlyAscii.test(written)) {
    // Zero-width characters and soft hyphens: IDNA drops them from domains, and nobody sees them in a local part.
    if (invisible.test(Buffer.from(written, "latin1").toString("utf8"))) found.push("hidden_characters");
    if (!onlyAscii.test(spec.local)) found.push("unicode_local_part");
  }
  return found;
}

interface AddrSpec {
  readonly email: string;
  readonly local: string;
  readonly domain: string;
  readonly unicodeDomain: string;
}

/**
 * The local part as given, the domain in lower-case ASCII. Null where there is no usable address: no or several @ signs,
 * control or bidi characters, encoded-words (RFC 2047 §5 keeps them out of addresses), a domain that cannot be one.
 */
function addrSpec(latin1: string, hint: string | undefined): AddrSpec | null {
  const decoded = decodeWords(encodedWord.test(latin1) ? "" : latin1, hint).text;
  const text = bareSpec(clean(decoded));
  const at = text.lastIndexOf("@");
  if (at <= 0 || unwritable.test(decoded)) return null;
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

/** Without the quotes of Outlook ('a@b.example') and a bracket that never closed, or never opened. */
function bareSpec(text: string): string {
  const opened = text.startsWith("<") ? text.slice(1) : text.endsWith(">") ? text.slice(0, -1) : text;
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

const encodedWord = /=\?[^?\s]{0,60}\?[bq]\?/i;
/** Controls, the marks that turn text around, and what could not be decoded. */
const unwritable = /[\p{Cc}\ufffd\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const onlyAscii = /^\p{ASCII}*$/u;
const printable = /^[ -~]*$/;
const invisible = /\p{Default_Ignorable_Code_Point}/u;

function unicodeOf(domain: string): string {
  if (!domain.includes("xn--")) return domain;
  const shown = domainToUnicode(domain);
  return shown === "" ? domain : shown;
}

/** A label of Latin and Cyrillic letters is nobody's name: it is there to be taken for another one. */
const mixesScripts = (label: string): boolean => scripts.filter((script) => script.test(label)).length > 1;

/** Cyrillic, Greek and Latin letters that look like those of ASCII (UTS #39 has thousands; these make whole words). */
const lookalikes = /^[асԁеһіјкӏорԛѕԝхуүьпгѵαοινρυκɡɑı\d-]+$/u;

/** "аррӏе" is one script, and nobody reads it as that. A word with one other letter is a word. */
const looksLatin = (label: string): boolean => !onlyAscii.test(label) && lookalikes.test(label);
