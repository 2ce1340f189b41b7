/** Splits the body of a multipart that is in memory as a whole and written the plain way; of any other it says nothing, and mailparser splits it. */
import { type RawField, splitHeader, unfold } from "./header.ts";

/** One part, in the order of the message. Offsets are into the body that was split. */
export interface WholePart {
  readonly fields: readonly RawField[];
  /** Index of the multipart that it stands in; undefined for a part of the outermost. */
  readonly parent: number | undefined;
  /** Its bytes; of a multipart those before its first part. */
  readonly from: number;
  to: number;
}

export interface WholeBody {
  /** Where the text before the first part ends. */
  readonly preamble: number;
  readonly parts: readonly WholePart[];
}

/** mailparser reads 1,000 parts, and of a header a mebibyte, in which each line counts for 64 bytes at least. */
const maxParts = 900;
const maxHeaderBytes = 16 * 1024;
/** Each line with dashes is compared with all multiparts that are open. */
const maxDepth = 20;
const maxTrailingBlanks = 900;

const lf = 0x0a;
const cr = 0x0d;
const dash = 0x2d;
const lineWithDashes = Buffer.from("\n--");
/** A CR of its own before the dashes, which belongs to the delimiter for some readers. */
const oddLine = Buffer.from("\n\r--");

/** RFC 2046 §5.1.1 without blanks, brackets and quotes, which are written, and read, in more than one way. */
const plainBoundary = /^(?!.*=\?)[A-Za-z0-9+_,./:=?-]{1,200}$/;
const leafType = /^(?!multipart\/)[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+ ?(?:;|$)/i;
const multipartType =
  /^multipart\/[a-z0-9.+-]+(?: ?; ?(?!boundary)[a-z-]+=(?:"[a-z0-9 ./_+<>@:-]*"|[a-z0-9./_+-]+))* ?; ?boundary=(?:"([^"\\ ]+)"|([A-Za-z0-9+_,.-]+))(?: ?; ?[a-z-]+=(?:"[a-z0-9 ./_+<>@:-]*"|[a-z0-9./_+-]+))* ?;?$/i;

/** A multipart whose parts may follow. */
interface Open {
  readonly index: number | undefined;
  readonly delimiter: Buffer;
}

interface Delimiter {
  /** Of the multiparts that are open. */
  readonly owner: number;
  readonly closes: boolean;
  /** Where the line after it begins. */
  readonly next: number;
}

/** Undefined where anything in it is written in another way than the plain one. */
export function splitWhole(body: Buffer, boundary: string): WholeBody | undefined {
  if (!plainBoundary.test(boundary) || body.includes(oddLine) || body[0] === cr) return undefined;
  const open: Open[] = [{ index: undefined, delimiter: Buffer.from(`--${boundary}`) }];
  const parts: WholePart[] = [];
  let preamble = body.length;
  let reading = true;
  for (let at = dashesFrom(body, 0); at !== -1; ) {
    const line = delimiterAt(body, at, open, reading ? open.length - 1 : open.length - 2);
    if (line === "odd") return undefined;
    if (line === "none") {
      at = nextDashes(body, at);
      continue;
    }
    const last = parts.at(-1);
    const inPreamble = open.at(-1)?.index === (parts.length === 0 ? undefined : parts.length - 1);
    // The end of a multipart that has no part.
    if (line.closes && inPreamble && reading && line.owner === open.length - 1) return undefined;
    if (last === undefined) preamble = at;
    else if (reading) last.to = inPreamble ? at : withoutLineEnd(body, last.from, at, line.closes);
    open.length = line.owner + 1;
    reading = !line.closes;
    if (line.closes) {
      if (line.owner === 0) return { preamble, parts };
      at = dashesFrom(body, line.next);
      continue;
    }
    const read = partAt(body, line.next, open[line.owner]?.index);
    if (read === undefined || parts.push(read.part) > maxParts) return undefined;
    if (read.boundary !== undefined) {
      if (open.push({ index: parts.length - 1, delimiter: Buffer.from(`--${read.boundary}`) }) > maxDepth)
        return undefined;
    }
    at = dashesFrom(body, read.part.from);
  }
  // Nothing ends the last part: it was cut off, or its multipart is never closed. What `to` says already.
  return { preamble, parts };
}

