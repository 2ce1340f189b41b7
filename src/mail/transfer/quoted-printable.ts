/** Decodes quoted-printable (RFC 2045 §6.7); what is no valid escape stays as it was written. */
import type { TransferDecoder } from "../transfer.ts";
import { scratch } from "./scratch.ts";

const lf = 0x0a;
const cr = 0x0d;
const space = 0x20;
const tab = 0x09;
const equals = 0x3d;
/** Blanks before a line end were added on the way, and go. More than this in a row are content, however they end. */
const maxBlanks = 4096;
const special = new Uint8Array(256);
for (const byte of [lf, cr, space, tab, equals]) special[byte] = 1;
const hex = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  hex[digit.toString(16).charCodeAt(0)] = digit;
  hex[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

export function quotedPrintableDecoder(): TransferDecoder {
  /** Blanks and CR that may belong to a line end. */
  const held: number[] = [];
  /** An escape that is not whole yet: `=`, `=A`, or `=` and blanks. */
  let pending: number[] = [];
  let out = 0;

  function release(bytes: number[]): void {
    for (const byte of bytes) scratch[out++] = byte;
    bytes.length = 0;
  }

  function takePlain(byte: number): void {
    if (byte === lf) {
      const hasCr = held.at(-1) === cr;
      held.length = 0;
      if (hasCr) scratch[out++] = cr;
      scratch[out++] = lf;
    } else if (byte === space || byte === tab || byte === cr) {
      // A CR that no LF follows is content, and so are the blanks before it.
      if (held.at(-1) === cr || held.length >= maxBlanks) release(held);
      held.push(byte);
    } else {
      release(held);
      if (byte === equals) pending = [byte];
      else scratch[out++] = byte;
    }
  }

  function takeEscaped(byte: number): void {
    const last = pending.at(-1);
    if (pending.length === 2 && last !== undefined && (hex[last] ?? -1) >= 0 && (hex[byte] ?? -1) >= 0) {
      scratch[out++] = ((hex[last] ?? 0) << 4) | (hex[byte] ?? 0);
      pending = [];
    } else if (pending.length === 1 && (hex[byte] ?? -1) >= 0) {
      pending.push(byte);
    } else if (byte === lf && pending.every((one, index) => index === 0 || (hex[one] ?? -1) < 0)) {
      // A soft line break, with blanks that were added on the way.
      pending = [];
    } else if ((byte === space || byte === tab || byte === cr) && pending.length < 1000 && (hex[last ?? 0] ?? -1) < 0) {
      pending.push(byte);
    } else {
      const [, ...others] = pending;
      pending = [];
      scratch[out++] = equals;
      for (const one of others) takePlain(one);
      takePlain(byte);
    }
  }

  /** What needs no look back: ordinary bytes, a blank between two of them, a whole escape. Answers where something else stands. */
  function takeOrdinary(bytes: Uint8Array, from: number): number {
    let at = from;
    let to = out;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (special[byte] === 0) {
        scratch[to++] = byte;
        continue;
      }
      if (at + 2 >= bytes.length) break;
      const next = bytes[at + 1] ?? 0;
      if (byte === space && special[next] === 0) {
        scratch[to++] = byte;
      } else if (byte === equals && (hex[next] ?? -1) >= 0 && (hex[bytes[at + 2] ?? 0] ?? -1) >= 0) {
        scratch[to++] = ((hex[next] ?? 0) << 4) | (hex[bytes[at + 2] ?? 0] ?? 0);
        at += 2;
      } else break;
    }
    out = to;
    return at;
  }

  return {
    push(bytes) {
      out = 0;
      for (let at = 0; at < bytes.length; at++) {
        if (held.length === 0 && pending.length === 0) {
          at = takeOrdinary(bytes, at);
          if (at >= bytes.length) break;
        }
        const byte = bytes[at] ?? 0;
        if (pending.length > 0) takeEscaped(byte);
        else takePlain(byte);
      }
      return scratch.subarray(0, out);
    },
    end() {
      out = 0;
      // A last "=" is a soft line break whose line end was cut off.
      if (pending.length > 1) release(pending);
      return scratch.subarray(0, out);
    },
    trailer: false,
  };
}
