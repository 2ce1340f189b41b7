/** Takes the parts of a message as they stream by: keeps the text, measures and hashes the rest, and lets readers look inside. */
import { createHash } from "node:crypto";
import type { NestedMessage } from "../model/event.ts";
import type { RawField } from "./header.ts";
import { maxHtmlChars, maxTextChars } from "./limits.ts";
import { type PartHead, partHead } from "./part.ts";
import { maxAllPeekBytes, maxPeeks, type Peek, peekedBytes, peekOf } from "./structure.ts";
import { maxPushBytes, type TransferDecoder, transferDecoder } from "./transfer.ts";
import { childId, type Part, roleOf } from "./tree.ts";

/** Decoded bytes of all text parts together: three times what the event keeps, for text that is three bytes a character. */
const maxTextBytes = { plain: 3 * maxTextChars, html: 3 * maxHtmlChars };
/** What tells the type of a file. */
const headBytes = 4096;
/** A thousand files with the text around them. The others are in the raw message. */
export const maxParts = 1_099;

/** A file found inside of a part. */
export interface InnerFile {
  readonly name: string | null;
  readonly contentType: string | null;
  readonly size: number;
  readonly sha256: string;
  readonly head: Buffer;
  readonly contentId: string | null;
}

/** What a look into a part found. */
export interface Found {
  readonly nested?: NestedMessage;
  readonly files?: readonly InnerFile[];
  /** Text and html of the message that the part holds, for a message that has none of its own. */
  readonly text?: string;
  readonly html?: string;
  /** It holds a text as RTF, which is not read, and in no other form. */
  readonly rtfOnly?: boolean;
  readonly anomalies?: readonly { readonly code: string; readonly detail?: string }[];
}

/** Reads inside a part while it streams. What it is given is its own to keep. */
export interface Inside {
  push(bytes: Buffer): Promise<void> | undefined;
  end(): Promise<Found> | Found;
}

/** What is known of an attachment once it has streamed by. */
export interface Draft {
  readonly part: Part;
  readonly size: number;
  readonly sha256: string;
  /** Its first bytes. */
  readonly head: Buffer;
  /** Decoded by something that is no encoding of MIME. */
  readonly transferDecoded: string | null;
  readonly found: Found;
}

export interface Collected {
  readonly root: Part | undefined;
  readonly drafts: readonly Draft[];
  readonly peeks: readonly Peek[];
  readonly anomalies: readonly { readonly code: string; readonly detail?: string }[];
}

export interface CollectOptions {
  /** Undefined where nothing looks inside this part. */
  readonly look?: (head: PartHead, part: Part) => Inside | undefined;
  /** False for messages inside a message, whose attachments are only named. */
  readonly hashed: boolean;
}

/** One open leaf of the tree. */
interface Leaf {
  push(decoded: Uint8Array): Promise<void> | undefined;
  end(): Promise<void> | undefined;
}

export class Collector {
  readonly #options: CollectOptions;
  readonly #drafts: Draft[] = [];
  readonly #peeks: Peek[] = [];
  #peekRoom = maxAllPeekBytes;
  readonly #anomalies: { code: string; detail?: string }[] = [];
  #root: Part | undefined;
  #parts = 0;
  #bodySeen = false;
  readonly #textRoom = { plain: maxTextBytes.plain, html: maxTextBytes.html };
  #open: { readonly part: Part; readonly leaf: Leaf; readonly decoder: TransferDecoder } | undefined;

  constructor(options: CollectOptions) {
    this.#options = options;
  }

