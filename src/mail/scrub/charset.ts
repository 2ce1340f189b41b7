/** Lets text be replaced inside its bytes: whatever charset they are in, as many come out as went in. */
import { isAscii } from "node:buffer";
import iconv from "iconv-lite";
import { decodeBody } from "../charset.ts";
import type { Fits, StandIns } from "./stand-in.ts";

/** What replaces the letters and digits of a text; every other character has to come out as it went in. */
export type Replace = (text: string, fits: Fits) => string;

interface Codec {
  readonly name: string;
  decode(bytes: Buffer): string;
  encode(text: string): Buffer;
}

/** Bytes that are no character in UTF-8, each as one character of those that nobody uses. */
const strays = 0xf700;

export function replaceInBytes(bytes: Buffer, charset: string | null, standIns: StandIns, replace: Replace): Buffer {
  if (bytes.length === 0) return bytes;
  const wide = wideSet(bytes, charset);
  if (wide === undefined && isAscii(bytes) && !bytes.includes(0x1b) && !bytes.includes("~{")) {
    return Buffer.from(replace(bytes.toString("latin1"), none), "latin1");
  }
  const used = wide ?? decodeBody(bytes, charset).used;
  const shifted = shiftedSets[used];
  if (shifted !== undefined) return inShifted(bytes, shifted, standIns, replace);
  for (const codec of [iconv.encodingExists(used) ? codecNamed(used) : undefined, patchwork, single]) {
    if (codec === undefined) continue;
    const text = codec.decode(bytes);
    if (!codec.encode(text).equals(bytes)) continue;
    const made = codec.encode(strayed(replace(text, fitting(codec)), codec, standIns));
    if (made.length === bytes.length) return made;
  }
  // `single` always fits: a byte is a character, and stays one.
  return Buffer.alloc(bytes.length, "x");
}

/** Two bytes and more for each letter: a letter of ASCII has zeroes beside it, and a text of such letters looks like ASCII. */
function wideSet(bytes: Buffer, charset: string | null): string | undefined {
  const label = /^"?(?:x-)?(utf-?(?:16|32)|iso-10646-ucs-?[24]|ucs-?[24])-?([bl]e)?"?$/i.exec(charset?.trim() ?? "");
  const start = bytes.toString("hex", 0, 4);
  const marks = /^(?:feff|0000feff)/.test(start) ? "be" : start.startsWith("fffe") ? "le" : undefined;
  if (label === null && marks === undefined) return undefined;
  const four = label === null ? /0000feff|fffe0000/.test(start) : /32|4$/.test(label[1] ?? "");
  return `${four ? "utf-32" : "utf-16"}${marks ?? label?.[2]?.toLowerCase() ?? likelierEnd(bytes)}`;
}

function likelierEnd(bytes: Buffer): "be" | "le" {
  const zeroes = [0, 0];
  for (const [at, byte] of bytes.subarray(0, 2_000).entries())
    if (byte === 0) zeroes[at % 2] = (zeroes[at % 2] ?? 0) + 1;
  return (zeroes[0] ?? 0) > (zeroes[1] ?? 0) ? "be" : "le";
}

const none: Fits = () => [];

function codecNamed(name: string): Codec {
  return {
    name,
    decode: (bytes) => iconv.decode(bytes, name, { stripBOM: false }),
    encode: (text) => iconv.encode(text, name, { addBOM: false }),
  };
}

/** UTF-8 as far as it goes, and single bytes between. */
const patchwork: Codec = {
  name: "utf-8",
  decode(bytes) {
    let text = "";
    for (let at = 0; at < bytes.length; ) {
      const length = sequence(bytes, at);
      if (length === 0) text += String.fromCharCode(strays + (bytes[at] ?? 0));
      else text += bytes.toString("utf8", at, at + length);
      at += Math.max(1, length);
    }
    return text;
  },
  encode: (text) =>
    Buffer.concat(
      text
        .split(/([\uf780-\uf7ff])/)
        .map((piece) =>
          /^[\uf780-\uf7ff]$/.test(piece) ? Buffer.of(piece.charCodeAt(0) - strays) : Buffer.from(piece),
        ),
    ),
};

/** Each byte for itself. */
const single: Codec = {
  name: "bytes",
  decode: (bytes) =>
    bytes.toString("latin1").replace(/[\x80-\xff]/g, (byte) => String.fromCharCode(strays + byte.charCodeAt(0))),
  encode: (text) =>
    Buffer.from(
      text.replace(/[\uf780-\uf7ff]/g, (stray) => String.fromCharCode(stray.charCodeAt(0) - strays)),
      "latin1",
    ),
};

/** How many bytes the UTF-8 sequence has that begins there; 0 where none does. */
function sequence(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > bytes.length) return 0;
  const text = bytes.toString("utf8", at, at + length);
  return text.includes("\ufffd") || Buffer.byteLength(text) !== length ? 0 : length;
}

