/** Reaches the bytes behind an encoding, and puts others in their places: nothing moves, and no line gets longer. */

/** A byte, and the characters that it is written with. */
export interface Slots {
  readonly bytes: Buffer;
  /** Where each is written. */
  readonly starts: readonly number[];
  readonly lengths: readonly number[];
}

type Mutable = { bytes: number[]; starts: number[]; lengths: number[] };
const open = (): Mutable => ({ bytes: [], starts: [], lengths: [] });
const closed = ({ bytes, starts, lengths }: Mutable): Slots => ({ bytes: Buffer.from(bytes), starts, lengths });

function put(slots: Mutable, byte: number, start: number, length: number): void {
  slots.bytes.push(byte);
  slots.starts.push(start);
  slots.lengths.push(length);
}

const hexAt = (raw: Buffer, at: number): number => {
  const pair = raw.toString("latin1", at, at + 2);
  return /^[0-9a-f]{2}$/i.test(pair) ? Number.parseInt(pair, 16) : -1;
};

/** `mark` and two hexadecimal digits; `soft`: the mark before a line end is no byte, and goes with it (RFC 2045 §6.7). */
export function escaped(raw: Buffer, mark: number, soft: boolean): Slots {
  const slots = open();
  for (let at = 0; at < raw.length; at++) {
    const byte = raw[at] ?? 0;
    if (byte !== mark) {
      put(slots, byte, at, 1);
      continue;
    }
    const value = hexAt(raw, at + 1);
    if (value >= 0) {
      put(slots, value, at, 3);
      at += 2;
      continue;
    }
    const end = soft ? softBreak(raw, at + 1) : -1;
    if (end >= 0) at = end - 1;
    else put(slots, byte, at, 1);
  }
  return closed(slots);
}

function softBreak(raw: Buffer, from: number): number {
  let at = from;
  while (at < raw.length && (raw[at] === 0x20 || raw[at] === 0x09 || raw[at] === 0x0d)) at++;
  if (at === raw.length) return at;
  return raw[at] === 0x0a ? at + 1 : -1;
}

/** A line end with a blank behind it is no byte (RFC 5545 §3.1). */
export function unfolded(raw: Buffer): Slots {
  const slots = open();
  for (let at = 0; at < raw.length; at++) {
    const lf = raw[at] === 0x0d ? at + 1 : at;
    if (raw[lf] === 0x0a && (raw[lf + 1] === 0x20 || raw[lf + 1] === 0x09)) at = lf + 1;
    else put(slots, raw[at] ?? 0, at, 1);
  }
  return closed(slots);
}

/** Puts `made` where the bytes of `slots` stand. `special`: what must not stand there bare. */
export function refill(raw: Buffer, { bytes, starts, lengths }: Slots, made: Buffer, special: string): Buffer {
  const out = Buffer.from(raw);
  for (let index = 0; index < bytes.length; index++) {
    const start = starts[index] ?? 0;
    const byte = made[index] ?? 0;
    if (byte === bytes[index]) continue;
    if (lengths[index] === 1) out[start] = special.includes(String.fromCharCode(byte)) ? 0x78 : byte;
    else {
      const pair = byte.toString(16).padStart(2, "0");
      const lower = /[a-f]/.test(raw.toString("latin1", start + 1, start + 3));
      out.write(lower ? pair : pair.toUpperCase(), start + 1, "latin1");
    }
  }
  return out;
}

const table = new Int8Array(256).fill(-1);
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
for (const [index, letter] of [...letters].entries()) table[letter.charCodeAt(0)] = index;

/** The characters of base64 of a text, in pieces that end with their padding. */
export interface Pieces {
  readonly bytes: Buffer;
  /** Where the characters stand, one after the other. */
  readonly places: Uint32Array;
  /** How many of them each piece has. */
  readonly sizes: readonly number[];
}

/** `skips`: lines that are no base64, whatever they are. */
export function base64Pieces(raw: Buffer, skips: (line: number) => boolean): Pieces {
  const places = new Uint32Array(raw.length);
  const letters = Buffer.alloc(raw.length);
  const sizes: number[] = [];
  const chunks: Buffer[] = [];
  let from = 0;
  let to = 0;
  let line = 0;
  const close = (): void => {
    if (to === from) return;
    sizes.push(to - from);
    chunks.push(Buffer.from(letters.toString("latin1", from, to), "base64"));
    from = to;
  };
  for (let at = 0, skipped = skips(0); at < raw.length; at++) {
    const byte = raw[at] ?? 0;
    if (byte === 0x0a) skipped = skips(++line);
    else if (skipped) continue;
    else if (byte === 0x3d) close();
    else if ((table[byte] ?? -1) >= 0) {
      places[to] = at;
      letters[to++] = byte;
    }
  }
  close();
  return { bytes: Buffer.concat(chunks), places: places.subarray(0, to), sizes };
}

export function refillPieces(raw: Buffer, { places, sizes }: Pieces, made: Buffer): Buffer {
  const out = Buffer.from(raw);
  let from = 0;
  let place = 0;
  for (const length of sizes) {
    const size = Math.floor((length * 6) / 8);
    const text = Buffer.from(made.toString("base64", from, from + size), "latin1");
    from += size;
    for (let index = 0; index < length; index++) {
      const letter = text[index] ?? 0x3d;
      // A character too many says nothing, and is a letter of somebody's all the same.
      out[places[place++] ?? 0] = letter === 0x3d ? 0x41 : letter;
    }
  }
  return out;
}