  note(code: string, detail?: string): void {
    if (this.#anomalies.length < 1000) this.#anomalies.push(detail === undefined ? { code } : { code, detail });
  }

  /** The header of the next part. `boundary`: for a multipart, whether it can have parts; what cannot is text. Answers undefined beyond the limit. */
  part(fields: readonly RawField[], parent: Part | undefined, boundary: boolean): Part | undefined {
    if (++this.#parts > maxParts) {
      if (this.#parts === maxParts + 1) this.note("parts_cut", `only the first ${maxParts} parts are read`);
      return undefined;
    }
    const read = partHead(fields, parent?.head.type === "multipart/digest" ? "message/rfc822" : "text/plain");
    const isContainer = read.type.startsWith("multipart/");
    if (isContainer && !boundary) this.note("no_boundary");
    const head = isContainer && !boundary ? { ...read, type: "text/plain" } : read;
    for (const code of head.anomalies) this.note(code, code === "charset_guess" ? "filename" : undefined);
    const role = roleOf(head, parent, this.#bodySeen);
    const part: Part = { head, id: childId(parent, head), parent, children: [], content: undefined };
    if (parent === undefined) this.#root ??= part;
    else {
      parent.children.push(part);
      // A preamble; the text of a multipart only where it has no parts.
      parent.content = undefined;
    }
    const leaf =
      role === "attachment"
        ? this.#attachment(part)
        : role === "body"
          ? this.#text(part)
          : role === "container"
            ? this.#preamble(part)
            : undefined;
    if (role === "body") this.#bodySeen = true;
    this.#open =
      leaf === undefined
        ? undefined
        : { part, leaf, decoder: transferDecoder(role === "container" ? "identity" : head.encoding) };
    return part;
  }

  /** Bytes of a part as they stand in the message; those of another than the last one opened are of no interest. */
  push(part: Part | undefined, bytes: Uint8Array): Promise<void> | undefined {
    const open = this.#open;
    if (open === undefined || open.part !== part || bytes.length === 0) return undefined;
    if (bytes.length <= maxPushBytes) return open.leaf.push(open.decoder.push(bytes));
    return (async () => {
      for (let at = 0; at < bytes.length; at += maxPushBytes) {
        await open.leaf.push(open.decoder.push(bytes.subarray(at, at + maxPushBytes)));
      }
    })();
  }

  /** The part that is open has ended. */
  close(): Promise<void> | undefined {
    const open = this.#open;
    if (open === undefined) return undefined;
    this.#open = undefined;
    const rest = open.decoder.end();
    const pushed = rest.length === 0 ? undefined : open.leaf.push(rest);
    if (open.decoder.trailer) this.note("base64_trailer");
    if (open.decoder.unencoded === true) this.note("bad_base64");
    return pushed === undefined ? open.leaf.end() : pushed.then(() => open.leaf.end());
  }

  /** The message was cut off: a text that is open is kept as far as it came; of an attachment neither size nor hash would be true. */
  async cut(code: string, detail: string): Promise<void> {
    this.note(code, detail);
    if (this.#open?.part.head !== undefined && this.#isText(this.#open.part)) await this.close();
    this.#open = undefined;
  }

  done(): Collected {
    return { root: this.#root, drafts: this.#drafts, peeks: this.#peeks, anomalies: this.#anomalies };
  }

  readonly #texts = new WeakSet<Part>();
  #isText(part: Part): boolean {
    return this.#texts.has(part);
  }

  #text(part: Part): Leaf {
    this.#texts.add(part);
    const kept: Buffer[] = [];
    const kind = part.head.type === "text/html" ? "html" : "plain";
    let cut = false;
    return {
      push: (decoded) => {
        const room = this.#textRoom[kind];
        if (decoded.length > room) cut = true;
        if (room <= 0) return undefined;
        const taken = Buffer.from(decoded.length > room ? decoded.subarray(0, room) : decoded);
        this.#textRoom[kind] -= taken.length;
        kept.push(taken);
        return undefined;
      },
      end: () => {
        const bytes = kept.length === 1 && kept[0] !== undefined ? kept[0] : Buffer.concat(kept);
        // The line end before a delimiter belongs to it (RFC 2046 §5.1.1), which is left to us where a multipart has no parts.
        const isInner = part.parent !== undefined && part.head.declared?.startsWith("multipart/") === true;
        part.content = { bytes: cut ? wholeLines(bytes) : isInner ? withoutLineEnd(bytes) : bytes, cut };
        return undefined;
      },
    };
  }

  /** What stands before the first part of a multipart is the text of one that has no parts. */
  #preamble(part: Part): Leaf {
    const text = this.#text(part);
    return {
      push: text.push,
      end: () => {
        if (part.children.length > 0) return undefined;
        return text.end();
      },
    };
  }

  #attachment(part: Part): Leaf {
    const { head } = part;
    const { hashed, look } = this.#options;
    const hash = hashed ? createHash("sha256") : undefined;
    const inside = look?.(head, part);
    const first = beginning(hashed ? headBytes : 0);
    const room = this.#peeks.length < maxPeeks ? this.#peekRoom : 0;
    const wanted = hashed ? Math.min(peekedBytes(head.type, head.filename), room) : 0;
    const peek = wanted > 0 ? beginning(wanted) : undefined;
    let size = 0;
    return {
      push: (decoded) => {
        size += decoded.length;
        hash?.update(decoded);
        first.take(decoded);
        peek?.take(decoded);
        return inside?.push(Buffer.from(decoded));
      },
      end: () => {
        if (peek !== undefined) {
          const kept = peekOf(head, peek.bytes());
          this.#peekRoom -= kept.bytes.length;
          this.#peeks.push(kept);
        }
        const finish = (found: Found): void => {
          const transferDecoded = head.encoding === "uuencode" ? "uuencode" : null;
          const sha256 = hash?.digest("hex") ?? "";
          this.#drafts.push({ part, size, sha256, head: first.bytes(), transferDecoded, found });
          for (const { code, detail } of found.anomalies ?? []) this.note(code, detail);
        };
        const found = inside?.end() ?? {};
        if (found instanceof Promise) return found.then(finish);
        finish(found);
        return undefined;
      },
    };
  }
}

/** The first bytes of what streams by, copied. */
export function beginning(most: number): { take(bytes: Uint8Array): void; bytes(): Buffer } {
  const kept: Buffer[] = [];
  let room = most;
  return {
    take(bytes) {
      if (room <= 0) return;
      const taken = Buffer.from(bytes.length > room ? bytes.subarray(0, room) : bytes);
      room -= taken.length;
      kept.push(taken);
    },
    bytes: () => (kept.length === 1 && kept[0] !== undefined ? kept[0] : Buffer.concat(kept)),
  };
}

function withoutLineEnd(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}

/** Without the line that the limit cut, so that no character is cut in two; of a very long line, without the bytes of half a character. */
function wholeLines(bytes: Buffer): Buffer {
  const at = bytes.lastIndexOf(0x0a);
  if (at !== -1 && at >= bytes.length - 65_536) return bytes.subarray(0, at + 1);
  let end = bytes.length;
  while (end > bytes.length - 4 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, ((bytes[end - 1] ?? 0) & 0xc0) === 0xc0 ? end - 1 : end);
}
