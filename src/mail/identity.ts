/** The identity of a message: its Message-ID and a digest of what its author wrote, computed while the bytes stream by. */
import { createHash, type Hash, hash as hashOf } from "node:crypto";
import { decidingHeaders } from "./automated/machine-headers.ts";
import { collectHead } from "./head.ts";
import { type RawField, splitHeader, unfold, valuesOf } from "./header.ts";
import { messageId } from "./message-id.ts";

export interface Identity {
  /** Normalised `<...>`; null when there is none that could be used. */
  readonly messageId: string | null;
  /** SHA-256 of the author's headers and the body, 64 hex characters. */
  readonly digest: string;
  /** How many relays have handled the message (RFC 5321 §4.4). */
  readonly receivedCount: number;
  /** Of the header section, up to 1 MiB. */
  readonly headerBytes: number;
  /** All raw values of a header, unfolded, one character per byte, in wire order. */
  headers(name: string): readonly string[];
}

export interface IdentityStream {
  update(chunk: Uint8Array): void;
  /** Once, after the last byte. */
  finish(): Identity;
}

/**
 * What the author sets, and what decides how the mail is read and classed (automated.ts). A copy that differs in one of the latter is another
 * mail: otherwise whoever sees a mail first could send it again as an automatic reply, and the real one would be taken for a duplicate of a
 * mail that was skipped. In this order in the digest, whatever their order on the wire.
 */
const identifying = [
  ...["from", "date", "subject", "message-id"],
  ...["content-type", "content-transfer-encoding"],
  ...decidingHeaders,
];
const isIdentifying = new Set(identifying);
const lf = 0x0a;
const cr = 0x0d;
const lineEnd = Buffer.from("\r\n");
/** Blank lines held back are counted, and written in pieces of this many. */
const manyLineEnds = Buffer.from("\r\n".repeat(4096));

/**
 * The digest is the SHA-256 of a text that reads like a message: one line `name:value` for each identifying
 * field in that order, repeated fields in wire order, each value unfolded and so free of CR and LF; an empty line; the body with
 * line ends as CRLF and the blank lines at its end cut. Names and line ends delimit, so different messages never give the same text.
 * Trace headers stay out: the same mail by two paths is one mail. Independent of chunking, and of LF or CRLF on the way.
 * Of a header section over 1 MiB, what follows counts as body. Constant memory; 4 KiB take about 15 microseconds (bench/parse.ts).
 */
export function createIdentity(): IdentityStream {
  const hash = openDigest();
  const head = collectHead();
  const body = canonicalBody((bytes) => hash.update(bytes));
  let fields: readonly RawField[] | undefined;
  let headerBytes = 0;
  let seen = 0;

  /** Once the header section is known, its lines go into the hash before the first byte of the body. */
  function settleHead(): readonly RawField[] {
    if (fields !== undefined) return fields;
    const section = head.head()?.section ?? "";
    headerBytes = section.length;
    fields = splitHeader(section);
    let text = "";
    const counted = fields.filter(({ key }) => isIdentifying.has(key));
    for (const name of identifying) {
      for (const field of counted) if (field.key === name) text += `${name}:${unfold(field.raw)}\r\n`;
    }
    hash.update(Buffer.from(`${text}\r\n`, "latin1"));
    return fields;
  }

  return {
    update(chunk) {
      // The memory of a later chunk may be used again when this returns.
      if (seen >= wholeBytes) hash.keepNothing();
      seen += chunk.length;
      const rest = head.push(chunk);
      if (rest === undefined) return;
      settleHead();
      body.update(rest);
    },
    finish() {
      const rest = head.end();
      const known = settleHead();
      if (rest !== undefined) body.update(rest);
      body.finish();
      const first = known.find((field) => field.key === "message-id");
      return {
        messageId: first === undefined ? null : messageId(first.raw).id,
        digest: hash.digest(),
        receivedCount: known.reduce((count, field) => (field.key === "received" ? count + 1 : count), 0),
        headerBytes,
        headers: (name) => valuesOf(known, name.toLowerCase()),
      };
    },
  };
}

/** What is hashed in one call. A chunk that begins later may have to be given back (model/source.ts). */
const wholeBytes = 64 * 1024;
const whole = Buffer.allocUnsafeSlow(wholeBytes);

/** SHA-256 in hex. Small messages are kept by reference and hashed at the end in one call: a Hash of its own costs more than their bytes do. */
function openDigest() {
  let kept: Uint8Array[] = [];
  let keptBytes = 0;
  let hash: Hash | undefined;

  function started(): Hash {
    hash ??= createHash("sha256");
    for (const early of kept) hash.update(early);
    kept = [];
    return hash;
  }

  return {
    update(bytes: Uint8Array): void {
      if (hash === undefined && keptBytes + bytes.length <= wholeBytes) {
        kept.push(bytes);
        keptBytes += bytes.length;
        return;
      }
      started().update(bytes);
    },
    keepNothing(): void {
      if (hash === undefined) started();
    },
    digest(): string {
      if (hash !== undefined) return hash.digest("hex");
      let at = 0;
      for (const bytes of kept) {
        whole.set(bytes, at);
        at += bytes.length;
      }
      return hashOf("sha256", whole.subarray(0, at), "hex");
    },
  };
}

/**
 * The digest of a mail that came with the null reverse-path, which makes it a machine's (RFC 5321 §4.5.5): the same bytes from a person are
 * another mail, and must not be taken for a duplicate of it.
 */
export function nullSenderDigest(digest: string): string {
  return hashOf("sha256", `null reverse-path\r\n${digest}`, "hex");
}

/**
 * Line ends as CRLF, blank lines at the end cut. Line ends are held back until something follows them; a CR at the end of a chunk
 * is held back until it is known whether it begins a line end. A CR elsewhere is content.
 */
function canonicalBody(write: (bytes: Uint8Array) => void) {
  let heldLineEnds = 0;
  let heldCr = false;

  function release(): void {
    for (; heldLineEnds >= 4096; heldLineEnds -= 4096) write(manyLineEnds);
    if (heldLineEnds > 0) write(manyLineEnds.subarray(0, 2 * heldLineEnds));
    heldLineEnds = 0;
  }

  function update(chunk: Uint8Array): void {
    let start = 0;
    let end = chunk.length;
    if (end === 0) return;
    if (heldCr) {
      heldCr = false;
      if (chunk[0] === lf) {
        heldLineEnds++;
        start = 1;
      } else {
        release();
        write(lineEnd.subarray(0, 1));
      }
    }
    if (end > start && chunk[end - 1] === cr) {
      heldCr = true;
      end--;
    }
    let trailing = 0;
    while (end > start && chunk[end - 1] === lf) {
      end--;
      if (end > start && chunk[end - 1] === cr) end--;
      trailing++;
    }
    if (end > start) {
      release();
      write(withCrlf(Buffer.from(chunk.buffer, chunk.byteOffset + start, end - start)));
    }
    heldLineEnds += trailing;
  }

  return {
    update,
    finish(): void {
      if (!heldCr) return;
      release();
      write(lineEnd.subarray(0, 1));
    },
  };
}

/** The same bytes where every LF has its CR already, as SMTP demands (RFC 5321 §2.3.8); otherwise a copy. */
function withCrlf(bytes: Buffer): Buffer {
  for (let at = bytes.indexOf(lf); at !== -1; at = bytes.indexOf(lf, at + 1)) {
    if (at === 0 || bytes[at - 1] !== cr)
      return Buffer.from(bytes.toString("latin1").replace(/\r?\n/g, "\r\n"), "latin1");
  }
  return bytes;
}
