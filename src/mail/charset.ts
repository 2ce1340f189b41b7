/** Turns bytes into text: by the declared charset where it holds, else by what the bytes themselves say. */
import { isAscii, isUtf8 } from "node:buffer";
import { TextDecoder } from "node:util";
import iconv from "iconv-lite";
import { decodeShifted, isShifted, withoutIdleEscapes } from "./charset-shifted.ts";
import { guessed, mendedUtf8, sevenBitCharset } from "./guess.ts";

export interface Decoded {
  readonly text: string;
  /** True when the declared charset was missing, unknown or wrong, and another one was taken. */
  readonly guessed: boolean;
}

export interface DecodedBody extends Decoded {
  /** What the bytes were decoded by, in lower case: `windows-1252` for what was declared as iso-8859-1. */
  readonly used: string;
}

interface Codec {
  readonly name: string;
  /** Undefined where the bytes are no text of this charset. */
  strict(bytes: Uint8Array): string | undefined;
  /** U+FFFD for what does not fit. */
  lenient(bytes: Uint8Array): string;
}

/** Labels come from mail: the cache must not grow with them. */
const maxCodecs = 100;
const codecs = new Map<string, Codec | null>();

/** Null for a charset that nobody knows, and for UTF-7, which hides markup from whoever looks for "<". */
function codecFor(label: string): Codec | null {
  const known = codecs.get(label);
  if (known !== undefined) return known;
  const codec = label.length > 60 ? null : (whatwg(label) ?? whatwg(plainLabel(label)) ?? older(plainLabel(label)));
  if (codecs.size < maxCodecs) codecs.set(label, codec);
  return codec;
}

/** Labels that are sent and that neither WHATWG nor iconv-lite knows by these names. */
const aliases: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  ansi: "windows-1252",
  cp932: "shift_jis",
  cp936: "gbk",
  cp949: "euc-kr",
  cp950: "big5",
  "iso-2022-jp-1": "iso-2022-jp",
  "iso-2022-jp-2": "iso-2022-jp",
  "iso-2022-jp-3": "iso-2022-jp",
  "iso-2022-jp-2004": "iso-2022-jp",
  "iso-2022-jp-ms": "iso-2022-jp",
  cp50220: "iso-2022-jp",
  cp50221: "iso-2022-jp",
  utf8mb4: "utf-8",
  "unicode-utf-8": "utf-8",
});

/** `"UTF-8"`, `utf-8;`, `charset=utf-8`: what is left of a parameter that was written wrongly. */
function plainLabel(label: string): string {
  const bare = label.replace(/^["' ]*(?:charset=)?["' ]*|["' ;,]+$/g, "");
  return aliases[bare] ?? bare;
}

/** WHATWG labels: gb2312 is read as gb18030, iso-8859-1 as windows-1252, shift_jis as cp932 and ks_c_5601-1987 as cp949. */
function whatwg(label: string): Codec | null {
  // Its "utf-16" is little-endian whatever the byte order mark says, and its us-ascii is windows-1252.
  if (label === "utf-16" || asciiLabels.has(label)) return null;
  try {
    const strict = new TextDecoder(label, { fatal: true });
    const table = fullerTables[strict.encoding];
    if (table !== undefined) return codecOf(strict.encoding, (bytes) => iconv.decode(Buffer.from(bytes), table));
    const lenient = new TextDecoder(label);
    const prepared = strict.encoding === "iso-2022-jp" ? withoutIdleEscapes : (bytes: Uint8Array) => bytes;
    return {
      name: strict.encoding,
      strict(bytes) {
        try {
          return strict.decode(prepared(bytes));
        } catch {
          return undefined;
        }
      },
      lenient: (bytes) => lenient.decode(prepared(bytes)),
    };
  } catch {
    // RangeError: not a label that WHATWG knows.
    return null;
  }
}

/** Node's own know neither the syllables of cp949 beyond EUC-KR nor the characters of Hong Kong, which WHATWG has in these two. */
const fullerTables: Readonly<Record<string, string>> = { "euc-kr": "cp949", big5: "big5hkscs" };

const asciiLabels = new Set(["us-ascii", "ascii", "ansi_x3.4-1968", "ansi_x3.4-1986", "iso646-us", "iso_646.irv:1991"]);
/** iconv-lite's own transfer encodings are no charsets. */
const noCharset = /utf7|^base64$|^hex$|^binary$|^internal/;

function older(label: string): Codec | null {
  if (asciiLabels.has(label)) {
    const lenient = (bytes: Uint8Array) => latin1(bytes).replace(/[\x80-\xff]/g, "\ufffd");
    return { name: "us-ascii", strict: (bytes) => (isAscii(bytes) ? latin1(bytes) : undefined), lenient };
  }
  if (isShifted(label)) return codecOf(label, (bytes) => decodeShifted(bytes, label));
  if (noCharset.test(label.replace(/[^a-z0-9]/g, "")) || label === "" || !iconv.encodingExists(label)) return null;
  // iconv-lite reads past what is no letter or digit in a label; the event does not repeat it.
  const name = label.replace(/[^a-z0-9-]/g, "").replace(/^-+/, "");
  return codecOf(name, (bytes) => iconv.decode(Buffer.from(bytes), label));
}

function codecOf(name: string, lenient: (bytes: Uint8Array) => string): Codec {
  const strict = (bytes: Uint8Array) => {
    const text = lenient(bytes);
    return text.includes("\ufffd") ? undefined : text;
  };
  return { name, strict, lenient };
}

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
const utf8 = new TextDecoder("utf-8");
const windows1252 = new TextDecoder("windows-1252");

