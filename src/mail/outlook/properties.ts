/** The MAPI properties of an Outlook item (MS-OXMSG §2.4), or of one of its recipients or attachments. */
import { decodeLabelled } from "../charset.ts";
import { utf16le } from "../utf16.ts";
import type { Storage } from "./compound.ts";

export interface Properties {
  /** The words of a property; undefined where there is none. */
  text(id: number): string | undefined;
  bytes(id: number): Buffer | undefined;
  /** How many bytes a property has. */
  size(id: number): number | undefined;
  integer(id: number): number | undefined;
  /** Epoch ms. */
  time(id: number): number | undefined;
}

/** A body is read this far; an event holds less. */
const maxBytes = 512 * 1024;
const maxFixed = 2000;
const entryBytes = 16;
/** From 1601, in units of 100 ns, to 1970 in ms. */
const epochOffset = 11_644_473_600_000;

/** `header`: bytes before the first entry: 32 of an item, 8 of a recipient or an attachment. */
export function propertiesOf({ streams }: Storage, header: number, codepage = 1252): Properties {
  const fixed = new Map<number, Buffer>();
  const list = streams.get("__properties_version1.0")?.read(header + maxFixed * entryBytes) ?? Buffer.alloc(0);
  for (let at = header; at + entryBytes <= list.length; at += entryBytes) {
    fixed.set(list.readUInt16LE(at + 2), list.subarray(at + 8, at + entryBytes));
  }
  const stream = (id: number, type: string) =>
    streams.get(`__substg1.0_${id.toString(16).toUpperCase().padStart(4, "0")}${type}`);
  const integer = (id: number): number | undefined => fixed.get(id)?.readInt32LE(0);
  // PidTagMessageCodepage, PidTagInternetCodepage: what strings of eight bits are in.
  const own = integer(0x3ffd) ?? integer(0x3fde) ?? codepage;
  const charset = own === 65001 ? "utf-8" : `cp${own}`;
  return {
    text(id) {
      const wide = stream(id, "001F")?.read(maxBytes);
      if (wide !== undefined) return utf16le(wide);
      const narrow = stream(id, "001E")?.read(maxBytes);
      return narrow === undefined ? undefined : decodeLabelled(narrow, charset).text;
    },
    bytes: (id) => stream(id, "0102")?.read(maxBytes),
    size: (id) => stream(id, "0102")?.size,
    integer,
    time(id) {
      const value = fixed.get(id)?.readBigUInt64LE(0);
      return value === undefined || value === 0n ? undefined : Number(value / 10_000n) - epochOffset;
    },
  };
}
