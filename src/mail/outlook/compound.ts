/** Reads a compound file (MS-CFB): storages and streams, as Outlook keeps an item in one. Whatever its tables say, every walk is bounded. */

export interface Storage {
  readonly streams: ReadonlyMap<string, Stream>;
  readonly storages: ReadonlyMap<string, Storage>;
}

/** Read when asked for. */
export interface Stream {
  readonly size: number;
  /** `most` bytes of it; fewer where the file has fewer. */
  read(most: number): Buffer;
}

interface Entry {
  readonly name: string;
  readonly type: number;
  readonly left: number;
  readonly right: number;
  readonly child: number;
  readonly start: number;
  readonly size: number;
}

const magic = Buffer.from("d0cf11e0a1b11ae1", "hex");
const headerBytes = 512;
const entryBytes = 128;
/** Sector numbers above this end a chain, or mark what is no data. */
const lastSector = 0xfffffffa;
const maxEntries = 5000;
const maxDepth = 4;
const types = { storage: 1, stream: 2, root: 5 } as const;

/** Undefined for what is no compound file, or has no root. */
export function openCompound(file: Buffer): Storage | undefined {
  if (file.length < headerBytes || !file.subarray(0, magic.length).equals(magic)) return undefined;
  const shift = file.readUInt16LE(30);
  if (shift !== 9 && shift !== 12) return undefined;
  const sectorBytes = 1 << shift;
  const sectors = Math.floor(file.length / sectorBytes);
  const sector = (number: number): Buffer => file.subarray((number + 1) * sectorBytes, (number + 2) * sectorBytes);
  const next = tableOf(fatSectors(file, sectors, sector), sector, sectorBytes);

  /** The bytes of a chain: no longer than the file, whatever the table says. */
  const chain = (start: number, most: number): Buffer => {
    const pieces: Buffer[] = [];
    let length = 0;
    for (let at = start; at <= lastSector && length < most && pieces.length <= sectors; at = next(at)) {
      const piece = sector(at);
      if (piece.length === 0) break;
      pieces.push(piece);
      length += piece.length;
    }
    return Buffer.concat(pieces).subarray(0, most);
  };

  const entries = entriesIn(chain(file.readUInt32LE(48), maxEntries * entryBytes));
  const root = entries[0];
  if (root === undefined || root.type !== types.root) return undefined;
  const mini = miniStreams(file, chain, root);
  const cutoff = file.readUInt32LE(56);
  const streamOf = ({ start, size }: Entry): Stream => ({
    size,
    read: (most) => (size < cutoff ? mini : chain)(start, Math.min(size, most)),
  });
  return storageOf(root, { entries, seen: new Set([0]), streamOf }, 0);
}

/** Where the allocation table stands: the first 109 sectors in the header, the others in a chain of their own. */
function fatSectors(file: Buffer, sectors: number, sector: (number: number) => Buffer): number[] {
  const found: number[] = [];
  const take = (table: Buffer, from: number, to: number): void => {
    for (let at = from; at + 4 <= to && found.length <= sectors; at += 4) {
      const number = table.readUInt32LE(at);
      if (number <= lastSector) found.push(number);
    }
  };
  take(file, 76, headerBytes);
  let at = file.readUInt32LE(68);
  for (let count = 0; at <= lastSector && count <= sectors; count++) {
    const table = sector(at);
    if (table.length < 8) break;
    take(table, 0, table.length - 4);
    at = table.readUInt32LE(table.length - 4);
  }
  return found;
}

/** The sector that follows one in its chain. */
function tableOf(tables: readonly number[], sector: (number: number) => Buffer, sectorBytes: number) {
  const perSector = sectorBytes / 4;
  return (number: number): number => {
    const table = tables[Math.floor(number / perSector)];
    const bytes = table === undefined ? undefined : sector(table);
    const at = (number % perSector) * 4;
    return bytes === undefined || at + 4 > bytes.length ? 0xffffffff : bytes.readUInt32LE(at);
  };
}

/** Streams below the cutoff stand in pieces of 64 bytes in the stream of the root. */
function miniStreams(file: Buffer, chain: (start: number, most: number) => Buffer, root: Entry) {
  const bytes = 64;
  const all = chain(root.start, root.size);
  const table = chain(file.readUInt32LE(60), file.length);
  return (start: number, most: number): Buffer => {
    const pieces: Buffer[] = [];
    let at = start;
    for (let length = 0; at <= lastSector && length < most; length += bytes) {
      const piece = all.subarray(at * bytes, (at + 1) * bytes);
      if (piece.length === 0) break;
      pieces.push(piece);
      at = at * 4 + 4 > table.length ? 0xffffffff : table.readUInt32LE(at * 4);
    }
    return Buffer.concat(pieces).subarray(0, most);
  };
}

function entriesIn(directory: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at + entryBytes <= directory.length; at += entryBytes) {
    const nameBytes = Math.min(64, directory.readUInt16LE(at + 64));
    entries.push({
      name: directory.toString("utf16le", at, at + Math.max(0, (nameBytes & ~1) - 2)),
      type: directory[at + 66] ?? 0,
      left: directory.readUInt32LE(at + 68),
      right: directory.readUInt32LE(at + 72),
      child: directory.readUInt32LE(at + 76),
      start: directory.readUInt32LE(at + 116),
      size: directory.readUInt32LE(at + 120),
    });
  }
  return entries;
}

interface Directory {
  readonly entries: readonly Entry[];
  /** Each entry has one place; a tree that goes in circles ends where it would come back. */
  readonly seen: Set<number>;
  streamOf(entry: Entry): Stream;
}

function storageOf(parent: Entry, directory: Directory, depth: number): Storage {
  const streams = new Map<string, Stream>();
  const storages = new Map<string, Storage>();
  const left = [parent.child];
  for (let index = left.pop(); index !== undefined; index = left.pop()) {
    const entry = directory.entries[index];
    if (entry === undefined || directory.seen.has(index)) continue;
    directory.seen.add(index);
    left.push(entry.left, entry.right);
    if (entry.type === types.stream) streams.set(entry.name, directory.streamOf(entry));
    if (entry.type === types.storage && depth < maxDepth) {
      storages.set(entry.name, storageOf(entry, directory, depth + 1));
    }
  }
  return { streams, storages };
}
