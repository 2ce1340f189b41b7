/** Replaces what the header of a message or of a part says of people, and keeps what it says of the format. */
import { charsetKnown, replaceInBytes } from "./charset.ts";
import { base64Pieces, escaped, refill, refillPieces } from "./escapes.ts";
import type { StandIns } from "./stand-in.ts";
import { replaceFileName, replaceSubject, replaceWords, type Words } from "./text.ts";
import {
  dateKept,
  isKnownField,
  type Keeping,
  machineKept,
  mimeKept,
  nothingKept,
  receivedKept,
  signatureKept,
} from "./vocabulary.ts";

/** How the words of one field are replaced; text without encoded-words. */
type Rule = (text: string, words: Words) => string;

const keeping =
  (kept: Keeping): Rule =>
  (text, words) =>
    replaceWords(text, words, kept);
const plain = keeping(nothingKept);

const signatures: Rule = (text, words) =>
  text.replace(
    /((?:^|[;\s])[a-z]{1,2}\s{0,5}=)|((?:=[0-9A-Fa-f]{2}){2,}|[^=;]+|[=;])/g,
    (piece, tag: string | undefined) => (tag === undefined ? replaceWords(piece, words, signatureKept) : tag),
  );

/** Figures of dates have four digits at most; what has more is a number that somebody put there. */
const dates: Rule = (text, words) =>
  replaceWords(text, words, /\d{5}/.test(text) ? { ...dateKept, numbers: "dates" } : dateKept);

/** What stands before the last semicolon is the way, behind it the time. */
const received: Rule = (text, words) => {
  const at = text.lastIndexOf(";");
  if (at === -1) return replaceWords(text, words, receivedKept);
  return replaceWords(text.slice(0, at), words, receivedKept) + dates(text.slice(at), words);
};

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...[
    "date",
    "resent-date",
    "arrival-date",
    "last-attempt-date",
    "will-retry-until",
    "expires",
    "reply-by",
    "delivery-date",
    "received-date",
  ].map((name): [string, Rule] => [name, dates]),
  ...["received", "x-received"].map((name): [string, Rule] => [name, received]),
  ...["dkim-signature", "arc-seal", "arc-message-signature", "x-google-dkim-signature", "domainkey-signature"].map(
    (name): [string, Rule] => [name, signatures],
  ),
  ...["subject", "thread-topic"].map((name): [string, Rule] => [name, replaceSubject]),
  ...[
    ...[
      "from",
      "sender",
      "reply-to",
      "to",
      "cc",
      "bcc",
      "resent-from",
      "resent-sender",
      "resent-to",
      "resent-cc",
      "resent-bcc",
      "return-path",
    ],
    ...[
      "message-id",
      "in-reply-to",
      "references",
      "resent-message-id",
      "content-id",
      "comments",
      "keywords",
      "organization",
      "organisation",
    ],
    ...[
      "delivered-to",
      "x-original-to",
      "envelope-to",
      "x-envelope-to",
      "content-description",
      "content-location",
      "list-id",
    ],
  ].map((name): [string, Rule] => [name, plain]),
]);
const machine = keeping(machineKept);

/** `section`: whole lines, of a header or of a group of fields that a report has. As many bytes come out. */
export function replaceHeader(section: Buffer, standIns: StandIns): Buffer {
  const text = section.toString("latin1");
  // RFC 5322 §2.2.3: a line that begins with a blank goes on with the field before it.
  const fields = text.match(/[^\n]*(?:\n(?=[ \t])[^\n]*)*(?:\n|$)/g) ?? [];
  return Buffer.from(fields.map((field) => replaceField(field, standIns)).join(""), "latin1");
}

function replaceField(field: string, standIns: StandIns): string {
  const colon = field.indexOf(":");
  const name = field.slice(0, Math.max(0, colon));
  const bare = name.replace(/^\xef\xbb\xbf/, "").trim();
  // Put there by whoever kept the mail in an mbox file: the word is the mark, what follows are an address and a time.
  const mbox = /^>?From /.exec(field)?.[0];
  if (mbox !== undefined) return mbox + inBytes(field.slice(mbox.length), standIns, dates);
  if (colon < 1 || !/^[!-9;-~]{1,200}$/.test(bare)) return inBytes(field, standIns, plain);
  const key = bare.toLowerCase();
  const value = field.slice(colon + 1);
  const head = isKnownField(key) ? name : inBytes(name, standIns, keeping({ words: new Set(["x"]) }));
  return `${head}:${replaceValue(key, value, standIns)}`;
}

