/** Lists a zip file by its central directory (APPNOTE.TXT 6.3.10) and holds the list against what stands in front of each entry. Unpacks nothing. */

export interface ZipEntry {
  readonly name: string;
  /** The name that readers take who know of Unicode (APPNOTE.TXT §4.6.9), where there is one. */
  readonly alias: string | undefined;
  /** As the directory says it. */
  readonly size: number;
  readonly packedSize: number;
  readonly method: number;
  readonly encrypted: boolean;
  /** The packed bytes; undefined where they are not in this file. */
  readonly packed: Buffer | undefined;
}

export interface ZipList {
  readonly entries: readonly ZipEntry[];
  /** What one reader would take in another way than the next; null where nothing is. */
  readonly damaged: string | null;
  /** Entries that share their bytes: how a small file says that it holds a large one. */
  readonly overlapping: boolean;
  readonly tooMany: boolean;
}

const signature = { local: 0x04034b50, entry: 0x02014b50, end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50 };
const endBytes = 22;
const entryBytes = 46;
const localBytes = 30;
/** A comment is this long at most. */
export const endWithin = endBytes + 0xffff;
/** Gateways and mailing lists add a line end or two to what they take for text. */
const maxTrailing = 64;
/** Behind an entry whose sizes were not known when it was begun. */
const maxDescriptor = 24;

/** Of an end record, and of an entry. */
const ends = ["PK\x05\x06", "PK\x01\x02", "PK\x03\x04"];