/** The first line from the one that begins at `from` on that begins with two dashes, or -1. */
function dashesFrom(body: Buffer, from: number): number {
  return body[from] === dash && body[from + 1] === dash ? from : nextDashes(body, from);
}

function nextDashes(body: Buffer, from: number): number {
  const at = body.indexOf(lineWithDashes, from);
  return at === -1 ? -1 : at + 1;
}

/** `innermost`: the last of the open multiparts that goes on. */
function delimiterAt(body: Buffer, at: number, open: readonly Open[], innermost: number): Delimiter | "none" | "odd" {
  for (let owner = innermost; owner >= 0; owner--) {
    const delimiter = open[owner]?.delimiter;
    if (delimiter === undefined || !startsWith(body, at, delimiter)) continue;
    let end = at + delimiter.length;
    const closes = body[end] === dash && body[end + 1] === dash;
    if (closes) end += 2;
    else if (!isBlankOrEnd(body[end]) && body[end] !== dash) continue;
    const blanks = end + maxTrailingBlanks;
    while (end < blanks && (body[end] === 0x20 || body[end] === 0x09)) end++;
    if (body[end] === cr) end++;
    if (body[end] === lf) return { owner, closes, next: end + 1 };
    return closes && end === body.length && body[end - 1] !== cr ? { owner, closes, next: end } : "odd";
  }
  return "none";
}

const isBlankOrEnd = (byte: number | undefined): boolean =>
  byte === undefined || byte === 0x20 || byte === 0x09 || byte === cr || byte === lf;

function startsWith(body: Buffer, at: number, bytes: Buffer): boolean {
  for (let index = 2; index < bytes.length; index++) if (body[at + index] !== bytes[index]) return false;
  return true;
}

/**
 * The line end before a delimiter belongs to it (RFC 2046 §5.1.1). A body that is one line end and nothing else keeps it before another part,
 * and loses it before the last delimiter: so does mailparser, and a message gives one event in whatever pieces it comes.
 */
function withoutLineEnd(body: Buffer, from: number, end: number, closes: boolean): number {
  if (end <= from || body[end - 1] !== lf) return end;
  const cut = end - 1 > from && body[end - 2] === cr ? end - 2 : end - 1;
  return cut === from && !closes ? end : cut;
}

/** The part whose header begins at `at`. */
function partAt(
  body: Buffer,
  at: number,
  parent: number | undefined,
): { readonly part: WholePart; readonly boundary: string | undefined } | undefined {
  const from = headerEnd(body, at);
  if (from === undefined) return undefined;
  const section = body.toString("latin1", at, from);
  const fields = splitHeader(section);
  if (fields.length === 0 && section.trim() !== "") return undefined;
  const kind = kindOf(fields, section);
  return kind === undefined ? undefined : { part: { fields, parent, from, to: body.length }, boundary: kind.boundary };
}

/** Behind the empty line; undefined where there is none, or a delimiter before it. */
function headerEnd(body: Buffer, at: number): number | undefined {
  for (let start = at; start < at + maxHeaderBytes; ) {
    const end = body.indexOf(lf, start);
    if (end === -1 || (body[start] === dash && body[start + 1] === dash)) return undefined;
    if (end === start || (end === start + 1 && body[start] === cr)) return end + 1;
    start = end + 1;
  }
  return undefined;
}

/** Undefined where our reading of the header might not be mailparser's. */
function kindOf(fields: readonly RawField[], section: string): { readonly boundary: string | undefined } | undefined {
  const types = fields.filter(({ key }) => key === "content-type");
  const [type] = types;
  if (types.length > 1 || (section.match(/content-type/gi)?.length ?? 0) !== types.length) return undefined;
  if (type === undefined || !/multipart/i.test(type.raw)) {
    // mailparser tells the type of a part that declares none by the name of its file.
    const isTold =
      type === undefined ? !/content-disposition|multipart/i.test(section) : leafType.test(unfold(type.raw));
    return isTold && !/boundary/i.test(section) ? { boundary: undefined } : undefined;
  }
  const [, quoted, bare] = multipartType.exec(unfold(type.raw)) ?? [];
  const boundary = quoted ?? bare;
  return boundary !== undefined && plainBoundary.test(boundary) ? { boundary } : undefined;
}
