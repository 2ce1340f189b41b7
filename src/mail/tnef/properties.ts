/** Walks the MAPI properties of a TNEF attribute (MS-OXTNEF §2.1.3.4): those with bytes or words, the others are stepped over. */

export interface MapiProperty {
  readonly id: number;
  readonly value: Buffer;
  /** UTF-16. */
  readonly unicode: boolean;
  readonly object: boolean;
}

/** Bytes of the types that have a fixed length, as they stand here: padded to four. */
const fixedBytes: ReadonlyMap<number, number> = new Map([
  [0x0001, 0],
  [0x0002, 4],
  [0x0003, 4],
  [0x0004, 4],
  [0x0005, 8],
  [0x0006, 8],
  [0x0007, 8],
  [0x000a, 4],
  [0x000b, 4],
  [0x0014, 8],
  [0x0040, 8],
  [0x0048, 16],
]);
const object = 0x000d;
const unicode = 0x001f;
/** Object, string, Unicode string, bytes: a count, then for each a length and its bytes. */
const counted = new Set([object, 0x001e, unicode, 0x0102]);
const multiple = 0x1000;
const maxProperties = 10_000;

/** Ends without a word where the bytes make no sense: what was found before still counts. */
export function* mapiProperties(bytes: Buffer): Generator<MapiProperty> {
  let at = 4;
  const left = (count: number): boolean => count >= 0 && at + count <= bytes.length;
  const u32 = (): number | undefined => {
    if (!left(4)) return undefined;
    at += 4;
    return bytes.readUInt32LE(at - 4);
  };
  const total = Math.min(bytes.length < 4 ? 0 : bytes.readUInt32LE(0), maxProperties);
  for (let count = 0; count < total; count++) {
    const tag = u32();
    if (tag === undefined) return;
    const id = tag >>> 16;
    if (id >= 0x8000 && !skipName()) return;
    const type = tag & 0x0fff;
    const isMultiple = (tag & multiple) !== 0;
    const fixed = fixedBytes.get(type);
    if (fixed === undefined && !counted.has(type)) return;
    const values = isMultiple || fixed === undefined ? u32() : 1;
    if (values === undefined || values > maxProperties) return;
    for (let index = 0; index < values; index++) {
      const length = fixed ?? u32();
      if (length === undefined || !left(length)) return;
      if (fixed === undefined && index === 0 && id < 0x8000) {
        yield { id, value: bytes.subarray(at, at + length), unicode: type === unicode, object: type === object };
      }
      at += padded(length);
    }
  }

  /** A named property: whose it is, and its number or its name. */
  function skipName(): boolean {
    at += 16;
    const kind = u32();
    const next = u32();
    if (kind === undefined || next === undefined) return false;
    if (kind === 1) at += padded(next);
    return at <= bytes.length;
  }
}

const padded = (length: number): number => Math.ceil(length / 4) * 4;
