/** Decodes base64 (RFC 2045 §6.8) that may have stray characters in it, several pieces in a row, and a footer behind it, or be none at all. */
import type { TransferDecoder } from "../transfer.ts";
import { scratch } from "./scratch.ts";

const skip = 0x40;
const padding = 0x80;
const illegal = 0xc0;
const table = new Uint8Array(256).fill(illegal);
for (const [index, char] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].entries()) {
  table[char.charCodeAt(0)] = index;
}
for (const char of " \t\r\n") table[char.charCodeAt(0)] = skip;
table[0x3d] = padding;

const lf = 0x0a;
/**
 * Some encoders work in pieces, each with padding of its own. A line this long of nothing but base64 is no footer, and neither is a shorter one
 * with padding, or behind a piece that went on: the last of them holds what was left.
 */
const leastPieceChars = 20;
const maxLineBytes = 1000;
const wholeLine = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$/;

/**
 * What calls itself base64 and begins with a line of prose was never encoded: it is passed on as it stands. The line is looked at
 * whole, or as far as a line may go, so that the answer does not depend on how the bytes are cut.
 */
export function base64Decoder(): TransferDecoder {
  const decoder = encodedDecoder();
  let firstLine: number[] | undefined = [];
  let unencoded = false;

  /** Answers where in `bytes` the first line that holds anything has ended. */
  function readFirstLine(line: number[], bytes: Uint8Array): number {
    let at = 0;
    if (line.length === 0) while (at < bytes.length && table[bytes[at] ?? 0] === skip) at++;
    while (at < bytes.length) {
      const byte = bytes[at++] ?? 0;
      line.push(byte);
      if (byte !== lf && line.length < maxLineBytes) continue;
      firstLine = undefined;
      unencoded = isProse(Buffer.from(line).toString("latin1").trim());
      break;
    }
    return at;
  }

  return {
    push(bytes) {
      if (firstLine === undefined) return unencoded ? bytes : decoder.push(bytes);
      const line = firstLine;
      const at = readFirstLine(line, bytes);
      if (firstLine !== undefined) return scratch.subarray(0, 0);
      const whole = Buffer.concat([Buffer.from(line), bytes.subarray(at)]);
      return unencoded ? whole : decoder.push(whole);
    },
    end() {
      if (firstLine === undefined) return unencoded ? scratch.subarray(0, 0) : decoder.end();
      const line = Buffer.from(firstLine);
      unencoded = isProse(line.toString("latin1").trim());
      if (unencoded) return line;
      const decoded = Buffer.from(decoder.push(line));
      return Buffer.concat([decoded, decoder.end()]);
    },
    get trailer() {
      return decoder.trailer;
    },
    get unencoded() {
      return unencoded;
    },
  };
}

/** Blanks between words are the sign, except in a line that was wrapped, whose pieces are long or end in padding. */
export function isProse(line: string): boolean {
  if (line === "") return false;
  const words = line.split(/[ \t]+/);
  if (words.length === 1) return isFooter(line);
  const pieces = words.slice(0, -1).every((word) => word.length >= leastPieceChars);
  return !/^[A-Za-z0-9+/ \t]+={0,2}$/.test(line) || (!line.endsWith("=") && !pieces);
}

function encodedDecoder(): Pick<TransferDecoder, "push" | "end" | "trailer"> {
  /** The characters of a quantum of four that is not full yet. */
  let held = 0;
  let heldChars = 0;
  let atLineStart = true;
  /** A line that has to be seen whole before it is known whether it belongs to the content. */
  let doubtful: number[] | undefined;
  let afterPadding = false;
  let inPieces = false;
  let ended = false;
  let trailer = false;
  let out = 0;

  function closeQuantum(): void {
    if (heldChars === 2) scratch[out++] = held >> 4;
    if (heldChars === 3) {
      scratch[out++] = held >> 10;
      scratch[out++] = held >> 2;
    }
    held = heldChars = 0;
  }

  function decideLine(): void {
    const line = Buffer.from(doubtful ?? [])
      .toString("latin1")
      .trim();
    doubtful = undefined;
    atLineStart = true;
    if (line === "" || /^=+$/.test(line)) return;
    if (afterPadding ? isPiece(line) : !isFooter(line)) {
      inPieces ||= afterPadding;
      const piece = Buffer.from(line.replace(/[^A-Za-z0-9+/=]/g, ""), "base64");
      scratch.set(piece, out);
      out += piece.length;
      afterPadding = line.endsWith("=");
    } else {
      ended = trailer = true;
    }
  }

  const isPiece = (line: string): boolean =>
    (line.length >= leastPieceChars || inPieces || line.endsWith("=")) && wholeLine.test(line);

  function push(bytes: Uint8Array): Uint8Array {
    out = 0;
    for (let at = 0; at < bytes.length && !ended; at++) {
      if (heldChars === 0 && doubtful === undefined && !afterPadding) at = decodeQuanta(bytes, at);
      if (at >= bytes.length) break;
      const byte = bytes[at] ?? 0;
      if (doubtful !== undefined) {
        doubtful.push(byte);
        if (byte === lf || doubtful.length > maxLineBytes) decideLine();
        continue;
      }
      take(byte);
    }
    return scratch.subarray(0, out);
  }

  /** Whole quanta without anything between them, which is nearly everything. Answers where the first other byte stands. */
  function decodeQuanta(bytes: Uint8Array, from: number): number {
    let at = from;
    let to = out;
    for (const last = bytes.length - 4; at <= last; at += 4) {
      const a = table[bytes[at] ?? 0] ?? 0;
      const b = table[bytes[at + 1] ?? 0] ?? 0;
      const c = table[bytes[at + 2] ?? 0] ?? 0;
      const d = table[bytes[at + 3] ?? 0] ?? 0;
      if ((a | b | c | d) & illegal) break;
      scratch[to++] = (a << 2) | (b >> 4);
      scratch[to++] = (b << 4) | (c >> 2);
      scratch[to++] = (c << 6) | d;
    }
    out = to;
    if (at > from) atLineStart = false;
    return at;
  }

  function take(byte: number): void {
    const value = table[byte] ?? illegal;
    if (value === skip) {
      if (byte === lf) atLineStart = true;
      return;
    }
    if (value === padding) {
      closeQuantum();
      afterPadding = true;
      return;
    }
    if (afterPadding || (value === illegal && atLineStart && heldChars === 0)) {
      doubtful = [byte];
      return;
    }
    atLineStart = false;
    // RFC 2045 §6.8: other characters are to be ignored.
    if (value === illegal) return;
    held = (held << 6) | value;
    if (++heldChars < 4) return;
    scratch[out++] = held >> 16;
    scratch[out++] = held >> 8;
    scratch[out++] = held;
    held = heldChars = 0;
  }

  return {
    push,
    end() {
      out = 0;
      if (doubtful !== undefined && !ended) decideLine();
      if (!ended) closeQuantum();
      return scratch.subarray(0, out);
    },
    get trailer() {
      return trailer;
    },
  };
}

/** A line of prose or of dashes; not a line of base64 that was damaged at its beginning. */
export const isFooter = (line: string): boolean =>
  line.startsWith("--") || (line.match(/[^A-Za-z0-9+/=]/g) ?? []).length > Math.min(3, line.length / 4);
