/** Looks into zip, gzip and tar: every name, the beginning of every file, and what is itself a container whole. */
import { maxEntries, maxHeldBytes, maxRatio, maxUnpackedBytes, ratioFromBytes } from "./budget.ts";
import { hasTarHeader, hasTarSum } from "./contents.ts";
import type { Findings } from "./findings.ts";
import { type Look, lookAtInner } from "./look.ts";
import { executableName, leadsAway, turnsAround } from "./names.ts";
import { lookAtOffice } from "./office.ts";
import { gunzip, inflateWhole } from "./unpack.ts";
import { listZip, type ZipEntry, type ZipList } from "./zip.ts";

const method = { stored: 0, deflated: 8 } as const;

export async function lookAtZip(file: Buffer, depth: number, look: Look): Promise<void> {
  const { found, budget } = look;
  const list = listZip(file, maxEntries);
  if (list.tooMany || !budget.entries(list.entries.length)) {
    found.add("archive_too_many");
    return;
  }
  if (list.overlapping) found.add("archive_bomb", "its entries share their bytes");
  if (list.damaged !== null) found.add("archive_damaged", list.damaged);
  for (const { name, alias } of list.entries) {
    lookAtEntryName(name, found);
    if (alias !== undefined) lookAtEntryName(alias, found);
  }
  if (list.entries.some(({ encrypted }) => encrypted)) found.add("encrypted_archive");
  if (!mayUnpack(list, look)) return;
  const kept = new Map<string, Buffer>();
  for (const entry of list.entries) {
    const bytes = bytesOf(entry, found);
    if (bytes === undefined) continue;
    if (isOfPackage(entry.name)) kept.set(entry.name, bytes);
    await lookAtInner(bytes, entry.name, depth, look);
  }
  lookAtOffice(
    list.entries.map(({ name }) => name),
    kept,
    look,
  );
}

/** What the list says of the whole, before a byte of it is unpacked. */
function mayUnpack({ entries, overlapping }: ZipList, { found, budget }: Look): boolean {
  let size = 0;
  let packed = 0;
  let within = true;
  for (const entry of entries) {
    size += entry.size;
    packed += entry.packedSize;
    within = budget.unpacks(entry.size) && within;
  }
  const tooDense = size > ratioFromBytes && size > packed * maxRatio;
  if (!within || tooDense) found.add("archive_bomb", `${size} bytes out of ${packed}`);
  return within && !tooDense && !overlapping;
}

function bytesOf(
  { name, packed, encrypted, method: how, size, packedSize }: ZipEntry,
  found: Findings,
): Buffer | undefined {
  if (packed === undefined || encrypted) return undefined;
  if (how === method.stored) {
    if (size !== packedSize) found.add("archive_damaged", `${name} has another size than the list says`);
    return packed;
  }
  if (how !== method.deflated) {
    found.add("archive_unreadable", `${name}: method ${how}`);
    return undefined;
  }
  const whole = inflateWhole(packed, size);
  if ("bytes" in whole) return whole.bytes;
  if (whole.failed === "too_large") found.add("archive_bomb", `${name} is larger than the list says`);
  else found.add("archive_damaged", `${name} cannot be unpacked`);
  return undefined;
}

export function lookAtEntryName(name: string, found: Findings): void {
  const executable = executableName(name);
  if (executable !== undefined) found.add("archive_executable", name);
  if (leadsAway(name) || /^(?:[/\\]|[a-z]:[/\\])/i.test(name)) found.add("archive_path", name);
  if (turnsAround(name)) found.add("archive_name_direction", name);
}

/** What office.ts reads. */
const isOfPackage = (name: string): boolean =>
  /\.rels$|^\[Content_Types\]\.xml$|^word\/[^/]+\.xml$|^xl\/externalLinks\/[^/]+\.xml$|^META-INF\/manifest\.xml$/i.test(
    name,
  );

export async function lookAtGzip(file: Buffer, depth: number, look: Look): Promise<void> {
  const { found, budget } = look;
  // What a few bytes may give, and what a long one may.
  const most = Math.min(maxUnpackedBytes, Math.max(ratioFromBytes, file.length * maxRatio));
  const { kept, size, whole } = await gunzip(file, maxHeldBytes, most);
  if (size > most || !budget.unpacks(size)) found.add("archive_bomb", `more than ${most} bytes out of ${file.length}`);
  else if (!whole) found.add("archive_damaged", "it cannot be unpacked");
  else if (size > maxHeldBytes) found.add("too_large_to_inspect", "unpacked");
  if (!budget.entries(1)) found.add("archive_too_many");
  const name = gzipName(file);
  if (name !== undefined) lookAtEntryName(name, found);
  // A tar in a gzip is one archive to whoever opens it.
  await lookAtInner(kept, name ?? "file", depth - (hasTarHeader(kept) ? 1 : 0), look);
}

