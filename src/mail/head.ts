/** Cuts the header section off the front of a message that arrives in chunks, with bounded memory. */
import { declaredBoundary } from "./boundary.ts";
import { splitHeader } from "./header.ts";
import { partHead } from "./part.ts";

/** The most a header section may have; mailparser refuses more as well, and Postfix takes 100 KiB. */
export const maxHeadBytes = 1024 * 1024;

export interface Head {
  /** The bytes of the header section as a latin1 string, so that nothing is lost; without the empty line that ends it. */
  readonly section: string;
  /** Empty lines stood before the first header field. */
  readonly leadingBlank: boolean;
  /** False when the limit came before the empty line: what follows the limit counts as body. */
  readonly whole: boolean;
  /** It ends without an empty line: in one of blanks, or where the first part begins. */
  readonly badEnd: boolean;
}

export interface HeadCollector {
  /** Takes the next bytes; answers those that belong to the body: undefined while the header section goes on. */
  push(chunk: Uint8Array): Uint8Array | undefined;
  /** No more bytes come: the section ends here if it had not ended. Answers what is left of the body. */
  end(): Uint8Array | undefined;
  /** Undefined until the section has ended. */
  head(): Head | undefined;
}

const lf = 0x0a;
const cr = 0x0d;
const dash = 0x2d;
/** RFC 5322 §2.1.1. Longer lines are not looked at for a header that ends in another way than it should. */
const maxLineBytes = 998;
/** Of a line that may be a delimiter, whose boundary has 8000 characters at most. */
const maxDelimiterBytes = 9000;
/** Each one is a reason to read all fields before it. */
const maxDashedLines = 4;
/** RFC 5322 §2.2: printable US-ASCII except the colon; blanks before the colon are obsolete syntax (§4.5). */
const fieldStart = /^[!-9;-~]{1,998}[ \t]*:/;