function strayed(text: string, codec: Codec, standIns: StandIns): string {
  if (codec !== patchwork && codec !== single) return text;
  return text.replace(/[\uf780-\uf7ff]/g, (stray) =>
    String.fromCharCode(strays + standIns.stray(stray.charCodeAt(0) - strays)),
  );
}

const letterKinds = [/^\p{Lu}$/u, /^\p{Ll}$/u, /^\p{L}$/u, /^\p{Nd}$/u, /^\p{M}$/u];
/** Letters of one writing lie side by side. */
const neighbours = 64;
const mostChoices = 2_000;
const choices = new Map<string, readonly string[]>();

/** The letters near to it, of its kind, that the charset has in as many bytes. */
function fitting(codec: Codec): Fits {
  return (letter) => {
    const name = `${codec.name}\0${letter}`;
    const known = choices.get(name);
    if (known !== undefined) return known;
    const kind = letterKinds.find((pattern) => pattern.test(letter));
    const code = letter.codePointAt(0) ?? 0;
    const first = code - (code % neighbours);
    const bytes = codec.encode(letter).length;
    const found = Array.from({ length: neighbours }, (_, at) => String.fromCodePoint(first + at)).filter(
      (other) =>
        other !== letter &&
        other > "\x7f" &&
        kind?.test(other) === true &&
        other.normalize("NFC") === other &&
        other.toLowerCase().length === other.length &&
        codec.encode(other).length === bytes &&
        codec.decode(codec.encode(other)) === other,
    );
    if (choices.size >= mostChoices) choices.clear();
    choices.set(name, found);
    return found;
  };
}

/** The seven-bit charsets of East Asia: pairs of an eight-bit one with the high bits cut, between marks. */
const shiftedSets: Readonly<Record<string, { readonly set: string; readonly run: RegExp }>> = Object.assign(
  Object.create(null),
  {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what marks these charsets
    "iso-2022-jp": { set: "euc-jp", run: /(\x1b\$[@B]|\x1b\$\(D)([!-~\s]+)/g },
    // biome-ignore lint/suspicious/noControlCharactersInRegex: and shifts
    "iso-2022-kr": { set: "cp949", run: /(\x0e)([!-~\s]+)/g },
    "hz-gb-2312": { set: "gb2312", run: /(~\{)((?:(?!~\})[!-~])+)/g },
    hz: { set: "gb2312", run: /(~\{)((?:(?!~\})[!-~])+)/g },
  },
);

function inShifted(
  bytes: Buffer,
  { set, run }: { readonly set: string; readonly run: RegExp },
  standIns: StandIns,
  replace: Replace,
): Buffer {
  const text = bytes.toString("latin1");
  let made = "";
  let at = 0;
  const plain = (to: number): string =>
    single
      .encode(strayed(replace(single.decode(Buffer.from(text.slice(at, to), "latin1")), none), single, standIns))
      .toString("latin1");
  for (const found of text.matchAll(run)) {
    const [whole, mark = "", pairs = ""] = found;
    made += keepEscapes(text.slice(at, found.index), plain(found.index)) + mark;
    // What programs cut into lines goes on in the next one: nothing says that the pairs are over.
    for (const piece of pairs.split(/(\s+)/))
      made += /^\s/.test(piece)
        ? piece
        : inPairs(Buffer.from(piece, "latin1"), codecNamed(set), replace).toString("latin1");
    at = found.index + whole.length;
  }
  made += keepEscapes(text.slice(at), plain(text.length));
  return Buffer.from(made, "latin1");
}

/** The letters of an escape sequence are no text. */
function keepEscapes(before: string, after: string): string {
  let made = "";
  let at = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
  for (const { index, 0: mark } of before.matchAll(/\x1b(?:\$\)[A-C]|\$[@A-C]|\$\([A-D]|\([BIJ])/g)) {
    made += after.slice(at, index) + mark;
    at = index + mark.length;
  }
  return made + after.slice(at);
}

function inPairs(pairs: Buffer, codec: Codec, replace: Replace): Buffer {
  const high = Buffer.from(pairs.map((byte) => byte | 0x80));
  const text = codec.decode(high);
  if (codec.encode(text).equals(high)) {
    const made = codec.encode(replace(text, fitting(codec)));
    if (made.length === pairs.length && made.every((byte) => byte > 0xa0))
      return made.map((byte) => byte & 0x7f) as Buffer;
  }
  // No text of this charset: of two bytes both go.
  return pairs.map((byte) => 0x30 + ((byte * 7) % 0x40)) as Buffer;
}

/** Whether a label is that of a charset, and says nothing else. */
export const charsetKnown = (label: string): boolean =>
  label.length <= 40 &&
  /^[\w.:+-]+$/.test(label) &&
  (iconv.encodingExists(label) ||
    /^(?:iso-2022-(?:jp|kr)|hz(?:-gb-2312)?|utf-?7|unicode-1-1-utf-7|x-[a-z0-9-]{2,12}|unknown(?:-8bit)?)$/i.test(
      label,
    ));
