/** Replaces the words and figures of a text; what is no letter or digit stays, and so do the marks by which a quote, a forward or a reply is known. */
import { getPublicSuffix } from "tldts";
import { automaticPrefix } from "../automated/absence.ts";
import { bareName, roleNames } from "../people/roles.ts";
import { attributionMarks } from "../reply/attribution.ts";
import { labelled } from "../reply/labels.ts";
import { separator } from "../reply/separator.ts";
import { prefixEnd } from "../subject.ts";
import { isFiller } from "../thread/words.ts";
import { replaceFigures } from "./figures.ts";
import type { Fits, StandIns } from "./stand-in.ts";
import { extensions, type Keeping, nothingKept, writtenDateKept } from "./vocabulary.ts";

/** Letters as their figures, a host, an address in figures, a time or an IPv6 address, an escape of calendars, a word, a number. */
const token =
  /(?:%[0-9A-Fa-f]{2})+|(?:=[0-9A-Fa-f]{2}){2,}|(?:\\x\{[0-9A-Fa-f]{1,6}\})+|(?:\\(?:u[0-9A-Fa-f]{4}|[x'][0-9A-Fa-f]{2}))+|(?:\\[0-9A-Fa-f]{1,6} ?){2,}|(?:&#[xX]?[0-9A-Fa-f]{1,7};?)+|\\[nN]|(?:[\p{L}\p{N}_-]{1,63}\.){1,10}[\p{L}\p{N}-]{2,63}|(?<![\w:])(?:[0-9A-Fa-f]{1,4}:|::){2,9}[0-9A-Fa-f]{0,4}(?![\w:])|\p{L}[\p{L}\p{M}]*|\p{M}+|[0-9]+|\p{Nd}+/gu;
const inside = /\p{L}[\p{L}\p{M}]*|\p{M}+|[0-9]+|\p{Nd}+/gu;
const schemes = new Set(["http", "https", "ftp", "mailto", "cid", "mid", "tel", "urn", "webcal"]);
/** RFC 2606, RFC 6761, and what home networks use. */
const reserved = /\.(?:example|test|invalid|localhost|local|internal|lan)$/i;
/** So many people have addresses there that it says nothing about one, and no company stands behind it. */
const freemail =
  /^(?:gmail|googlemail|outlook|hotmail|live|msn|yahoo|ymail|icloud|me|aol|gmx|web|t-online|orange|wanadoo|free|laposte|libero|mail|yandex|proton|protonmail|qq|163|126|naver|freemail)\.(?:com|net|de|fr|it|ru|me|co\.uk|at|ch|example)$/i;
const machineNames = /^(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)$/i;

export interface Words {
  readonly standIns: StandIns;
  readonly fits: Fits;
  /** Of a text that comes in pieces: the encoded file in which the last one ended. */
  readonly within?: Within;
}

export interface Within {
  file: { readonly ends: RegExp; readonly indent: string } | undefined;
}

/** An address or an id: whatever is kept around it, nothing of it is, or the same one would come out in two ways. */
const addressed = /([^\s<>()[\]:;,"=]{1,255}@[^\s<>()[\]:;,"]{1,255})/;

export function replaceWords(text: string, words: Words, keeping: Keeping = nothingKept): string {
  if (keeping === nothingKept || !text.includes("@")) return replaceTokens(text, words, keeping);
  return text
    .split(addressed)
    .map((piece, index) => replaceTokens(piece, words, index % 2 === 1 ? nothingKept : keeping))
    .join("");
}

function replaceTokens(text: string, words: Words, keeping: Keeping): string {
  return text.replace(token, (found, at: number) => {
    const before = text.charCodeAt(at - 1);
    if (/^[%=\\&]/.test(found))
      return /^\\[nN]$/.test(found) ? found : replaceFigures(found, words, keeping, replaceTokens);
    if (found.includes(".")) return hostOrWords(found, text, at, words, keeping);
    if (found.includes(":")) return keeping.numbers === "all" ? found : words.standIns.hex(found);
    const next = text.charAt(at + found.length);
    if (next === ":" && schemes.has(found.toLowerCase())) return found;
    if ((next === "@" || next === "+" || next === "-") && before !== 0x2e && isRole(text, at)) return found;
    const kept = keeping.numbers === "short" && isOfTelephone(text, at) ? nothingKept : keeping;
    return wordOrNumber(found, words, kept);
  });
}

const telephone = /\d{2,5}(?:[ ()/-]{1,3}\d{2,4}){2,6}/g;
const longestTelephone = 40;

/** Whether the figures there are one group of several: codes and scores come one by one. */
function isOfTelephone(text: string, at: number): boolean {
  if (!/\d/.test(text.charAt(at))) return false;
  const from = Math.max(0, at - longestTelephone);
  return [...text.slice(from, at + longestTelephone).matchAll(telephone)].some(
    ({ index, 0: found }) => from + index <= at && at < from + index + found.length,
  );
}

function wordOrNumber(found: string, { standIns, fits }: Words, { words, numbers }: Keeping): string {
  if (/^[0-9]/.test(found)) {
    if (numbers === "all" || (numbers === "short" && found.length <= 3)) return found;
    if (numbers === "dates" && (found.length <= 2 || /^(?:19|20)\d\d$/.test(found))) return found;
    return standIns.number(found);
  }
  return words?.has(found.toLowerCase()) === true ? found : standIns.word(found, fits);
}

/** `sales@`, `mailer-daemon@`: a task and no person, and what a mail is taken for hangs on it. Tags behind a plus are words. */
function isRole(text: string, at: number): boolean {
  if (/[\p{L}\p{N}._-]/u.test(text.charAt(at - 1))) return false;
  const local = /^[A-Za-z-]{1,40}(?=(?:\+[^\s@"<>,;:]{0,64})?@)/.exec(text.slice(at, at + 140))?.[0];
  if (local === undefined || !/^[A-Za-z]+$|daemon|reply/i.test(local)) return false;
  return machineNames.test(local) || roleNames.has(bareName(local));
}

function hostOrWords(found: string, text: string, at: number, words: Words, keeping: Keeping): string {
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(found)) return keeping.numbers === "all" ? found : ipv4(found, words);
  if (/^\d{2,5}(?:\.\d{2,4}){2,6}$/.test(found)) return found.replace(inside, (part) => words.standIns.number(part));
  const known = text[at - 1] === "@" || (text[at - 1] === "/" && text[at - 2] === "/");
  if (known && freemail.test(found)) return found;
  const suffix = suffixOf(found, known);
  const stem = found.slice(0, found.length - suffix.length);
  if (suffix === "" && (text[at + found.length] === "@" || text[at + found.length] === "+") && isRole(text, at))
    return found;
  return (
    stem.replace(inside, (word) => wordOrNumber(word, words, known || suffix !== "" ? nothingKept : keeping)) + suffix
  );
}

/** With its dot. In prose "end.Then" is no host: there only what everybody knows as one counts. */
function suffixOf(host: string, isKnown: boolean): string {
  const known = reserved.exec(host)?.[0];
  if (known !== undefined) return known;
  const suffix = getPublicSuffix(host.toLowerCase(), { extractHostname: false, allowPrivateDomains: false });
  if (suffix === null || suffix.length >= host.length || /[^a-z.]/.test(suffix)) return "";
  const last = suffix.slice(suffix.lastIndexOf(".") + 1);
  // A suffix that nobody gave out is what stands behind the last dot, whatever it is.
  if (!isKnown && last.length > 3 && last !== "info") return "";
  const given = last.length === 2 || givenOut.has(last);
  return given ? host.slice(host.length - suffix.length - 1) : "";
}

const givenOut = new Set(
  "com org net edu gov mil int biz info name pro aero coop museum jobs mobi travel tel cat asia post xyz online site shop store app dev cloud tech blog email".split(
    " ",
  ),
);

function ipv4(address: string, { standIns }: Words): string {
  if (address.startsWith("127.")) return address;
  return address
    .split(".")
    .map((part) => {
      const made = standIns.number(part);
      return made.length === 3 && Number(made) > 255 ? `1${made.slice(1)}` : made;
    })
    .join(".");
}

/** `Re:`, `Automatic reply:`, and words that many subjects have: threads are told apart by what is left. */
export function replaceSubject(text: string, words: Words): string {
  let at = automaticPrefix(text);
  for (let from = -1; from !== at; ) {
    from = at;
    at += /^(?:\s|\[fwd?[:：])*/i.exec(text.slice(at))?.[0].length ?? 0;
    at = prefixEnd(text, at);
    const tag = /^\[[^[\]]{1,80}\] ?/.exec(text.slice(at))?.[0] ?? "";
    if (tag !== "" && prefixEnd(text, at + tag.length) > at + tag.length) {
      return text.slice(0, at) + replaceWords(tag, words) + replaceSubject(text.slice(at + tag.length), words);
    }
  }
  const rest = text.slice(at);
  return (
    text.slice(0, at) +
    rest.replace(token, (found, place: number) => {
      if (isFiller(found.toLowerCase()) || /^\((?:fwd|wg|fw)\)$/i.test(rest.slice(place - 1, place + found.length + 1)))
        return found;
      return replaceWords(found, words);
    })
  );
}

/** What a file is taken for hangs on the end of its name; "invoice.pdf.exe" is a trick that has to survive. */
export function replaceFileName(text: string, words: Words, keeping: Keeping = nothingKept): string {
  const endings = /(?:\.[A-Za-z0-9]{1,6}){1,2}["\s]*$/.exec(text)?.[0] ?? "";
  const known = [...endings.matchAll(/\.([A-Za-z0-9]+)/g)].map(([, extension = ""]) =>
    extensions.has(extension.toLowerCase()),
  );
  const from = known.at(-1) !== true ? text.length : known[0] ? text.length - endings.length : text.lastIndexOf(".");
  return replaceWords(text.slice(0, from), words, keeping) + text.slice(from);
}

/** The text of a mail, line by line. */
export function replaceText(text: string, words: Words): string {
  const lines = text.split("\n");
  const within: Within = words.within ?? { file: undefined };
  return lines
    .map((line, index) => {
      const { file } = within;
      if (file !== undefined && line.startsWith(file.indent)) {
        const data = line.slice(file.indent.length);
        if (!file.ends.test(data)) return file.indent + encodedLine(data, words);
        within.file = undefined;
        if (/^end\s*$/.test(data)) return line;
      }
      const [, indent = "", head] = beginOfFile.exec(line) ?? [];
      if (head === undefined) return replaceLine(line, lines, index, words);
      within.file = { ends: endOfFile, indent };
      const before = indent + head;
      return before + replaceFileName(line.slice(before.length), words);
    })
    .join("\n");
}

/** A file in uuencode that stands in a text; its punctuation is data. */
const beginOfFile = /^([>|\s]{0,20})(begin [0-7]{3,4} )(?=\S)/;
const endOfFile = /^(?:end\s*$|[^ -`\r]|.{63,})/;

/** The first character says how many follow. */
function encodedLine(line: string, { standIns }: Words): string {
  const end = line.endsWith("\r") ? line.length - 1 : line.length;
  if (end < 2) return line;
  const noise = standIns.bytes(Buffer.from(line), "line");
  let made = line.charAt(0);
  for (let at = 1; at < end; at++)
    made += line.charAt(at) > "\x7f" ? line.charAt(at) : String.fromCharCode(0x21 + ((noise[at] ?? 0) % 0x40));
  return made + line.slice(end);
}

const maxMarkedChars = 400;
const armour = /^-----(?:BEGIN|END) PGP [A-Z ]{3,30}-----\s*$/;
const lotus =
  /^([-_=*~#\u2010-\u2015\u2500\s>]{4,}(?:forwarded by|weitergeleitet von|transféré par|reenviado por|inoltrato da) )/i;

function replaceLine(line: string, lines: readonly string[], index: number, words: Words): string {
  if (line.length > maxMarkedChars || !/[:：\-_\p{Nd}]/u.test(line)) return replaceWords(line, words);
  const bare = line.replace(/^[>\s|]+/, "");
  const indent = line.slice(0, line.length - bare.length);
  const label = labelled(bare);
  if (label !== undefined) {
    const colon = bare.search(/[:：]/) + 1;
    const value = bare.slice(colon);
    const made =
      label.role === "date"
        ? replaceWords(value, words, datesIn(value))
        : label.role === "subject"
          ? replaceSubject(value, words)
          : replaceWords(value, words);
    return indent + bare.slice(0, colon) + made;
  }
  if (armour.test(line)) return line;
  if (/^Message-ID:/i.test(bare)) return `${indent}${bare.slice(0, 11)}${replaceWords(bare.slice(11), words)}`;
  const forwarded = lotus.exec(line)?.[1];
  if (forwarded !== undefined) return forwarded + replaceWords(line.slice(forwarded.length), words, datesIn(line));
  if (separator(bare.trim()) !== undefined) return line;
  return attributes(lines, index) ? indent + replaceAttribution(bare, words) : replaceWords(line, words);
}

/** Whether the line is an attribution or one of the two above its end: it has to be known for one by what is left of it. */
function attributes(lines: readonly string[], index: number): boolean {
  const says = (line: string | undefined): boolean =>
    line !== undefined &&
    line.length <= maxMarkedChars &&
    /[:：\-e]\s*$/.test(line) &&
    attributionMarks.verbs.some((verb) => verb.test(line));
  if (says(lines[index])) return true;
  const bare = (lines[index] ?? "").replace(/^[>\s|]+/, "");
  if (!/\d/.test(bare) && !bare.includes("@")) return false;
  return (
    says(lines[index + 1]) ||
    says(lines[index + 2]) ||
    (/[:：]\s*$/.test(bare) && /\d/.test(bare) && bare.includes("@"))
  );
}

/** Without a year it may be a telephone number. */
const datesIn = (text: string): Keeping => (/(?<!\d)(?:19|20)\d\d(?!\d)/.test(text) ? writtenDateKept : nothingKept);

export function replaceAttribution(bare: string, words: Words): string {
  const opening = attributionMarks.opener.exec(bare)?.[0] ?? "";
  const rest = bare.slice(opening.length);
  const kept = datesIn(bare);
  for (const verb of attributionMarks.verbs) {
    const found = verb.exec(rest);
    if (found === null) continue;
    const after = found.index + found[0].length;
    return (
      opening +
      replaceWords(rest.slice(0, found.index), words, kept) +
      found[0] +
      replaceWords(rest.slice(after), words, kept)
    );
  }
  return opening + replaceWords(rest, words, kept);
}