/** The answer does not depend on how the bytes are cut into chunks. */
export function collectHead(limit = maxHeadBytes): HeadCollector {
  let held: Buffer = Buffer.alloc(0);
  let length = 0;
  /** Where the first field begins, once that is decided. */
  let begin: number | undefined;
  /** No line end before this position ends the section. */
  let scanned = 0;
  /** What decideBegin has seen of leading blanks, and of the line behind them: a peer may send a byte at a time. */
  let blanksEnd = 0;
  let lineSeen = 0;
  /** The last line that began with two dashes, and how many did. */
  let dashedAt = -1;
  let dashedLines = 0;
  let head: Head | undefined;

  function append(part: Uint8Array): void {
    if (length === 0) {
      // Borrowed, not copied: most messages bring their whole head in one chunk. It is full, so it is never written to.
      held = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    } else {
      if (length + part.length > held.length) {
        const grown = Buffer.allocUnsafe(Math.max(2 * (length + part.length), 4096));
        held.copy(grown, 0, 0, length);
        held = grown;
      }
      held.set(part, length);
    }
    length += part.length;
  }

  function close(from: number, to: number, bodyFrom: number, whole: boolean, badEnd = false): Uint8Array {
    head = { section: held.toString("latin1", from, to), leadingBlank: from > 0, whole, badEnd };
    const body = held.subarray(bodyFrom, length);
    held = Buffer.alloc(0);
    return body;
  }

  /** False while too little is known. A message that begins with an empty line and no field has no header section at all. */
  function decideBegin(final: boolean): boolean | Uint8Array {
    if (begin !== undefined) return true;
    if (held[0] === cr && length === 1 && !final) return false;
    const blank = held[0] === lf ? 1 : held[0] === cr && held[1] === lf ? 2 : 0;
    if (blank === 0) {
      begin = 0;
      return true;
    }
    let first = Math.max(blank, blanksEnd);
    while (first < length && (held[first] === cr || held[first] === lf)) first++;
    blanksEnd = first;
    const lineEnd = held.subarray(0, length).indexOf(lf, Math.max(first, lineSeen));
    if (lineEnd === -1 && !final) {
      lineSeen = length;
      return false;
    }
    const line = held.toString("latin1", first, Math.min(lineEnd === -1 ? length : lineEnd, first + 1000));
    if (!fieldStart.test(line)) return close(0, 0, blank, true);
    begin = scanned = first;
    return true;
  }

  function scan(final: boolean): Uint8Array | undefined {
    const bytes = held.subarray(0, length);
    const from = begin ?? 0;
    for (let at = bytes.indexOf(lf, scanned); at !== -1; at = bytes.indexOf(lf, at + 1)) {
      scanned = at;
      if (at + 1 >= length) return undefined;
      if (bytes[at + 1] === lf) return close(from, at + 1, at + 2, true);
      if (bytes[at + 1] === cr) {
        if (at + 2 >= length) return undefined;
        if (bytes[at + 2] === lf) return close(from, at + 1, at + 3, true);
      }
      const end = bytes[at + 1] === dash ? delimiterEnd(bytes, at, final) : blankLineEnd(bytes, at, final);
      if (end === "unknown") return undefined;
      if (end !== undefined) return close(from, end, at + 1, true, true);
    }
    if (scanned < length && bytes[scanned] !== lf) scanned = length;
    return undefined;
  }

  /** The line from `from` on as far as it is looked at; undefined while more of it may come. */
  function lineFrom(bytes: Buffer, from: number, most: number, final: boolean): string | undefined {
    const seen = bytes.subarray(from, from + most);
    const end = seen.indexOf(lf);
    if (end === -1 && seen.length < most && !final) return undefined;
    return seen.toString("latin1", 0, end === -1 ? seen.length : end);
  }

  /**
   * Where the section ends if the line that ends at `at` is one of blanks, as some programs write the empty line, and what follows is no field.
   * A fold of blanks alone is obsolete syntax (RFC 5322 §4.2), after which a field goes on or the next one begins.
   */
  function blankLineEnd(bytes: Buffer, at: number, final: boolean): number | "unknown" | undefined {
    const least = Math.max(begin ?? 0, at - maxLineBytes);
    let start = bytes[at - 1] === cr ? at - 1 : at;
    const contentEnd = start;
    while (start > least && isBlank(bytes[start - 1])) start--;
    if (start === contentEnd || (start > (begin ?? 0) && bytes[start - 1] !== lf) || isBlank(bytes[at + 1]))
      return undefined;
    const next = lineFrom(bytes, at + 1, maxLineBytes, final);
    if (next === undefined) return "unknown";
    return fieldStart.test(next) ? undefined : start;
  }

  /** Where the section ends if the line after `at` is the first delimiter of the multipart that the fields before it declare. */
  function delimiterEnd(bytes: Buffer, at: number, final: boolean): number | "unknown" | undefined {
    if (bytes[at + 2] !== dash && at + 2 < length) return blankLineEnd(bytes, at, final);
    const line = lineFrom(bytes, at + 1, maxDelimiterBytes, final);
    if (line === undefined) return "unknown";
    if (at > dashedAt && dashedLines < maxDashedLines) {
      dashedAt = at;
      dashedLines++;
      const root = partHead(splitHeader(bytes.toString("latin1", begin ?? 0, at + 1)));
      const boundary = root.type.startsWith("multipart/") ? declaredBoundary(root) : undefined;
      if (boundary !== undefined && line.trimEnd() === `--${boundary}`) return at + 1;
    }
    return blankLineEnd(bytes, at, final);
  }

  function advance(final: boolean): Uint8Array | undefined {
    const decided = decideBegin(final);
    if (typeof decided !== "boolean") return decided;
    return decided ? scan(final) : undefined;
  }

  return {
    push(chunk) {
      if (head !== undefined) return chunk;
      if (chunk.length === 0) return undefined;
      const room = limit - length;
      append(chunk.length > room ? chunk.subarray(0, room) : chunk);
      const body =
        advance(length === limit) ?? (length === limit ? close(begin ?? 0, length, length, false) : undefined);
      if (body === undefined || chunk.length <= room) return body;
      const beyond = chunk.subarray(room);
      return body.length === 0 ? beyond : Buffer.concat([body, beyond]);
    },
    end() {
      if (head !== undefined) return undefined;
      return advance(true) ?? close(begin ?? 0, length, length, true);
    },
    head: () => head,
  };
}

const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09;