function replaceValue(key: string, value: string, standIns: StandIns): string {
  if (key === "content-type" || key === "content-disposition") return replaceParameters(value, standIns);
  if (key === "mime-version" || key === "content-transfer-encoding") return inBytes(value, standIns, keeping(mimeKept));
  if (key === "thread-index") return replaceThreadIndex(value, standIns);
  return replaceEncoded(value, standIns, rules.get(key) ?? (isKnownField(key) ? machine : plain));
}

function inBytes(text: string, standIns: StandIns, rule: Rule, charset: string | null = null): string {
  if (text === "") return text;
  const made = replaceInBytes(Buffer.from(text, "latin1"), charset, standIns, (part, fits) =>
    rule(part, { standIns, fits }),
  );
  return made.toString("latin1");
}

const encodedWord = /=\?([^?\s]{1,80})\?([bBqQ])\?([^?]{0,4000}(?:\?(?!=)[^?]{0,4000}){0,50})\?=/g;

/** RFC 2047. Words that follow each other in one charset are one text: some clients cut a letter in two. */
function replaceEncoded(value: string, standIns: StandIns, rule: Rule): string {
  if (!value.includes("=?")) return inBytes(value, standIns, rule);
  let made = "";
  let at = 0;
  let run: RegExpExecArray[] = [];
  const flush = (): void => {
    if (run.length === 0) return;
    made += replaceRun(value, run, standIns, rule);
    const last = run[run.length - 1];
    at = (last?.index ?? 0) + (last?.[0].length ?? 0);
    run = [];
  };
  for (const found of value.matchAll(encodedWord)) {
    const last = run.at(-1);
    const gap = last === undefined ? "" : value.slice(last.index + last[0].length, found.index);
    if (last === undefined || gap.trim() !== "" || last[1]?.toLowerCase() !== found[1]?.toLowerCase()) {
      flush();
      made += unclosed(value.slice(at, found.index), standIns, rule);
      at = found.index;
    }
    run.push(found);
  }
  flush();
  return made + unclosed(value.slice(at), standIns, rule);
}

/** An encoded-word without an end keeps its beginning, by which it is known for one. */
function unclosed(text: string, standIns: StandIns, rule: Rule): string {
  return text
    .split(/(=\?[\w.:-]{1,40}\?[bBqQ]\?)/)
    .map((part, index) => (index % 2 === 1 && charsetKnown(part.slice(2, -3)) ? part : inBytes(part, standIns, rule)))
    .join("");
}

interface Decoded {
  readonly bytes: Buffer;
  refill(made: Buffer): string;
}

function decodedWord(payload: string, encoding: string): Decoded {
  const raw = Buffer.from(payload, "latin1");
  if (encoding.toLowerCase() === "b") {
    const pieces = base64Pieces(raw, () => false);
    return { bytes: pieces.bytes, refill: (made) => refillPieces(raw, pieces, made).toString("latin1") };
  }
  const slots = escaped(raw, 0x3d, false);
  const blanks = Buffer.from(slots.bytes);
  // RFC 2047 §4.2: an underscore is a blank, and none of the letters of a word.
  for (const [index, at] of slots.starts.entries()) if (raw[at] === 0x5f) blanks[index] = 0x20;
  return { bytes: blanks, refill: (made) => refill(raw, { ...slots, bytes: blanks }, made, "=?_ ").toString("latin1") };
}

