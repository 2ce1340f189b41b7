/** Decodes header text: encoded-words (RFC 2047) in all their damage, the raw eight-bit bytes around them; and makes it fit for one line. */
import { type Decoded, decodeLabelled, decodeRaw, isUtf7 } from "./charset.ts";

export interface DecodedWords extends Decoded {
  /** `bad_encoded_word`: one was not closed, or held another. `utf7`: one is in UTF-7, and stays as it is. */
  readonly marks: readonly string[];
}

/**
 * How an encoded-word begins. RFC 2231 §5 adds a language after the charset; quotes and blanks around the charset, and no charset at all,
 * are sent too.
 */
const opening = /=\?[ \t]{0,2}"?([^?*\s"]{0,60})"?(?:\*[^?\s]{0,40})?[ \t]{0,2}\?[ \t]{0,2}([bBqQ])[ \t]{0,2}\?/g;
const onlyBlanks = /^[\t\r\n ]*$/;

interface Word {
  readonly charset: string;
  readonly bytes: Buffer;
  readonly start: number;
  /** The position behind it. */
  readonly end: number;
  readonly damaged: boolean;
}

const noMarks: readonly string[] = [];

/** `raw` is a latin1 string, unfolded. `hint` is the charset of the body. Control characters are left to the caller (`clean`). */
export function decodeWords(raw: string, hint?: string): DecodedWords {
  if (!raw.includes("=?")) return { ...decodeRaw(raw, hint), marks: noMarks };
  const pass = decodePass(raw, hint);
  if (!isWholeWord(pass.text)) return pass;
  // A gateway encoded what was encoded already. Once more, and no further.
  const inner = decodePass(Buffer.from(pass.text, "utf8").toString("latin1"), "utf-8");
  return {
    ...inner,
    guessed: inner.guessed || pass.guessed,
    marks: [...new Set([...pass.marks, ...inner.marks, bad])],
  };
}

const bad = "bad_encoded_word";

const isWholeWord = (text: string): boolean =>
  text.startsWith("=?") && /^(?:=\?[^?\s]{1,60}\?[bBqQ]\?[^?\s]*\?=[ \t]*)+$/.test(text);

function decodePass(raw: string, hint?: string): DecodedWords {
  let text = "";
  let guessed = false;
  const marks = new Set<string>();
  let last = 0;
  let run: { charset: string; bytes: Buffer[] } | undefined;
  const take = (decoded: Decoded): void => {
    text += decoded.text;
    guessed ||= decoded.guessed;
  };
  const flush = (): void => {
    if (run !== undefined) {
      const utf7 = isUtf7(run.charset);
      if (utf7) marks.add("utf7");
      const decoded = decodeLabelled(Buffer.concat(run.bytes), run.charset);
      take(utf7 ? { ...decoded, guessed: false } : decoded);
    }
    run = undefined;
  };
  for (const word of words(raw)) {
    const between = raw.slice(last, word.start);
    // RFC 2047 §6.2: blanks between two encoded-words are not shown.
    if (run === undefined || !onlyBlanks.test(between)) {
      flush();
      if (between !== "") take(decodeRaw(between, hint));
    }
    // Words of one charset are joined before they are decoded: senders cut characters in two, against §5.
    if (run !== undefined && run.charset !== word.charset) flush();
    run ??= { charset: word.charset, bytes: [] };
    run.bytes.push(word.bytes);
    if (word.damaged) marks.add(bad);
    last = word.end;
  }
  flush();
  const rest = raw.slice(last);
  if (rest !== "") take(decodeRaw(rest, hint));
  return { text, guessed, marks: marks.size === 0 ? noMarks : [...marks] };
}

