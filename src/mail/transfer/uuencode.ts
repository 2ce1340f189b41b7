/** Decodes uuencode (POSIX `uuencode`): as a transfer encoding of a part, and as blocks that stand in a text. */
import type { TransferDecoder } from "../transfer.ts";
import { scratch } from "./scratch.ts";

/** Octets per line go up to 45; a line is their count and four characters for each three. */
const maxLineChars = 64;
const beginLine = /^begin [0-7]{3,4} (\S.{0,999})$/;

/** How many octets a line holds; -1 when it is no line of uuencode. */
function octetsOf(line: string): number {
  const count = (line.charCodeAt(0) - 0x20) & 0x3f;
  // Some encoders add a checksum character.
  if (count > 45 || line.length > Math.ceil(count / 3) * 4 + 2) return -1;
  for (let at = 0; at < line.length; at++) {
    const code = line.charCodeAt(at);
    if (code < 0x20 || code > 0x60) return -1;
  }
  return count;
}

/** Writes the octets of a line that holds `count` of them. Blanks that were cut off at its end count as zeroes. */
function decodeLine(line: string, count: number, into: Buffer, from: number): number {
  const sextet = (at: number): number => (at < line.length ? (line.charCodeAt(at) - 0x20) & 0x3f : 0);
  for (let done = 0, at = 1; done < count; done += 3, at += 4) {
    const quantum = (sextet(at) << 18) | (sextet(at + 1) << 12) | (sextet(at + 2) << 6) | sextet(at + 3);
    into[from + done] = quantum >> 16;
    if (done + 1 < count) into[from + done + 1] = quantum >> 8;
    if (done + 2 < count) into[from + done + 2] = quantum;
  }
  return from + count;
}

/** Between `begin` and `end`; lines that are none of uuencode are left out, as a reader of half a file would have it. */
export function uuDecoder(): TransferDecoder {
  let line = "";
  let state: "before" | "inside" | "ended" = "before";
  let trailer = false;
  let out = 0;

  function takeLine(): void {
    const text = line.replace(/\r$/, "");
    line = "";
    if (state === "before") {
      if (beginLine.test(text)) state = "inside";
    } else if (state === "ended") {
      trailer ||= text.trim() !== "";
    } else if (text === "end") {
      state = "ended";
    } else {
      const count = text === "" ? 0 : octetsOf(text);
      if (count > 0) out = decodeLine(text, count, scratch, out);
    }
  }

  return {
    push(bytes) {
      out = 0;
      let start = 0;
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
      for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", start)) {
        line += text.slice(start, at);
        start = at + 1;
        takeLine();
      }
      // Of a line that never ends, enough to see that it is none of ours.
      if (line.length <= 2 * maxLineChars + 1100) line += text.slice(start);
      return scratch.subarray(0, out);
    },
    end() {
      out = 0;
      if (line !== "") takeLine();
      return scratch.subarray(0, out);
    },
    get trailer() {
      return trailer;
    },
  };
}

export interface UuFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * Takes the well-formed blocks out of a text: `begin 644 name`, lines of uuencode, `end`. Anything else that begins so stays text.
 * Lines are LF. A line that begins a block is no line of a block (lower case), so nothing is read twice.
 */
export function withoutUuBlocks(text: string): { text: string; files: UuFile[] } {
  const files: UuFile[] = [];
  let kept = "";
  let from = 0;
  for (let at = nextBegin(text, 0); at !== -1; at = nextBegin(text, at + 1)) {
    const block = readBlock(text, at);
    if (block === undefined) continue;
    files.push(block.file);
    kept += text.slice(from, at);
    from = block.end;
    at = block.end - 1;
  }
  return { text: files.length === 0 ? text : kept + text.slice(from), files };
}

function nextBegin(text: string, from: number): number {
  for (let at = text.indexOf("begin ", from); at !== -1; at = text.indexOf("begin ", at + 1)) {
    if (at === 0 || text[at - 1] === "\n") return at;
  }
  return -1;
}

function readBlock(text: string, begin: number): { file: UuFile; end: number } | undefined {
  const first = text.indexOf("\n", begin);
  const name = first === -1 || first - begin > 1100 ? undefined : beginLine.exec(text.slice(begin, first))?.[1];
  if (name === undefined) return undefined;
  let size = 0;
  const lines: { line: string; count: number }[] = [];
  for (let at = first; at !== -1; ) {
    const next = text.indexOf("\n", at + 1);
    const end = next === -1 ? text.length : next;
    if (end - at > maxLineChars + 3) return undefined;
    const line = text.slice(at + 1, end);
    if (line.trimEnd() === "end") {
      const bytes = Buffer.alloc(size);
      lines.reduce((to, { line: one, count }) => decodeLine(one, count, bytes, to), 0);
      return { file: { name, bytes }, end: next === -1 ? text.length : next + 1 };
    }
    const count = line === "" ? 0 : octetsOf(line);
    if (count === -1) return undefined;
    size += count;
    lines.push({ line, count });
    at = next;
  }
  return undefined;
}
