/** Writes compound files (MS-CFB) for tests: storages as objects, streams as bytes. */

export interface Storages {
  readonly [name: string]: Uint8Array | Storages;
}

interface Entry {
  readonly name: string;
  readonly type: number;
  child: number;
  right: number;
  start: number;
  readonly bytes: Uint8Array;
}

const sectorBytes = 512;
const none = 0xffffffff;
const endOfChain = 0xfffffffe;
/** Streams below this would stand in the mini stream; padding them keeps this file short. */
const cutoff = 4096;

export function compound(root: Storages): Buffer {
  const entries: Entry[] = [];
  const add = (name: string, type: number, bytes: Uint8Array): Entry => {
    const entry = { name, type, child: none, right: none, start: endOfChain, bytes };
    entries.push(entry);
    return entry;
  };
  const fill = (parent: Entry, storages: Storages): void => {
    let before: Entry | undefined;
    for (const [name, value] of Object.entries(storages)) {
      const isStream = value instanceof Uint8Array;
      const entry = add(name, isStream ? 2 : 1, isStream ? padded(value) : new Uint8Array(0));
      const index = entries.indexOf(entry);
      if (before === undefined) parent.child = index;
      else before.right = index;
      before = entry;
      if (!isStream) fill(entry, value);
    }
  };
  fill(add("Root Entry", 5, new Uint8Array(0)), root);
  return written(entries);
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = Buffer.alloc(Math.max(cutoff, bytes.length));
  whole.set(bytes);
  return whole;
}

function written(entries: readonly Entry[]): Buffer {
  const directorySectors = Math.ceil(entries.length / 4);
  const data = entries.map(({ bytes }) => Math.ceil(bytes.length / sectorBytes));
  const total = 1 + directorySectors + data.reduce((sum, one) => sum + one, 0);
  if (total > sectorBytes / 4) throw new RangeError("one table is enough for tests");
  const file = Buffer.alloc((total + 1) * sectorBytes);
  const table = file.subarray(sectorBytes, 2 * sectorBytes).fill(0xff);
  const chain = (start: number, count: number): void => {
    for (let at = 0; at < count; at++)
      table.writeUInt32LE(at === count - 1 ? endOfChain : start + at + 1, (start + at) * 4);
  };
  table.writeUInt32LE(0xfffffffd, 0);
  chain(1, directorySectors);
  let next = 1 + directorySectors;
  for (const [index, entry] of entries.entries()) {
    const sectors = data[index] ?? 0;
    if (sectors === 0) continue;
    entry.start = next;
    file.set(entry.bytes, (next + 1) * sectorBytes);
    chain(next, sectors);
    next += sectors;
  }
  for (const [index, entry] of entries.entries()) writeEntry(file.subarray(2 * sectorBytes + index * 128), entry);
  file.set(Buffer.from("d0cf11e0a1b11ae1", "hex"));
  file.writeUInt16LE(0x3e, 24);
  file.writeUInt16LE(3, 26);
  file.writeUInt16LE(0xfffe, 28);
  file.writeUInt16LE(9, 30);
  file.writeUInt16LE(6, 32);
  file.writeUInt32LE(1, 44);
  file.writeUInt32LE(1, 48);
  file.writeUInt32LE(cutoff, 56);
  file.writeUInt32LE(endOfChain, 60);
  file.writeUInt32LE(endOfChain, 68);
  file.fill(0xff, 76, sectorBytes);
  file.writeUInt32LE(0, 76);
  return file;
}

function writeEntry(into: Buffer, { name, type, child, right, start, bytes }: Entry): void {
  into.write(name, 0, 62, "utf16le");
  into.writeUInt16LE(Math.min(62, name.length * 2) + 2, 64);
  into[66] = type;
  into[67] = 1;
  into.writeUInt32LE(none, 68);
  into.writeUInt32LE(right, 72);
  into.writeUInt32LE(child, 76);
  into.writeUInt32LE(start, 116);
  into.writeUInt32LE(bytes.length, 120);
}