interface Directory {
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

/** Where the last end record stands whose comment fits; -1 where there is none. */
export function findEnd(file: Buffer): number {
  const first = Math.max(0, file.length - endWithin - maxTrailing);
  for (let at = file.length - endBytes; at >= first; at--) {
    if (file[at] === 0x50 && file.readUInt32LE(at) === signature.end && fitsEnd(file, at)) return at;
  }
  return -1;
}

function fitsEnd(file: Buffer, at: number): boolean {
  const trailing = file.length - (at + endBytes + file.readUInt16LE(at + 20));
  return trailing >= 0 && trailing <= maxTrailing;
}

/** Throws never; the bytes of the entries are views of `file`. */
export function listZip(file: Buffer, maxEntries: number): ZipList {
  const broken = (damaged: string): ZipList => ({ entries: [], damaged, overlapping: false, tooMany: false });
  const end = findEnd(file);
  if (end === -1) return broken("it has no list at its end");
  const directory = directoryOf(file, end);
  if (typeof directory === "string") return broken(directory);
  if (directory.count > maxEntries) return { entries: [], damaged: null, overlapping: false, tooMany: true };
  const read = entriesOf(file, directory);
  const placed = [...read.placed].sort((a, b) => a.from - b.from);
  let damaged = read.damaged;
  let overlapping = false;
  let behind = 0;
  for (const { from, to } of placed) {
    if (from < behind) overlapping = true;
    else damaged ??= hiddenBetween(file, behind, from);
    behind = Math.max(behind, to);
  }
  if (behind > directory.start) damaged ??= "an entry reaches into the list";
  else damaged ??= hiddenBetween(file, behind, directory.start);
  // Many readers take the last mark of an end there is, whatever its comment says of its length.
  if (ends.some((mark) => file.includes(mark, end + endBytes, "latin1")))
    damaged ??= "another list stands in its comment";
  return { entries: read.entries, damaged, overlapping, tooMany: false };
}

/** A file that is in no list, but that a reader which goes by what it meets would unpack. */
function hiddenBetween(file: Buffer, from: number, to: number): string | null {
  if (from === 0 && to > 0) return "something stands in front of it";
  if (to - from <= maxDescriptor) return null;
  return file.subarray(from, to).includes("PK\x03\x04", 0, "latin1")
    ? "it holds entries that are not in its list"
    : null;
}

function directoryOf(file: Buffer, end: number): Directory | string {
  let count = file.readUInt16LE(end + 10);
  let bytes = file.readUInt32LE(end + 12);
  let offset = file.readUInt32LE(end + 16);
  let stop = end;
  if (file.readUInt16LE(end + 4) !== 0 && file.readUInt16LE(end + 4) !== 0xffff) return "it is a piece of several";
  const at = end - 20;
  if (at >= 0 && file.readUInt32LE(at) === signature.locator64) {
    const record = Number(file.readBigUInt64LE(at + 8));
    if (!(record >= 0 && record + 56 <= at) || file.readUInt32LE(record) !== signature.end64)
      return "its list is not where it says";
    const short = { count, bytes, offset };
    count = Number(file.readBigUInt64LE(record + 32));
    bytes = Number(file.readBigUInt64LE(record + 40));
    offset = Number(file.readBigUInt64LE(record + 48));
    // There are readers that look there only where a number does not fit its short place, and go by the short ones.
    const isOther = (one: number, full: number, long: number): boolean => one !== full && one !== long;
    if (
      isOther(short.count, 0xffff, count) ||
      isOther(short.bytes, 0xffffffff, bytes) ||
      isOther(short.offset, 0xffffffff, offset)
    )
      return "it has two lists";
    stop = record;
  }
  // What stands in front of the whole moves every offset; there are readers that allow for it and readers that do not.
  if (offset + bytes !== stop) return "its list is not where it says";
  return { start: offset, end: stop, count };
}

interface Placed {
  readonly from: number;
  readonly to: number;
}

function entriesOf(file: Buffer, { start, end, count }: Directory) {
  const entries: ZipEntry[] = [];
  const placed: Placed[] = [];
  let damaged: string | null = null;
  let at = start;
  for (let index = 0; index < count; index++) {
    if (at + entryBytes > end || file.readUInt32LE(at) !== signature.entry) {
      damaged = "its list ends too early";
      break;
    }
    const nameBytes = file.readUInt16LE(at + 28);
    const extraBytes = file.readUInt16LE(at + 30);
    const next = at + entryBytes + nameBytes + extraBytes + file.readUInt16LE(at + 32);
    if (next > end) {
      damaged = "its list ends too early";
      break;
    }
    const rawName = file.subarray(at + entryBytes, at + entryBytes + nameBytes);
    const extra = file.subarray(at + entryBytes + nameBytes, at + entryBytes + nameBytes + extraBytes);
    const flags = file.readUInt16LE(at + 8);
    const method = file.readUInt16LE(at + 10);
    const sizes = sizesOf(file, at, extra);
    const local = localOf(file, sizes.offset, rawName, { flags, method });
    if (typeof local === "string") damaged ??= local;
    const from = typeof local === "string" ? undefined : local.data;
    const packed =
      from === undefined || from + sizes.packed > start ? undefined : file.subarray(from, from + sizes.packed);
    if (packed === undefined) damaged ??= "an entry is not where the list says";
    else placed.push({ from: sizes.offset, to: (from ?? 0) + sizes.packed });
    const encrypted = (flags & 1) === 1 || method === 99;
    const alias = aliasIn(extra);
    entries.push({
      name: nameOf(rawName, flags),
      alias,
      size: sizes.size,
      packedSize: sizes.packed,
      method,
      encrypted,
      packed,
    });
    at = next;
  }
  if (at !== end && damaged === null) damaged = "its list goes on behind its end";
  return { entries, placed, damaged };
}

const nameOf = (raw: Buffer, flags: number): string => raw.toString((flags & 0x800) === 0 ? "latin1" : "utf8");

function aliasIn(extra: Buffer): string | undefined {
  for (let field = 0; field + 4 <= extra.length; field += 4 + extra.readUInt16LE(field + 2)) {
    const end = Math.min(extra.length, field + 4 + extra.readUInt16LE(field + 2));
    // A version and a checksum of the other name stand in front of it.
    if (extra.readUInt16LE(field) === 0x7075 && end - field > 9) return extra.toString("utf8", field + 9, end);
  }
  return undefined;
}

/** Numbers that do not fit stand in the extra field (§4.5.3), in this order. */
function sizesOf(file: Buffer, at: number, extra: Buffer) {
  let size = file.readUInt32LE(at + 24);
  let packed = file.readUInt32LE(at + 20);
  let offset = file.readUInt32LE(at + 42);
  for (let field = 0; field + 4 <= extra.length; ) {
    const bytes = extra.readUInt16LE(field + 2);
    if (extra.readUInt16LE(field) === 1) {
      let from = field + 4;
      const end = Math.min(extra.length, from + bytes);
      const long = (short: number): number => {
        if (short !== 0xffffffff || from + 8 > end) return short;
        from += 8;
        return Number(extra.readBigUInt64LE(from - 8));
      };
      size = long(size);
      packed = long(packed);
      offset = long(offset);
      break;
    }
    field += 4 + bytes;
  }
  return { size, packed, offset };
}

/** What stands in front of the bytes of an entry has to say the same as the list. */
function localOf(
  file: Buffer,
  at: number,
  name: Buffer,
  listed: { flags: number; method: number },
): { data: number } | string {
  if (!(at >= 0 && at + localBytes <= file.length) || file.readUInt32LE(at) !== signature.local)
    return "an entry is not where the list says";
  const nameBytes = file.readUInt16LE(at + 26);
  const data = at + localBytes + nameBytes + file.readUInt16LE(at + 28);
  // Directory encryption hides the names in front of the entries (§7.3); then the list is not to be read either.
  if (!file.subarray(at + localBytes, at + localBytes + nameBytes).equals(name))
    return "an entry has another name than the list says";
  if (file.readUInt16LE(at + 8) !== listed.method) return "an entry is packed in another way than the list says";
  if ((file.readUInt16LE(at + 6) & 1) !== (listed.flags & 1))
    return "an entry is encrypted in one place and not in the other";
  return { data };
}
