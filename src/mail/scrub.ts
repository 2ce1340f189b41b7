/** Makes a message safe to show: every byte of it in its place, every name, word, figure and file another. */

import { declaredBoundary } from "./boundary.ts";
import { splitHeader } from "./header.ts";
import { partHead } from "./part.ts";
import { replaceInBytes } from "./scrub/charset.ts";
import { blockBytes, type Content, type Kind, type Replacing, replacing } from "./scrub/content.ts";
import { replaceHeader } from "./scrub/header.ts";
import type { StandIns } from "./scrub/stand-in.ts";
import { replaceWords } from "./scrub/text.ts";
import { isCalendar } from "./structure.ts";

export { openStandIns, type StandIns } from "./scrub/stand-in.ts";
export { replaceWords } from "./scrub/text.ts";

/** As it comes out where mail has it in UTF-8: letters beyond ASCII too. */
export const replaceAddress = (text: string, standIns: StandIns): string =>
  replaceInBytes(Buffer.from(text), "utf-8", standIns, (part, fits) =>
    replaceWords(part, { standIns, fits }),
  ).toString();

/** Takes a message in pieces of any size, and gives as many bytes back: not always at once. */
export interface Scrubber {
  push(bytes: Uint8Array): Buffer;
  end(): Buffer;
}

const maxHeaderBytes = 1024 * 1024;
const maxLineBytes = 256 * 1024;
const maxDepth = 40;
const maxBoundaries = 200;
/** A message that is attached in base64 is held whole: beyond this it is replaced as a file is. */
const maxNestedBytes = 32 * 1024 * 1024;
const lf = 0x0a;

interface Frame {
  readonly digest: boolean;
  /** Undefined until a line of the body shows it, where the header does not name one. */
  boundary: string | undefined;
  put: string;
  /** How its first delimiter was written. */
  seen: "not yet" | "bare" | "with words";
}

interface Leaf {
  readonly content: Content;
  readonly replacing: Replacing;
  held: Buffer[];
  size: number;
  first: boolean;
}

export function scrubMessage(standIns: StandIns): Scrubber {
  const walk = walker(standIns, 0);
  /** Old Macintosh lines end in CR alone: it changes places with LF on the way in, and again on the way out. */
  let turned: boolean | undefined;
  const turn = (bytes: Buffer): Buffer => {
    if (turned !== true) return bytes;
    for (const [at, byte] of bytes.entries()) {
      if (byte === 0x0d) bytes[at] = lf;
      else if (byte === lf) bytes[at] = 0x0d;
    }
    return bytes;
  };
  return {
    push(given) {
      // A copy: what comes from a stream may be written over.
      const bytes = Buffer.from(given);
      if (turned === undefined && bytes.length > 0) turned = !bytes.includes(lf) && bytes.includes(0x0d);
      return turn(walk.push(turn(bytes)));
    },
    end: () => turn(walk.end()),
  };
}