function replaceRun(value: string, run: readonly RegExpExecArray[], standIns: StandIns, rule: Rule): string {
  const written = run[0]?.[1] ?? "";
  const [charset = ""] = written.split("*");
  const parts = run.map(([, , encoding = "q", payload = ""]) => decodedWord(payload, encoding));
  const whole = Buffer.concat(parts.map(({ bytes }) => bytes));
  const made = replaceInBytes(whole, charset, standIns, (part, fits) => rule(part, { standIns, fits }));
  let from = 0;
  let text = "";
  for (const [index, part] of parts.entries()) {
    const found = run[index];
    const before = run[index - 1];
    if (found === undefined) continue;
    if (before !== undefined) text += value.slice(before.index + before[0].length, found.index);
    const label = charsetKnown(charset) ? written : inBytes(written, standIns, plain);
    text += `=?${label}?${found[2]}?${part.refill(made.subarray(from, from + part.bytes.length))}?=`;
    from += part.bytes.length;
  }
  return text;
}

const parameter = /([^\s;=]{1,80})(\s{0,20}=\s{0,20})("(?:[^"\\]|\\[\s\S]){0,20000}"|[^;\s]*)/g;
const names =
  /^(?:charset|boundary|name|filename|format|delsp|method|type|start|start-info|protocol|micalg|report-type|smime-type|reply-type|profile|access-type|component|size|creation-date|modification-date|read-date|x-[a-z-]{1,20}|id|number|total|version|optinfo|header)$/;

function replaceParameters(value: string, standIns: StandIns): string {
  const from = value.search(/;/);
  if (from === -1) return replaceEncoded(value, standIns, keeping(mimeKept));
  let made = inBytes(value.slice(0, from), standIns, keeping(mimeKept));
  let at = from;
  let boundary = "";
  for (const found of value.slice(from).matchAll(parameter)) {
    const [all, key = "", equals = "", given = ""] = found;
    const start = from + found.index;
    made += replaceEncoded(value.slice(at, start), standIns, keeping(mimeKept));
    const name = key.replace(/\*\d{0,4}\*?$/, "").toLowerCase();
    made += (names.test(name) ? key : inBytes(key, standIns, plain)) + equals;
    if (name === "boundary") {
      // RFC 2231 §3: a value in pieces is one.
      const bare = given.replace(/^"|"$/g, "");
      const put = standIns.boundary(boundary + bare).slice(boundary.length);
      made += given.replace(bare, () => put);
      boundary += bare;
    } else made += replaceGiven(name, key, given, standIns);
    at = start + all.length;
  }
  return made + replaceEncoded(value.slice(at), standIns, keeping(mimeKept));
}

function replaceGiven(name: string, key: string, given: string, standIns: StandIns): string {
  if (name === "charset")
    return charsetKnown(given.replace(/["']/g, "")) ? given : inBytes(given, standIns, keeping(mimeKept));
  if (name === "name" || name === "filename") {
    if (!key.endsWith("*")) return replaceEncoded(given, standIns, fileName);
    const [, charset = "", mark = "", rest = given] = /^("?[^'"]{0,60})('[^']{0,40}')([\s\S]*)$/.exec(given) ?? [];
    const label = charset.replace(/"/g, "");
    const raw = Buffer.from(rest, "latin1");
    const slots = escaped(raw, 0x25, false);
    const made = replaceInBytes(slots.bytes, label || null, standIns, (part, fits) =>
      fileName(part, { standIns, fits }),
    );
    const kept = label === "" || charsetKnown(label) ? charset : inBytes(charset, standIns, plain);
    const language = /^'(?:[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3})?'$/.test(mark)
      ? mark
      : inBytes(mark, standIns, plain);
    return kept + language + refill(raw, slots, made, "%'\"; ").toString("latin1");
  }
  if (name === "start" || name === "id") return inBytes(given, standIns, plain);
  return replaceEncoded(given, standIns, name.endsWith("date") ? dates : keeping(mimeKept));
}

const fileName: Rule = (text, words) => replaceFileName(text, words);

/** [MS-OXOMSG] 2.2.1.3: its first 22 bytes are the conversation's, and go together. */
const threadIndexBytes = 22;

function replaceThreadIndex(value: string, standIns: StandIns): string {
  const raw = Buffer.from(value, "latin1");
  const pieces = base64Pieces(raw, () => false);
  const head = pieces.bytes.subarray(0, threadIndexBytes);
  const tail = pieces.bytes.subarray(threadIndexBytes);
  const made = Buffer.concat([standIns.bytes(head, "thread"), standIns.bytes(tail, "answer")]);
  return refillPieces(raw, pieces, made).toString("latin1");
}