/** RFC 1952 §2.3.1. */
function gzipName(file: Buffer): string | undefined {
  const flags = file[3] ?? 0;
  if ((flags & 8) === 0) return undefined;
  const start = (flags & 4) === 0 || file.length < 12 ? 10 : 12 + file.readUInt16LE(10);
  const end = file.indexOf(0, start);
  return end === -1 ? undefined : file.toString("latin1", start, Math.min(end, start + 1000));
}

const blockBytes = 512;

/** POSIX.1-2024 pax, "ustar Interchange Format"; long names as GNU and pax write them. */
export async function lookAtTar(file: Buffer, depth: number, look: Look): Promise<void> {
  const { found, budget } = look;
  let longNames: string[] = [];
  for (let at = 0; at + blockBytes <= file.length; ) {
    const header = file.subarray(at, at + blockBytes);
    if (header.every((byte) => byte === 0)) return;
    const size = tarSize(header);
    const end = at + blockBytes + size;
    // One whose sum is wrong is none to whoever unpacks it, and looks for the next in what it says to hold.
    if (!hasTarSum(header) || end > file.length) {
      found.add("archive_damaged", "an entry is not where it should be");
      return;
    }
    if (!budget.entries(1)) {
      found.add("archive_too_many");
      return;
    }
    const bytes = file.subarray(at + blockBytes, end);
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === "L") {
      if (size > maxNameBytes) found.add("archive_damaged", "a name that is too long");
      longNames.push(textUntilNul(bytes.subarray(0, maxNameBytes)));
    } else if (type === "x" || type === "g") longNames.push(...lookAtRecords(bytes, type, found));
    else if (type !== "K") {
      const own = ustarName(header);
      for (const each of [...longNames, own]) lookAtEntryName(each, found);
      const name = longNames.at(-1) ?? own;
      longNames = [];
      if (!budget.unpacks(size)) found.add("archive_bomb");
      if (type === "S") found.add("archive_unreadable", `${name}: a file with holes`);
      // Links, devices and folders: there are readers that take what these say to have for the next entries.
      else if (/[1-6]/.test(type)) {
        if (size > 0) found.add("archive_damaged", `${name} can have no bytes, and says that it has`);
      } else await lookAtInner(bytes, name, depth, look);
    }
    at = end + ((blockBytes - (size % blockBytes)) % blockBytes);
  }
}

const maxNameBytes = 4096;
const maxRecordsBytes = 65_536;

/** The names that they give the next entry: the last of several counts, but not for everybody. */
function lookAtRecords(bytes: Buffer, type: "x" | "g", found: Findings): string[] {
  const records = recordsOf(bytes);
  if (records === undefined) found.add("archive_damaged", "its records do not fit together");
  const names: string[] = [];
  for (const [key, value] of records ?? []) {
    if (key === "path" || key === "GNU.sparse.name") names.push(value);
    // Where the next entry begins would be elsewhere for whoever goes by it.
    if (key === "size" || (type === "g" && names.length > 0))
      found.add("archive_damaged", `an entry has another ${key} than its header says`);
  }
  return type === "x" ? names : [];
}

/** Each has its length in front of it, and any character in it. Undefined where they do not fit together, or are too long to be honest. */
function recordsOf(bytes: Buffer): [key: string, value: string][] | undefined {
  if (bytes.length > maxRecordsBytes) return undefined;
  const records: [string, string][] = [];
  for (let at = 0; at < bytes.length; ) {
    const [head = "", digits = "0"] = /^(\d{1,6}) /.exec(bytes.toString("latin1", at, at + 7)) ?? [];
    const end = at + Number(digits);
    const equals = bytes.indexOf("=", at);
    if (end > bytes.length || equals < at + head.length || equals >= end || bytes[end - 1] !== 0x0a) return undefined;
    records.push([bytes.toString("utf8", at + head.length, equals), bytes.toString("utf8", equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

const textUntilNul = (bytes: Buffer): string => bytes.toString("utf8").replace(/\0[\s\S]*$/, "");

function ustarName(header: Buffer): string {
  const prefix = textUntilNul(header.subarray(345, 500));
  const name = textUntilNul(header.subarray(0, 100));
  return header.toString("latin1", 257, 263) === "ustar\0" && prefix !== "" ? `${prefix}/${name}` : name;
}

/** Octal digits; or, as GNU has it for what does not fit, a number whose first bit is set. More than the file has ends the walk. */
function tarSize(header: Buffer): number {
  if (((header[124] ?? 0) & 0x80) !== 0) return Number(header.readBigUInt64BE(128));
  const digits = /^[0-7]+/.exec(header.toString("latin1", 124, 136).trimStart())?.[0];
  return digits === undefined ? 0 : Number.parseInt(digits, 8);
}