function walker(standIns: StandIns, depth: number): Scrubber {
  const frames: Frame[] = [];
  let out: Buffer[] = [];
  let line: Buffer[] = [];
  let lineBytes = 0;
  /** The rest of a line that was too long to be one: no delimiter begins in it. */
  let goesOn = false;
  let header: Buffer[] | undefined = [];
  let headerBytes = 0;
  let implied = "text/plain";
  let leaf: Leaf | undefined;
  /** The message has not begun: blank lines before its header are none of it. */
  let begun = depth > 0;
  /** A line that may be a delimiter, if the next one is the header of a part. */
  let doubtful: Buffer | undefined;

  function openLeaf(kind: Kind, encoding: Content["encoding"] = "identity", charset: string | null = null): void {
    const nested = (bytes: Buffer): Buffer => {
      const inner = walker(standIns, depth + 1);
      return Buffer.concat([inner.push(bytes), inner.end()]);
    };
    const content = {
      kind: kind === "message" && depth >= maxDepth ? ("file" as const) : kind,
      encoding,
      charset,
      nested,
    };
    leaf = { content, replacing: replacing(content, standIns), held: [], size: 0, first: true };
  }

  function flushLeaf(to: Leaf): void {
    if (to.size === 0) return;
    const whole = Buffer.concat(to.held);
    out.push(to.replacing.block(whole, to.first));
    to.held = [];
    to.size = 0;
    to.first = false;
  }

  function closeLeaf(): void {
    if (leaf !== undefined) flushLeaf(leaf);
    leaf = undefined;
  }

  function toLeaf(bytes: Buffer): void {
    if (leaf === undefined) openLeaf("text");
    const to = leaf;
    if (to === undefined) return;
    to.held.push(bytes);
    to.size += bytes.length;
    if (to.content.kind === "message" && to.size > maxNestedBytes) {
      openLeaf("file", to.content.encoding);
      if (leaf !== undefined) Object.assign(leaf, { held: to.held, size: to.size });
    }
    const most = to.content.kind === "message" ? Number.POSITIVE_INFINITY : blockBytes;
    if (leaf !== undefined && leaf.size >= most) flushLeaf(leaf);
  }

  function closeHeader(): void {
    if (header === undefined) return;
    const section = Buffer.concat(header);
    header = undefined;
    headerBytes = 0;
    out.push(replaceHeader(section, standIns));
    openBody(section);
  }

  function openBody(section: Buffer): void {
    const fields = splitHeader(section.toString("latin1").replace(/^\xef\xbb\xbf/, ""), 5_000);
    const head = partHead(fields, implied);
    implied = "text/plain";
    if (head.type.startsWith("multipart/") && frames.length < maxBoundaries) {
      const boundary = declaredBoundary(head);
      const put = boundary === undefined ? "" : standIns.boundary(boundary);
      frames.push({ digest: head.type === "multipart/digest", boundary, put, seen: "not yet" });
      openLeaf("text");
      return;
    }
    if (isMessage(head.type) && head.encoding === "identity" && frames.length < maxBoundaries) {
      leaf = undefined;
      header = [];
      return;
    }
    openLeaf(kindOf(head.type, head.filename), head.encoding, head.charset);
  }

  /** Of the innermost multipart that it belongs to. */
  function delimiterOf(text: string): { frame: number; length: number } | undefined {
    for (let at = frames.length - 1; at >= 0; at--) {
      const boundary = frames[at]?.boundary;
      if (boundary === undefined || boundary === "") continue;
      const length = matched(text, boundary, frames[at]?.seen === "bare");
      if (length !== undefined) return { frame: at, length };
    }
    return undefined;
  }

  function takeDelimiter(bytes: Buffer, text: string, { frame: at, length }: { frame: number; length: number }): void {
    closeHeader();
    closeLeaf();
    const frame = frames[at];
    if (frame === undefined) return;
    const bare = /^[ \t]*(?:--)?\s*$/.test(text.slice(2 + length));
    if (frame.seen === "not yet") frame.seen = bare ? "bare" : "with words";
    out.push(Buffer.from(`--${spaced(text.slice(2, 2 + length), frame.put)}`, "latin1"));
    const rest = bytes.subarray(2 + length);
    const after = rest.toString("latin1");
    const closes = /^[ \t]*--\s*$/.test(after) || (frame.seen === "with words" && /^--[ \t]/.test(after));
    openLeaf("text");
    toLeaf(rest);
    closeLeaf();
    frames.length = closes ? at : at + 1;
    if (closes) openLeaf("text");
    else {
      header = [];
      implied = frame.digest ? "message/rfc822" : "text/plain";
    }
  }

  function takeLine(bytes: Buffer, begins: boolean): void {
    const dashes = begins && bytes[0] === 0x2d && bytes[1] === 0x2d;
    if (doubtful !== undefined) {
      const before = doubtful;
      doubtful = undefined;
      const frame = frames.at(-1);
      if (frame !== undefined && /^Content-[A-Za-z-]{1,40}:/i.test(bytes.toString("latin1", 0, 60))) {
        frame.boundary = before.toString("latin1").slice(2).trimEnd();
        frame.put = standIns.boundary(frame.boundary);
        takeDelimiter(before, before.toString("latin1"), { frame: frames.length - 1, length: frame.boundary.length });
      } else if (header !== undefined) addToHeader(before);
      else toLeaf(before);
    }
    if (dashes && header !== undefined && endsHeader(bytes, header)) closeHeader();
    if (dashes && frames.length > 0) {
      const text = bytes.toString("latin1");
      const found = delimiterOf(text);
      if (found !== undefined) {
        takeDelimiter(bytes, text, found);
        return;
      }
      if (frames.at(-1)?.seen === "not yet" && header === undefined && /^--[!-~]/.test(text) && bytes.length < 300) {
        doubtful = bytes;
        return;
      }
    }
    if (header === undefined) toLeaf(bytes);
    else if (begins && /^\r?\n$/.test(bytes.toString("latin1", 0, 3))) {
      if (begun) closeHeader();
      out.push(bytes);
    } else addToHeader(bytes);
  }

  function addToHeader(bytes: Buffer): void {
    begun = true;
    header?.push(bytes);
    headerBytes += bytes.length;
    if (headerBytes > maxHeaderBytes) closeHeader();
  }

  function takeLines(bytes: Buffer): void {
    let from = 0;
    for (let end = bytes.indexOf(lf); end !== -1; end = bytes.indexOf(lf, from)) {
      const piece = bytes.subarray(from, end + 1);
      takeLine(line.length === 0 ? piece : Buffer.concat([...line, piece]), !goesOn);
      goesOn = false;
      line = [];
      lineBytes = 0;
      from = end + 1;
    }
    const rest = bytes.subarray(from);
    if (rest.length === 0) return;
    line.push(rest);
    lineBytes += rest.length;
    if (lineBytes < maxLineBytes) return;
    takeLine(Buffer.concat(line), !goesOn);
    goesOn = true;
    line = [];
    lineBytes = 0;
  }

  const taken = (): Buffer => {
    const made = Buffer.concat(out);
    out = [];
    return made;
  };

  return {
    push(bytes) {
      takeLines(Buffer.from(bytes));
      return taken();
    },
    end() {
      if (line.length > 0) takeLine(Buffer.concat(line), !goesOn);
      if (doubtful !== undefined) toLeaf(doubtful);
      doubtful = undefined;
      if (header !== undefined && header.length > 0) closeHeader();
      closeLeaf();
      return taken();
    },
  };
}

