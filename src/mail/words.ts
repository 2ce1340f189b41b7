/** Decodes header text: encoded-words (RFC 2047), and the raw eight-bit bytes that stand between and inside them. */
import { type Decoded, decodeLabelled, decodeRaw } from "./charset.ts";

/** RFC 2231 §5 adds a language after the charset. Blanks inside are wrong, and common in Q words. */
const encodedWord = /=\?([^?*\s]{1,60})(?:\*[^?\s]{0,40})?\?([bBqQ])\?([^?]*)\?=/g;

interface Run {
  charset: string;
  bytes: Buffer[];
}

/** `raw` is a latin1 string, unfolded. Control characters are left to the caller (`clean`). */
export function decodeWords(raw: string): Decoded {
  if (!raw.includes("=?")) return decodeRaw(raw);
  let text = "";
  let guessed = false;
  let last = 0;
  let run: Run | undefined;
  const take = (decoded: Decoded): void => {
    text += decoded.text;
    guessed ||= decoded.guessed;
  };
  const flush = (): void => {
    if (run !== undefined) take(decodeLabelled(Buffer.concat(run.bytes), run.charset));
    run = undefined;
  };
  for (const match of raw.matchAll(encodedWord)) {
    const [whole, charset = "", encoding = "", payload = ""] = match;
    const between = raw.slice(last, match.index);
    // RFC 2047 §6.2: blanks between two encoded-words are not shown.
    if (run === undefined || !/^[\t\r\n ]*$/.test(between)) {
      flush();
      if (between !== "") take(decodeRaw(between));
    }
    // Words of one charset are joined before they are decoded: senders cut characters in two, against §5.
    if (run !== undefined && run.charset !== charset.toLowerCase()) flush();
    run ??= { charset: charset.toLowerCase(), bytes: [] };
    run.bytes.push(encoding === "b" || encoding === "B" ? Buffer.from(payload, "base64") : fromQ(payload));
    last = match.index + whole.length;
  }
  flush();
  const rest = raw.slice(last);
  if (rest !== "") take(decodeRaw(rest));
  return { text, guessed };
}

function fromQ(payload: string): Buffer {
  const plain = payload
    .replaceAll("_", " ")
    .replace(/=([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(plain, "latin1");
}

const unprintable = /[\p{Cc}\u2028\u2029]+/gu;
const onlyAscii = /^\p{ASCII}*$/u;

/** For one-line values: C0, C1 and line separators become a space, lone surrogates U+FFFD, the rest is NFC. */
export function clean(text: string): string {
  return composed(text.replace(unprintable, " ").trim());
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