/** Decodes by a declared charset; undefined when it is unknown, refused or does not fit the bytes. */
export function decodeStrictly(bytes: Uint8Array, label: string): string | undefined {
  const codec = codecFor(label.trim().toLowerCase());
  return codec === null ? undefined : fitting(bytes, codec)?.text;
}

/** C1 controls, which no text has (NEL aside): what these bytes mean in another charset is a quotation mark, or half a character. */
const controls = /[\x80-\x84\x86-\x9f]/;

function fitting(bytes: Uint8Array, codec: Codec): DecodedBody | undefined {
  const ascii = isAscii(bytes);
  // Seven bits under any label may be ISO-2022: of what is said to be something else, only the bytes know.
  if (ascii && !codec.name.startsWith("iso-2022") && sevenBitCharset(bytes) !== undefined) return undefined;
  const text = codec.strict(bytes);
  if (text === undefined) return undefined;
  if (!ascii && codec.name !== "utf-8" && controls.test(text)) return undefined;
  // Everything is windows-1252. But "Ã¼" is UTF-8 whose label is wrong: no language has these pairs of letters and nothing else.
  if (codec.name === "windows-1252" && !ascii && isUtf8(bytes)) return undefined;
  return { text, used: codec.name, guessed: false };
}

/**
 * The text of a body, by its declared charset where that holds. Else, and then `guessed` is true: UTF-8, the declared charset with a few
 * bytes that do not fit, what chardet sees, windows-1252. Bytes in UTF-7 stay as they are (`isUtf7`).
 */
export function decodeBody(bytes: Uint8Array, declared: string | null): DecodedBody {
  const label = declared?.trim().toLowerCase() ?? "";
  // RFC 2045 §5.2: text without a label is us-ascii.
  const codec = codecFor(label === "" ? "us-ascii" : label);
  const fits = codec === null ? undefined : fitting(bytes, codec);
  return fits ?? { ...unfitting(bytes, label, codec), guessed: true };
}

function unfitting(bytes: Uint8Array, label: string, codec: Codec | null): Omit<DecodedBody, "guessed"> {
  const by = (other: string, strict = true): Omit<DecodedBody, "guessed"> | undefined => {
    const found = codecFor(other);
    const text = strict ? found?.strict(bytes) : found?.lenient(bytes);
    return found === null || text === undefined ? undefined : { text, used: found.name };
  };
  const sevenBit = sevenBitCharset(bytes);
  if (sevenBit !== undefined) return by(sevenBit) ?? by(sevenBit, false) ?? asLatin(bytes);
  if (isAscii(bytes)) return { text: latin1(bytes), used: "us-ascii" };
  if (isUtf8(bytes)) return { text: utf8.decode(bytes), used: "utf-8" };
  // Seven-bit Japanese labels are often put on eight-bit Japanese bytes.
  const japanese = label.startsWith("iso-2022-jp") ? (by("shift_jis") ?? by("euc-jp")) : undefined;
  if (japanese !== undefined) return japanese;
  const windows = codec === null ? undefined : windowsTwins[codec.name];
  const twin = windows === undefined ? undefined : by(windows);
  if (twin !== undefined) return twin;
  const mended = mendedUtf8(bytes, label.includes("utf"));
  if (mended !== undefined) return { text: mended, used: "utf-8" };
  if (codec !== null && codec.name !== "utf-8" && codec.name !== "windows-1252") {
    const text = codec.lenient(bytes);
    if (hasFewGaps(text)) return { text, used: codec.name };
  }
  const likely = guessed(bytes, (name) => codecFor(name)?.strict(bytes));
  return (likely === undefined ? undefined : by(likely)) ?? asLatin(bytes);
}

/** What Windows writes under the label of the ISO charset for the same languages. */
const windowsTwins: Readonly<Record<string, string>> = {
  "iso-8859-2": "windows-1250",
  "iso-8859-5": "windows-1251",
  "iso-8859-6": "windows-1256",
  "iso-8859-7": "windows-1253",
  "iso-8859-8": "windows-1255",
  "iso-8859-13": "windows-1257",
  "iso-8859-15": "windows-1252",
};

const asLatin = (bytes: Uint8Array) => ({ text: windows1252.decode(bytes), used: "windows-1252" });

/** A character cut in two at the end of a long text does not make its charset a wrong one. */
function hasFewGaps(text: string): boolean {
  let gaps = 0;
  let others = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0xfffd) gaps++;
    else if (code > 0x7f) others++;
  }
  return others >= 10 * gaps || (gaps === 1 && others > 1 && text.endsWith("\ufffd"));
}

/** UTF-7 is never decoded: what looks like letters may be markup (`+ADw-script+AD4-`). */
export function isUtf7(label: string): boolean {
  return label
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "")
    .includes("utf7");
}

/** Bytes under a label that may be wrong. */
export function decodeLabelled(bytes: Uint8Array, label: string): Decoded {
  return decodeBody(bytes, label);
}

/** Bytes of a header that nobody labelled: UTF-8 where they are UTF-8 (RFC 6532), else what the body is said to be in, else a guess. */
export function decodeUnlabelled(bytes: Uint8Array, hint?: string): Decoded {
  if (isUtf8(bytes) && sevenBitCharset(bytes) === undefined) return { text: utf8.decode(bytes), guessed: false };
  return { text: decodeBody(bytes, hint ?? null).text, guessed: true };
}

const onlyAscii = /^\p{ASCII}*$/u;

/** A latin1 string (one character, one byte) as text. */
export function decodeRaw(raw: string, hint?: string): Decoded {
  if (onlyAscii.test(raw) && !raw.includes("\x1b")) return { text: raw, guessed: false };
  return decodeUnlabelled(Buffer.from(raw, "latin1"), hint);
}
