/** Tells from the first bytes of a file what it can do: start, hold other files, show a page, or none of these. */

import { utf16le } from "../utf16.ts";
import type { FindingCode } from "./findings.ts";
import { type Sealed, sealedBytes, sealedText } from "./sealed.ts";

/** How the look goes on. plain: nothing that is known to start, hold or show. */
export type Family =
  | "starts"
  | "zip"
  | "ole"
  | "pdf"
  | "rtf"
  | "gzip"
  | "tar"
  | "unlisted"
  | "html"
  | "svg"
  | "markup"
  | "message"
  | "text"
  | "image"
  | "media"
  | "plain";

export interface Content {
  readonly family: Family;
  /** Where the beginning alone says it. */
  readonly code?: FindingCode;
  /** In words: `ELF`, `7-Zip`. */
  readonly what?: string;
}

type Signature = readonly [at: number, bytes: string, family: Family, what: string, code?: FindingCode];

const starts = (at: number, bytes: string, what: string, code: FindingCode): Signature => [
  at,
  bytes,
  "starts",
  what,
  code,
];
const holds = (at: number, bytes: string, what: string): Signature => [at, bytes, "unlisted", what, "archive_unlisted"];
const guid = (hex: string): string => Buffer.from(hex, "hex").toString("latin1");

