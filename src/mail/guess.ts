/** What bytes say of their own charset, where nobody says it or the label is wrong. */
import chardet from "chardet";

/**
 * ISO-2022 by its escapes (RFC 1468, RFC 1557): seven-bit text that is Japanese or Korean, often sent without a label. Undefined where
 * there are none.
 */
export function sevenBitCharset(bytes: Uint8Array): "iso-2022-jp" | "iso-2022-kr" | undefined {
  for (let at = bytes.indexOf(esc); at !== -1; at = bytes.indexOf(esc, at + 1)) {
    const [first, second, third] = bytes.subarray(at + 1, at + 4);
    if (first !== dollar) continue;
    if (second === 0x42 || second === 0x40) return "iso-2022-jp";
    if (second === 0x29 && third === 0x43) return "iso-2022-kr";
  }
  return undefined;
}
const esc = 0x1b;
const dollar = 0x24;

const lossy = new TextDecoder("utf-8");
const windows1252 = new TextDecoder("windows-1252");

/** More are no footer and no cut character; each costs three microseconds (800 KB of a picture took three seconds). */
const maxStrays = 20_000;

/**
 * UTF-8 with stray bytes of another charset among it (a footer that a list added, a cut character): each stray byte is read as
 * windows-1252. Undefined where most of it is no UTF-8. Two passes: what is no UTF-8 is not decoded to find that out.
 */
export function mendedUtf8(bytes: Uint8Array, declared: boolean): string | undefined {
  let characters = 0;
  let strays = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = lengthAt(bytes, at);
    if (length > 1) characters++;
    else if (length === 0 && ++strays > maxStrays) return undefined;
    at += length || 1;
  }
  // Two bytes of Chinese or Japanese look like one character of UTF-8 now and then.
  if (characters === 0 || (declared ? characters < strays : characters < 4 * strays)) return undefined;
  const pieces: string[] = [];
  let start = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = lengthAt(bytes, at);
    if (length === 0) {
      pieces.push(lossy.decode(bytes.subarray(start, at)));
      start = at + 1;
      if (isCutOff(bytes, at)) return pieces.join("");
      pieces.push(windows1252.decode(bytes.subarray(at, at + 1)));
    }
    at += length || 1;
  }
  return pieces.join("") + lossy.decode(bytes.subarray(start));
}

const lengthAt = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) < 0x80 ? 1 : sequenceLength(bytes, at));

/** Of the UTF-8 sequence of several bytes that begins at `at` (RFC 3629 §4); 0 when none does. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  const length =
    lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
  for (let i = 1; i < length; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1] ?? 0;
  const overlong = (lead === 0xe0 && second < 0xa0) || (lead === 0xf0 && second < 0x90);
  const beyond = (lead === 0xed && second > 0x9f) || (lead === 0xf4 && second > 0x8f);
  return overlong || beyond ? 0 : length;
}

/** A sequence that the end of the bytes cuts. */
function isCutOff(bytes: Uint8Array, at: number): boolean {
  const lead = bytes[at] ?? 0;
  const wanted = lead >= 0xf0 && lead <= 0xf4 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (wanted === 0 || lead > 0xf4 || at + wanted <= bytes.length) return false;
  return bytes.subarray(at + 1).every((byte) => (byte & 0xc0) === 0x80);
}

/** Below this, chardet guesses among everything (measured: wrong for two characters of Chinese, Japanese or Cyrillic). */
const leastEvidence = 10;
/** Its statistics begin to say something; what fits the code and nothing more, it gives 10. */
const leastConfidence = 20;
const sampleBytes = 8192;

/** A charset that the bytes are likely in, among those that `decode` accepts. */
export function guessed(bytes: Uint8Array, decode: (charset: string) => string | undefined): string | undefined {
  const first = bytes.findIndex((byte) => byte > 0x7f);
  const sample = bytes.subarray(Math.max(0, first - sampleBytes / 4), first + sampleBytes);
  let evidence = 0;
  for (const byte of sample) if (byte > 0x7f) evidence++;
  if (evidence < leastEvidence) return undefined;
  for (const { name, confidence } of chardet.analyse(sample)) {
    if (confidence < leastConfidence) break;
    const charset = name.toLowerCase();
    if (decode(charset) !== undefined) return charset;
  }
  // European text is mostly ASCII letters; this is too short for statistics, but not for the scripts that it would be in.
  return 2 * evidence > sample.length ? eastAsian(decode) : undefined;
}

function eastAsian(decode: (charset: string) => string | undefined): string | undefined {
  for (const charset of ["shift_jis", "euc-jp"]) if (kana.test(decode(charset) ?? "")) return charset;
  if (hangul.test(decode("euc-kr") ?? "")) return "euc-kr";
  return ["gb18030", "big5"].find((charset) => han.test(decode(charset) ?? ""));
}
const kana = /^[^\uff61-\uff9f]*[\u3041-\u30fe][^\uff61-\uff9f]*$/;
const hangul = /^[\p{ASCII}\p{P}\p{Script=Hangul}]+$/u;
const han = /^[\p{ASCII}\p{P}\p{Script=Han}]+$/u;
