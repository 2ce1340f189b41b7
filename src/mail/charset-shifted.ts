/** The seven-bit charsets of East Asia: ISO-2022-KR (RFC 1557) and HZ (RFC 1843), which no library in reach reads, and help for ISO-2022-JP. */
import { TextDecoder } from "node:util";

const korean = new TextDecoder("euc-kr");
const chinese = new TextDecoder("gbk");

export function isShifted(label: string): boolean {
  return label === "iso-2022-kr" || label === "hz-gb-2312" || label === "hz";
}

/** Each is an eight-bit charset with its high bits cut and marks around them: the marks go, the bits come back. U+FFFD for what does not fit. */
export function decodeShifted(bytes: Uint8Array, label: string): string {
  return label === "iso-2022-kr" ? korean.decode(fromKr(bytes)) : chinese.decode(fromHz(bytes));
}

const esc = 0x1b;
const escapeBytes = 3;

/**
 * ISO-2022-JP without the escapes that are followed by another at once: encoded-words that were joined have them, and so have mails of
 * old clients; WHATWG's decoder takes each for an error.
 */
export function withoutIdleEscapes(bytes: Uint8Array): Uint8Array {
  let out: Uint8Array | undefined;
  let length = 0;
  let from = 0;
  for (let at = bytes.indexOf(esc); at !== -1; at = bytes.indexOf(esc, at + escapeBytes)) {
    if (bytes[at + escapeBytes] !== esc) continue;
    out ??= new Uint8Array(bytes.length);
    out.set(bytes.subarray(from, at), length);
    length += at - from;
    from = at + escapeBytes;
  }
  if (out === undefined) return bytes;
  out.set(bytes.subarray(from), length);
  return out.subarray(0, length + bytes.length - from);
}

const shiftOut = 0x0e;
const shiftIn = 0x0f;
const lf = 0x0a;

function fromKr(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let length = 0;
  let high = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === esc && bytes[at + 1] === 0x24 && bytes[at + 2] === 0x29 && bytes[at + 3] === 0x43) {
      at += 3;
    } else if (byte === shiftOut) {
      high = 0x80;
    } else if (byte === shiftIn) {
      high = 0;
    } else {
      // RFC 1557: a line ends in ASCII.
      if (byte === lf) high = 0;
      out[length++] = byte > 0x20 ? byte | high : byte;
    }
  }
  return out.subarray(0, length);
}

const tilde = 0x7e;

function fromHz(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let length = 0;
  let high = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    const next = bytes[at + 1];
    if (byte === tilde && next === 0x7b) {
      high = 0x80;
      at++;
    } else if (byte === tilde && next === 0x7d) {
      high = 0;
      at++;
    } else if (byte === tilde && high === 0 && next === tilde) {
      out[length++] = tilde;
      at++;
    } else if (byte === tilde && high === 0 && next === lf) {
      // RFC 1843: a tilde before a line end joins two lines.
      at++;
    } else {
      if (byte === lf) high = 0;
      out[length++] = byte > 0x20 ? byte | high : byte;
    }
  }
  return out.subarray(0, length);
}