/** One pass: each "?=" is looked for once, and no word reaches beyond the beginning of the next. */
function* words(raw: string): Generator<Word> {
  let closing = -2;
  /** Words within words leave a "?=" behind that closes nothing. */
  let open = 0;
  const openings = raw.matchAll(opening);
  let next = openings.next();
  while (next.done !== true) {
    const [whole, charset = "", encoding = ""] = next.value;
    const start = next.value.index;
    const from = start + whole.length;
    next = openings.next();
    const limit = next.done === true ? raw.length : next.value.index;
    if (closing !== -1 && closing < from) closing = raw.indexOf("?=", from);
    const quoted = encoding === "q" || encoding === "Q";
    if (quoted) closing = behindHex(raw, closing, limit);
    const closed = closing !== -1 && closing + 2 <= limit;
    let end = closed ? closing + 2 : limit;
    const payload = closed ? raw.slice(from, closing) : unclosedPayload(raw.slice(from, limit), quoted);
    if (!closed && payload === "") open++;
    if (!closed) end = from + payload.length + (raw[from + payload.length] === "?" ? 1 : 0);
    else if (open > 0 && raw.startsWith("?=", end)) {
      open--;
      end += 2;
    }
    const bytes = quoted ? fromQ(payload) : fromB(payload);
    yield { charset: charset.toLowerCase(), bytes, start, end, damaged: !closed || open > 0 };
  }
}

/** "?=20" within Q is a question mark that should have been encoded, and a blank that was: the word goes on to a later "?=". */
function behindHex(raw: string, closing: number, limit: number): number {
  for (let at = closing; at !== -1 && at < limit; at = raw.indexOf("?=", at + 2)) {
    if (!/^[0-9A-Fa-f]{2}$/.test(raw.slice(at + 2, at + 4))) return at;
  }
  return closing;
}

/** Of a word that is never closed: all that can belong to it. */
function unclosedPayload(rest: string, quoted: boolean): string {
  const taken = quoted ? rest : (/^[A-Za-z0-9+/=_-]*/.exec(rest)?.[0] ?? "");
  const bare = taken.replace(/[\t ]+$/, "");
  return bare.endsWith("?") ? bare.slice(0, -1) : bare;
}

/** Padding in the middle is where two words were put together: Buffer would shift every bit behind it. */
function fromB(payload: string): Buffer {
  const cut = payload.indexOf("=");
  if (cut === -1 || /^[=\s]*$/.test(payload.slice(cut))) return Buffer.from(payload, "base64");
  return Buffer.concat(payload.split(/=+/).map((piece) => Buffer.from(piece, "base64")));
}

const underscore = 0x5f;
const equals = 0x3d;

function fromQ(payload: string): Buffer {
  const bytes = Buffer.from(payload, "latin1");
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    const high = byte === equals ? hexValue(bytes[at + 1]) : -1;
    const low = high === -1 ? -1 : hexValue(bytes[at + 2]);
    if (low !== -1) {
      bytes[length++] = 16 * high + low;
      at += 2;
    } else {
      bytes[length++] = byte === underscore ? 0x20 : byte;
    }
  }
  return bytes.subarray(0, length);
}

function hexValue(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

const printable = /^[ -~]*$/;
const onlyAscii = /^\p{ASCII}*$/u;
const unprintable = /[\p{Cc}\u2028\u2029]+/gu;
/** A tab is a blank, and NUL has a code of its own. */
const telling = /[^\P{Cc}\t\0]|[\u2028\u2029]/u;
/** Marks, embeddings, overrides and isolates of UAX #9: "gpj.exe" is shown as "exe.jpg" by one of them. */
const bidi = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;

/**
 * For one-line values: C0, C1 and line separators become a space, bidi controls go, lone surrogates become U+FFFD, the rest is NFC.
 * `note` is told what was removed: `nul_removed`, `controls_removed`, `bidi_removed`.
 */
export function clean(text: string, note?: (code: string) => void): string {
  if (printable.test(text)) return text.trim();
  if (note !== undefined) {
    if (text.includes("\0")) note("nul_removed");
    if (telling.test(text)) note("controls_removed");
    if (text.search(bidi) !== -1) note("bidi_removed");
  }
  return composed(text.replace(unprintable, " ").replace(bidi, "").trim());
}

/** UAX #15 §13 (Stream-Safe Text): no writing has more combining marks on one character. */
const endlessMarks = /\p{M}{31}/u;

/**
 * Well-formed, in NFC. Text that heaps marks up stays as it is: putting them into order costs the square of their number, and a body of
 * nothing else took minutes.
 */
export function composed(text: string): string {
  if (onlyAscii.test(text)) return text;
  const wellFormed = text.toWellFormed();
  return endlessMarks.test(wellFormed) ? wellFormed : wellFormed.normalize("NFC");
}