/** In latin1, the first that fits counts. */
const signatures: readonly Signature[] = [
  starts(0, "\x7fELF", "ELF", "executable"),
  starts(0, "\xfe\xed\xfa\xce", "Mach-O", "executable"),
  starts(0, "\xfe\xed\xfa\xcf", "Mach-O", "executable"),
  starts(0, "\xce\xfa\xed\xfe", "Mach-O", "executable"),
  starts(0, "\xcf\xfa\xed\xfe", "Mach-O", "executable"),
  // A fat Mach-O begins as a Java class does.
  starts(0, "\xca\xfe\xba\xbe", "Java class or Mach-O", "executable"),
  starts(0, "\xca\xfe\xba\xbf", "Mach-O", "executable"),
  starts(0, "\0asm", "WebAssembly", "executable"),
  starts(0, "dex\n", "Dalvik", "executable"),
  starts(0, "#~^", "encoded script", "script"),
  starts(0, "#@~^", "encoded script", "script"),
  starts(0, "L\0\0\0\x01\x14\x02\0", "LNK", "shortcut"),
  starts(0, "ITSF", "CHM", "executable"),
  starts(0, "?_\x03\0", "HLP", "executable"),
  starts(0, "REGEDIT4", "registry entries", "script"),
  starts(0, "Windows Registry Editor", "registry entries", "script"),
  starts(0, "\xff\xfeW\0i\0n\0d\0o\0w\0s\0 \0R\0e\0g\0i\0s\0t\0r\0y\0", "registry entries", "script"),
  starts(0, "vhdxfile", "VHDX", "disk_image"),
  starts(0, "conectix", "VHD", "disk_image"),
  starts(0, "KDMV", "VMDK", "disk_image"),
  starts(0, "QFI\xfb", "QCOW", "disk_image"),
  starts(0, "MSWIM\0\0\0", "WIM", "disk_image"),
  starts(0x8001, "CD001", "ISO 9660", "disk_image"),
  starts(0x8801, "CD001", "ISO 9660", "disk_image"),
  starts(0x9001, "CD001", "ISO 9660", "disk_image"),
  starts(0x8001, "BEA01", "UDF", "disk_image"),
  starts(0x8801, "BEA01", "UDF", "disk_image"),
  starts(3, "NTFS    ", "NTFS", "disk_image"),
  starts(54, "FAT1", "FAT", "disk_image"),
  starts(82, "FAT32   ", "FAT", "disk_image"),
  starts(512, "EFI PART", "disk", "disk_image"),
  starts(0, "!<arch>\ndebian", "Debian package", "installer"),
  starts(0, "\xed\xab\xee\xdb", "RPM", "installer"),
  starts(0, "xar!", "macOS package", "installer"),
  starts(0, "Cr24", "browser extension", "installer"),
  [0, "PK\x03\x04", "zip", "zip"],
  [0, "PK\x05\x06", "zip", "zip"],
  [0, "PK\x07\x08", "zip", "zip"],
  [0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole", "compound file"],
  [0, "{\\rt", "rtf", "RTF"],
  [0, "\x1f\x8b", "gzip", "gzip"],
  [257, "ustar", "tar", "tar"],
  holds(0, "7z\xbc\xaf\x27\x1c", "7-Zip"),
  holds(0, "Rar!\x1a\x07", "RAR"),
  holds(0, "RE~^", "RAR"),
  holds(0, "BZh", "bzip2"),
  holds(0, "\xfd7zXZ\0", "xz"),
  holds(0, "(\xb5/\xfd", "zstd"),
  holds(0, "\x04\x22\x4d\x18", "LZ4"),
  holds(0, "LZIP", "lzip"),
  holds(0, "\x1f\x9d", "compress"),
  holds(0, "\x1f\xa0", "compress"),
  holds(0, "MSCF\0\0\0\0", "CAB"),
  holds(0, "ISc(", "InstallShield"),
  holds(7, "**ACE**", "ACE"),
  holds(0, "\x60\xea", "ARJ"),
  holds(2, "-lh", "LHA"),
  holds(2, "-lz", "LHA"),
  holds(20, "\xdc\xa7\xc4\xfd", "ZOO"),
  holds(0, "\xc7\x71", "cpio"),
  holds(0, "EGGA", "EGG"),
  holds(0, "ALZ\x01", "ALZ"),
  [0, "Salted__", "unlisted", "OpenSSL", "encrypted_file"],
  [0, "age-encryption.org/v1", "unlisted", "age", "encrypted_file"],
  holds(0, "!BDN", "Outlook folder"),
  holds(0, "\x78\x9f\x3e\x22", "winmail.dat"),
  // What a page that Word saved keeps its macros in.
  [0, "ActiveMime", "unlisted", "ActiveMime", "macros"],
  // Their macros start by themselves, and nothing here reads them.
  [4, "Standard Jet DB", "unlisted", "Access database", "not_inspected"],
  [4, "Standard ACE DB", "unlisted", "Access database", "not_inspected"],
  [0, guid("e4525c7b8cd8a74daeb15378d02996d3"), "unlisted", "OneNote", "notebook"],
  [0, guid("a12fff43d9ef764c9ee210ea5722765f"), "unlisted", "OneNote", "notebook"],
  [0, "\x89PNG\r\n\x1a\n", "image", "PNG"],
  [0, "\xff\xd8\xff", "image", "JPEG"],
  [0, "GIF8", "image", "GIF"],
  [0, "II*\0", "image", "TIFF"],
  [0, "MM\0*", "image", "TIFF"],
  [8, "WEBP", "image", "WebP"],
  [0, "ID3", "media", "MP3"],
  [0, "OggS", "media", "Ogg"],
  [0, "fLaC", "media", "FLAC"],
  [8, "WAVE", "media", "WAV"],
  [8, "AVI ", "media", "AVI"],
  [0, "\x1a\x45\xdf\xa3", "media", "Matroska"],
  [4, "ftyp", "media", "MP4"],
];

/** The test file of the European Institute for Computer Antivirus Research, which is a program for DOS. */
const eicar = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";

/** What a text begins with that a system would run by its name alone, or that is run under any name. */
const startingTexts: readonly (readonly [pattern: RegExp, what: string, code: FindingCode])[] = [
  [/^#!\s*\/?\w/, "script with an interpreter line", "script"],
  [/^@?echo off\b|^@(?:start|cmd|powershell|set|call|rem)\b/i, "batch file", "script"],
  [/^\[InternetShortcut\]/i, "internet shortcut", "shortcut"],
  [/^\[Desktop Entry\]/i, "desktop entry", "shortcut"],
  [/^\[Shell\]\s/i, "shell command file", "shortcut"],
  [/^\[autorun\]/i, "autorun file", "shortcut"],
  [/^\[Version\]\s+Signature\s*=\s*"?\$(?:Windows NT|CHICAGO)\$/i, "setup information", "script"],
  [/^(?:screen mode id|full address):[is]:/i, "remote desktop file", "shortcut"],
  [
    /^(?:<\?xml[^>]{0,200}\?>\s*)?<(?:job|package)\b[^>]{0,200}>[\s\S]{0,2000}?<script\b/i,
    "Windows script file",
    "script",
  ],
  [/^(?:<\?xml[^>]{0,200}\?>\s*)?<(?:scriptlet|component)\b/i, "scriptlet", "script"],
  [/<(?:hta:application)\b/i, "HTML application", "script"],
  [/^(?:<\?xml[^>]{0,200}\?>\s*)?<PCSettings\b/i, "settings content", "shortcut"],
  [/^(?:<\?xml[^>]{0,200}\?>\s*)?<(?:libraryDescription|searchConnectorDescription)\b/i, "library", "shortcut"],
  [/^(?:<\?xml[^>]{0,200}\?>\s*)?<\?wsf\b/i, "Windows script file", "script"],
  [/^\s*(?:on error resume next|(?:dim|set)\s+\w+[\s\S]{0,300}?createobject\s*\()/i, "VBScript", "script"],
  [/^\s*(?:var|let|const)\s+\w+\s*=\s*(?:new\s+ActiveXObject|WScript)\b/i, "JScript", "script"],
  [
    /^\s*(?:powershell(?:\.exe)?\s+-|param\s*\([\s\S]{0,500}?\$\w+|\$ErrorActionPreference\b)/i,
    "PowerShell script",
    "script",
  ],
  [/^WEB\r?\n\d\r?\nhttps?:/i, "web query", "spreadsheet_query"],
  [/^ID;P/, "symbolic link (SYLK)", "spreadsheet_query"],
];

export const isBinary = (head: Buffer): boolean => {
  const start = head.subarray(0, 512);
  for (const byte of start) if (byte < 0x20 && (byte < 0x08 || byte > 0x0d) && byte !== 0x1b) return true;
  return false;
};

/** As a reader of text sees it: without a byte order mark, and UTF-16 as what it says. */
export function textOf(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return utf16le(bytes, 2);
  if (bytes[0] === 0xfe && bytes[1] === 0xff)
    return Buffer.from(bytes.subarray(2, bytes.length & ~1))
      .swap16()
      .toString("utf16le");
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return bytes.toString("latin1", 3);
  return bytes.toString("latin1");
}

const page = /<(?:!doctype\s+html|html|script|body|head|iframe|object|embed|meta\s+http-equiv)[\s>/]/i;
const office = /<\?mso-application|<pkg:package|<w:wordDocument|urn:schemas-microsoft-com:office/im;

/** `head` is the first 64 KiB, or all there is. */
export function contentOf(head: Buffer): Content {
  const start = head.toString("latin1", 0, 0x9100);
  if (start.startsWith("MZ") && isBinary(head.subarray(0, 128))) {
    return { family: "starts", code: "executable", what: "Windows program" };
  }
  if (start.startsWith(eicar)) return { family: "starts", code: "eicar", what: "EICAR" };
  if (/^[FCZ]WS/.test(start) && (head[3] ?? 0xff) <= 50 && isBinary(head))
    return { family: "starts", code: "executable", what: "Flash" };
  const fits = signatures.find(([at, bytes]) => start.startsWith(bytes, at));
  // Whatever the first file in it is called: a name such as `{\rtf` makes it nothing else for whoever unpacks it.
  if (fits?.[2] !== "starts" && fits?.[2] !== "zip" && hasTarHeader(head))
    return { family: hasPdfMark(start) ? "pdf" : "tar", what: "tar" };
  if (fits !== undefined) {
    const [, , family, what, code] = fits;
    // Readers look for its mark in the first kilobyte.
    if (family !== "starts" && code === undefined && hasPdfMark(start) && family !== "zip")
      return { family: "pdf", what };
    return code === undefined ? { family, what } : { family, code, what };
  }
  if (hasPdfMark(start)) return { family: "pdf", what: "PDF" };
  return head.length === 0 ? { family: "plain" } : ofText(head);
}

/** Its mark, or, as tar wrote before it had one (Version 7 Unix), a checksum that is right. */
export const hasTarHeader = (header: Buffer): boolean =>
  header.toString("latin1", 257, 262) === "ustar" || (header.length >= 512 && header[0] !== 0 && hasTarSum(header));

/** Of its bytes, with blanks in the place of the sum itself; there were writers to whom a byte beyond ASCII was less than nothing. */
export function hasTarSum(header: Buffer): boolean {
  const digits = /^[ \0]*([0-7]{1,7})[ \0]/.exec(header.toString("latin1", 148, 157))?.[1];
  if (digits === undefined) return false;
  let sum = 8 * 0x20;
  let signed = sum;
  for (const [at, byte] of header.subarray(0, 512).entries()) {
    if (at >= 148 && at <= 155) continue;
    sum += byte;
    signed += byte < 0x80 ? byte : byte - 0x100;
  }
  const said = Number.parseInt(digits, 8);
  return said === sum || said === signed;
}

const hasPdfMark = (start: string): boolean => start.slice(0, 1100).includes("%PDF-");

function ofText(head: Buffer): Content {
  const utf16 = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  const text = textOf(head.subarray(0, 16_384)).trimStart();
  if (!utf16 && isBinary(head)) {
    if (page.test(text.slice(0, 1024))) return { family: "html" };
    return sealed(sealedBytes(head)) ?? { family: "plain" };
  }
  const closed = sealed(sealedText(text.slice(0, 1024)) ?? sealedBytes(head));
  if (closed !== undefined) return closed;
  for (const [pattern, what, code] of startingTexts) {
    if (pattern.test(text.slice(0, 4096))) return { family: "starts", code, what };
  }
  if (office.test(text.slice(0, 4096)) && !/^<(?:!doctype )?html/i.test(text)) return { family: "markup" };
  if (page.test(text.slice(0, 8192))) return { family: "html" };
  if (/<svg[\s>]/i.test(text.slice(0, 8192))) return { family: "svg" };
  return { family: isMessage(text.slice(0, 4096)) ? "message" : "text" };
}

const sealed = (found: Sealed | undefined): Content | undefined =>
  found === undefined ? undefined : { family: "unlisted", ...found };

/** A mail or a page saved as one: fields from the first line on, of which one is of a mail. */
function isMessage(text: string): boolean {
  for (const line of text.split("\n")) {
    if (/^(?:received|from|subject|message-id|mime-version|return-path|date):/i.test(line)) return true;
    if (!/^(?:[\w-]{1,100}:|[ \t])/.test(line)) return false;
  }
  return false;
}
