/** Turns bytes into text: the declared charset where it holds, else what the bytes themselves say. */
import { TextDecoder } from "node:util";
import iconv from "iconv-lite";

export interface Decoded {
  readonly text: string;
  /** True when the declared charset was missing, unknown or wrong, and another one was taken. */
  readonly guessed: boolean;
}

const ascii = /^\p{ASCII}*$/u;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
const windows1252 = new TextDecoder("windows-1252");

/** WHATWG labels, so that gb2312 is read as gbk, iso-8859-1 as windows-1252, shift_jis as cp932 and ks_c_5601-1987 as cp949. */
const decoders = new Map<string, TextDecoder | null>();
/** Labels come from mail: the cache must not grow with them. */
const maxDecoders = 100;

function decoderFor(label: string): TextDecoder | null {
  const known = decoders.get(label);
  if (known !== undefined) return known;
  let decoder: TextDecoder | null = null;
  try {
    decoder = new TextDecoder(label, { fatal: true });
  } catch {
    // RangeError: not a label that WHATWG knows; iconv-lite may.
  }
  if (decoders.size < maxDecoders) decoders.set(label, decoder);
  return decoder;
}

/** Decodes by a declared charset; undefined when it is unknown, refused or does not fit the bytes. */
export function decodeStrictly(bytes: Uint8Array, label: string): string | undefined {
  const name = label.trim().toLowerCase();
  const decoder = decoderFor(name);
  if (decoder !== null) {
    try {
      return decoder.decode(bytes);
    } catch {
      return undefined;
    }
  }
  // UTF-7 hides markup from whoever looks for "<"; base64 and hex are iconv-lite's own, not charsets.
  const bare = name.replace(/[^a-z0-9]/g, "");
  if (/utf7|^base64$|^hex$|^binary$/.test(bare) || name.length > 40 || !iconv.encodingExists(name)) return undefined;
  const text = iconv.decode(Buffer.from(bytes), name);
  return text.includes("\ufffd") ? undefined : text;
}

/** Bytes that nobody labelled, or labelled wrongly: UTF-8 where they are UTF-8 (RFC 6532), else windows-1252, which fits anything. */
export function decodeUnlabelled(bytes: Uint8Array): Decoded {
  try {
    return { text: utf8.decode(bytes), guessed: false };
  } catch {
    return { text: windows1252.decode(bytes), guessed: true };
  }
}

/** Bytes under a label that may be wrong. Seven-bit Japanese labels are often put on eight-bit Japanese bytes. */
export function decodeLabelled(bytes: Uint8Array, label: string): Decoded {
  const declared = decodeStrictly(bytes, label);
  if (declared !== undefined) return { text: declared, guessed: false };
  const alternatives = /iso-2022-jp/i.test(label) ? ["shift_jis", "euc-jp"] : [];
  for (const other of alternatives) {
    const text = decodeStrictly(bytes, other);
    if (text !== undefined) return { text, guessed: true };
  }
  return { text: decodeUnlabelled(bytes).text, guessed: true };
}

/** A latin1 string (one character, one byte) as text. */
export function decodeRaw(latin1: string): Decoded {
  if (ascii.test(latin1)) return { text: latin1, guessed: false };
  return decodeUnlabelled(Buffer.from(latin1, "latin1"));
}