const isMessage = (type: string): boolean => type === "message/rfc822" || type === "message/global";

const fieldTypes = new Set([
  ...[
    "message/delivery-status",
    "message/global-delivery-status",
    "message/feedback-report",
    "message/disposition-notification",
  ],
  ...[
    "message/global-disposition-notification",
    "text/rfc822-headers",
    "message/rfc822-headers",
    "message/global-headers",
    "message/external-body",
  ],
]);

function kindOf(type: string, filename: string | null): Kind {
  if (fieldTypes.has(type)) return "fields";
  // Some clients attach a message as they would any file.
  if (isMessage(type) || (type === "application/octet-stream" && /\.eml$/i.test(filename ?? ""))) return "message";
  if (isCalendar(type, filename)) return "calendar";
  // RFC 1896 marks text up the same way.
  if (type === "text/html" || type === "text/enriched" || type === "text/richtext") return "html";
  return type.startsWith("text/") || type === "message/partial" ? "text" : "file";
}

/** A delimiter right below the header, with no line between, of the multipart that the header declares. */
function endsHeader(bytes: Buffer, header: readonly Buffer[]): boolean {
  if (bytes.length > 300 || header.length > 200) return false;
  const section = Buffer.concat(header).toString("latin1");
  if (!/boundary/i.test(section)) return false;
  const boundary = declaredBoundary(partHead(splitHeader(section, 1_000)));
  return boundary !== undefined && boundary !== "" && matched(bytes.toString("latin1"), boundary, true) !== undefined;
}

/** How many characters behind the dashes the boundary takes, in which a run of blanks is as good as one; undefined where it is another. */
function matched(text: string, boundary: string, bare: boolean): number | undefined {
  let at = 2;
  for (let index = 0; index < boundary.length; ) {
    if (text[at] !== boundary[index]) return undefined;
    const blank = boundary[index] === " ";
    at++;
    index++;
    if (!blank) continue;
    while (text[at] === " ") at++;
    while (boundary[index] === " ") index++;
  }
  const rest = text.slice(at);
  // Words behind it where no line before it is without: a line has only to begin with it (RFC 2046 §5.1.1).
  return /^[ \t]*(?:--)?\s*$/.test(rest) || (!bare && /^(?:--)?[ \t]/.test(rest)) ? at - 2 : undefined;
}

/** The stand-in of a boundary with as many blanks as the line has. */
function spaced(written: string, put: string): string {
  if (written.length === put.length) return put;
  const pieces = put.split(/ +/);
  return written
    .split(/( +)/)
    .map((piece, index) => (index % 2 === 1 ? piece : (pieces[index / 2] ?? piece.replace(/./g, "x"))))
    .join("");
}
