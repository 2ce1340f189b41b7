/** Takes the message identifiers out of Message-ID, In-Reply-To and References, whatever else stands there. */
import { isUtf8 } from "node:buffer";
import { trimBlanks } from "./header.ts";
import { decodeWords } from "./words.ts";

export interface MessageIds {
  /** `<...>`, in wire order, without repetition. */
  readonly ids: readonly string[];
  readonly anomalies: readonly string[];
}

/** RFC 5322 §2.1.1: no line has more than 998 characters, so no honest id has. */
const maxIdBytes = 998;
/** The root and the nearest ancestors decide a thread; a 900 KB References header is an attack. */
const maxIds = 1000;
const keptFirst = 1;
const keptLast = 200;
const maxValueBytes = 1024 * 1024;

/** `raw` is the value as it stood on the wire, folds included, as a latin1 string. */
export function messageIds(raw: string): MessageIds {
  const anomalies = new Set<string>();
  const value = plainValue(raw.slice(0, maxValueBytes), anomalies);
  const found = new Set<string>();
  const scanned = scan(value);
  for (const inner of scanned.bracketed) addId(inner, found, anomalies);
  if (found.size === 0) {
    // Some clients write the id without brackets.
    for (const token of scanned.outside.split(/[\t\n\r ,;]+/))
      if (/^[^@]+@[^@]+$/.test(token)) addId(token, found, anomalies);
  }
  let ids = [...found];
  if (ids.length > maxIds) {
    ids = [...ids.slice(0, keptFirst), ...ids.slice(-keptLast)];
    anomalies.add("references_cut");
  }
  return { ids, anomalies: [...anomalies] };
}

/** The one id of a Message-ID header, or null. */
export function messageId(raw: string): { readonly id: string | null; readonly anomalies: readonly string[] } {
  const { ids, anomalies } = messageIds(raw);
  return { id: ids[0] ?? null, anomalies };
}

/** Folds as one LF each; an id must not hold encoded-words (RFC 2047 §5), but some gateways encode the whole value. */
function plainValue(raw: string, anomalies: Set<string>): string {
  const value = trimBlanks(raw.replace(/\r?\n[ \t]*/g, "\n"));
  if (!value.startsWith("=?") || !value.endsWith("?=")) return value;
  anomalies.add("encoded_message_id");
  return Buffer.from(decodeWords(value).text, "utf8").toString("latin1");
}

function addId(inner: string, found: Set<string>, anomalies: Set<string>): void {
  // A fold inside the brackets is no part of the id: clients break long ids anywhere.
  const joined = inner.replaceAll("\n", "");
  const trimmed = trimBlanks(joined);
  const text = decodeId(trimmed);
  const clean = text.replace(/[\p{Cc}\ufffd]/gu, "");
  if (clean === "") return;
  const spaced = /\s/.test(clean);
  if (spaced && !/^[^@]+@[^@]+$/.test(clean)) return;
  if (spaced || clean !== text || trimmed !== joined) anomalies.add("bad_message_id");
  if (trimmed.length > maxIdBytes) {
    anomalies.add("overlong_message_id");
    return;
  }
  found.add(`<${clean}>`);
}

const windows1252 = new TextDecoder("windows-1252");

/** UTF-8 (RFC 6532), else byte by byte and nothing cleverer: an id is compared, never read, and the keys of records hang on it. */
function decodeId(latin1: string): string {
  if (/^\p{ASCII}*$/u.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, "latin1");
  return isUtf8(bytes) ? utf8.decode(bytes) : windows1252.decode(bytes);
}
const utf8 = new TextDecoder("utf-8");

/** What stands in angle brackets, and what stands outside of brackets, quotes and comments. One pass; unclosed marks are text. */
function scan(value: string): { bracketed: string[]; outside: string } {
  const bracketed: string[] = [];
  let outside = "";
  let at = 0;
  // Each is looked for to the end of the value once at most, so that "<<<<..." costs linear time.
  let bracketsClose = true;
  let quotesClose = true;
  let commentsClose = true;
  while (at < value.length) {
    const char = value[at];
    let next = at + 1;
    if (char === "<" && bracketsClose) {
      const end = value.indexOf(">", next);
      bracketsClose = end !== -1;
      if (bracketsClose) {
        bracketed.push(value.slice(value.lastIndexOf("<", end) + 1, end));
        next = end + 1;
      }
    } else if (char === '"' && quotesClose) {
      const end = value.indexOf('"', next);
      quotesClose = end !== -1;
      if (quotesClose) next = end + 1;
    } else if (char === "(" && commentsClose) {
      const end = endOfComment(value, at);
      commentsClose = end !== -1;
      if (commentsClose) next = end;
    } else {
      outside += char;
    }
    at = next;
  }
  return { bracketed, outside };
}

/** The position after the comment that begins at `at`, -1 when it never ends. RFC 5322 §3.2.2: comments nest. */
function endOfComment(value: string, at: number): number {
  let depth = 0;
  for (let i = at; i < value.length; i++) {
    if (value[i] === "\\") i++;
    else if (value[i] === "(") depth++;
    else if (value[i] === ")" && --depth === 0) return i + 1;
  }
  return -1;
}
