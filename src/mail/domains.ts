/** Says what kind of domain one is: whose it is by the public suffix list, and whether anybody can have an address there. */
import { createRequire } from "node:module";
import { domainToASCII, domainToUnicode } from "node:url";
import type { DOMAINS } from "free-email-domains-list/build/src/constants.js";
import { getDomain } from "tldts";

const maxDomainChars = 255;

/** Lower-case ASCII, without the root's dot; null for what can be no domain. */
export function asciiDomain(written: string): string | null {
  const domain = written.trim().replace(/\.$/, "");
  if (domain === "" || domain.length > maxDomainChars) return null;
  // Not for ASCII: the URL parser behind domainToASCII would read "1.2" as an IPv4 address.
  const ascii = /^\p{ASCII}*$/u.test(domain) ? domain.toLowerCase() : domainToASCII(domain);
  return ascii.split(".").every((label) => /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/.test(label)) ? ascii : null;
}

const bySuffixes = { extractHostname: false, mixedInputs: false } as const;

/** Below it every customer of Microsoft has a name, by which his mail is signed where he set up nothing; the public suffix list does not say so. */
export const customersBelow = "onmicrosoft.com";

/**
 * The domain that somebody registered. Private suffixes count (github.io, uk.com): their users have nothing to do with each other, and a
 * stranger there must never pass for a neighbour. A private suffix itself belongs to who runs it. Null for an address literal, a public
 * suffix, and what is no domain with a dot.
 */
export function registrable(domain: string): string | null {
  const known = remembered.get(domain);
  if (known !== undefined) return known;
  const found = registeredUnder(domain);
  if (domain.length > maxDomainChars) return found;
  if (remembered.size >= mostRemembered) remembered.clear();
  remembered.set(domain, found);
  return found;
}

/** A mail asks some twenty times, mostly for domains that were asked for before; the list's trie takes a few µs each time. */
const remembered = new Map<string, string | null>();
const mostRemembered = 4_096;

function registeredUnder(domain: string): string | null {
  const ascii = domain.startsWith("[") ? null : asciiDomain(domain);
  if (ascii === null) return null;
  if (ascii.endsWith(`.${customersBelow}`)) return customerOf(ascii);
  const registered = getDomain(ascii, { ...bySuffixes, allowPrivateDomains: true });
  if (registered !== null) return registered;
  const owner = getDomain(ascii, bySuffixes);
  return owner === ascii ? owner : null;
}

/** Who keeps an Exchange server of his own beside it sends by <name>.mail.onmicrosoft.com too. */
function customerOf(ascii: string): string {
  const labels = ascii.split(".").slice(0, -2);
  const last = labels.at(-1);
  return `${last === "mail" ? (labels.at(-2) ?? last) : last}.${customersBelow}`;
}

/** In use, and missing in the list below. */
const alsoFreemail = new Set([
  "bbox.fr",
  "biglobe.ne.jp",
  "delfi.lt",
  "disroot.org",
  "iki.fi",
  "kakao.com",
  "kolabnow.com",
  "magenta.de",
  "mailbox.org",
  "net.hr",
  "nifty.com",
  "online.no",
  "riseup.net",
  "startmail.com",
  "sunrise.ch",
  "vodafone.de",
  "zoznam.sk",
]);

/** In that list, and for members or examples only: universities, authorities, and the domain of every manual (RFC 2606). */
const notFreemail = /(?:^|\.)(?:edu|gov|mil)$|\.(?:ac|gov|mil)\.[a-z]{2}$|^example\.com$/;

let listed: typeof DOMAINS | undefined;

/**
 * 96,649 domains as a set: 0.17 s and 11 MB, spent when the first sender is looked at and not before. Its index would load a validator of
 * addresses besides, which nobody here asks for.
 */
function freemailList(): typeof DOMAINS {
  listed ??= (
    createRequire(import.meta.url)("free-email-domains-list/build/src/constants.js") as { DOMAINS: typeof DOMAINS }
  ).DOMAINS;
  return listed;
}

/** By the built-in lists: the domain, or the one that it is registered under. Anybody can have an address there. */
export function isFreemail(domain: string): boolean {
  const found = registrable(domain);
  return [domain, found].some((one) => one !== null && isListed(one)) || found?.endsWith(`.${customersBelow}`) === true;
}

function isListed(domain: string): boolean {
  if (notFreemail.test(domain)) return false;
  if (alsoFreemail.has(domain) || freemailList().has(domain)) return true;
  // The list holds international domains as they are read.
  return domain.includes("xn--") && freemailList().has(domainToUnicode(domain));
}

/** Addresses for an hour. The well-known ones; thousands of their mirrors stand in the list of free mail, and make no company either. */
const disposables = new Set([
  "10minutemail.com",
  "10minutemail.net",
  "20minutemail.com",
  "33mail.com",
  "burnermail.io",
  "byom.de",
  "discard.email",
  "dispostable.com",
  "emailondeck.com",
  "fakeinbox.com",
  "getairmail.com",
  "getnada.com",
  "grr.la",
  "guerrillamail.biz",
  "guerrillamail.com",
  "guerrillamail.de",
  "guerrillamail.info",
  "guerrillamail.net",
  "guerrillamail.org",
  "inboxkitten.com",
  "jetable.org",
  "mail-temp.com",
  "mailcatch.com",
  "maildrop.cc",
  "mailinator.com",
  "mailnesia.com",
  "mailsac.com",
  "mintemail.com",
  "moakt.com",
  "mohmal.com",
  "muellmail.com",
  "mytemp.email",
  "mytrashmail.com",
  "nada.email",
  "sharklasers.com",
  "spam4.me",
  "spambog.com",
  "spamgourmet.com",
  "temp-mail.io",
  "temp-mail.org",
  "tempail.com",
  "tempmail.com",
  "tempmail.net",
  "tempmailo.com",
  "tempr.email",
  "throwawaymail.com",
  "trash-mail.com",
  "trashmail.com",
  "trashmail.de",
  "trashmail.net",
  "wegwerfmail.de",
  "yopmail.com",
  "yopmail.fr",
  "yopmail.net",
]);

export function isDisposable(domain: string): boolean {
  return [domain, registrable(domain)].some((one) => one !== null && disposables.has(one));
}
