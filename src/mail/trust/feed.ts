/** Hands a message to the verifier in pieces that cost no more than their size, and stops where one would. */

/** Why a message is not verified: it costs more than a mail may. */
export class Unverifiable extends Error {
  override readonly name = "Unverifiable";
}

const pieceBytes = 64 * 1024;
/** Honest headers, with all seals of a long forwarding chain, stay below 100 KiB; splitting them costs more than linear time. */
export const maxHeaderBytes = 256 * 1024;
/** The verifier puts folded lines together in the square of their number: 21,000 of them, in 64 KiB, took 6.6 s. Honest mail has some hundred. */
export const maxHeaderLines = 5_000;
/**
 * Canonicalisation looks at an unfinished line again with every piece. RFC 5322 §2.1.1 allows 998 characters; some clients put a whole html
 * part into one line.
 */
export const maxLineBytes = 1024 * 1024;

const CR = 0x0d;
const LF = 0x0a;

export interface Sink {
  readonly state: "header" | "body";
  readonly headerBytes: number;
  writeAsync(chunk: Buffer): Promise<void>;
}

/**
 * Bare LFs become CRLF here: the verifier would make a piece of every line, which cost 7.6 s for 25 MB of them (and a copy with bare LFs
 * still verifies, as mail stores hand it out).
 */
export async function feed(mail: AsyncIterable<Uint8Array>, sink: Sink): Promise<void> {
  let last = 0;
  let lineBytes = 0;
  let headerLines = 0;
  for await (const chunk of mail) {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      const piece = chunk.subarray(at, at + pieceBytes);
      const { bare, longest, open } = measure(piece, last, lineBytes);
      if (longest > maxLineBytes) throw new Unverifiable("a line is longer than 1 MiB");
      if (sink.state === "header") headerLines += linesOfHeader(piece, lineBytes);
      if (headerLines > maxHeaderLines) throw new Unverifiable(`the header has more than ${maxHeaderLines} lines`);
      await sink.writeAsync(bare === 0 ? asBuffer(piece) : withReturns(piece, last, bare));
      if (sink.state === "header" && sink.headerBytes > maxHeaderBytes)
        throw new Unverifiable("the header is longer than 256 KiB");
      lineBytes = open;
      last = piece[piece.length - 1] ?? last;
    }
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Bare LFs, the longest line, and how much of the last one is open at the end. */
function measure(piece: Uint8Array, last: number, before: number): { bare: number; longest: number; open: number } {
  let bare = 0;
  let longest = 0;
  let start = -before;
  for (let at = piece.indexOf(LF); at !== -1; at = piece.indexOf(LF, at + 1)) {
    if ((at === 0 ? last : piece[at - 1]) !== CR) bare++;
    if (at - start > longest) longest = at - start;
    start = at + 1;
  }
  const open = piece.length - start;
  return { bare, longest: Math.max(longest, open), open };
}

/** Up to the empty line, or the end of the piece. `before`: how much of its first line stood in the last one. */
function linesOfHeader(piece: Uint8Array, before: number): number {
  let lines = 0;
  let start = -before;
  for (let at = piece.indexOf(LF); at !== -1; at = piece.indexOf(LF, at + 1)) {
    const length = at - start;
    if (length === 0 || (length === 1 && (at === 0 || piece[at - 1] === CR))) return lines;
    lines++;
    start = at + 1;
  }
  return lines;
}

function withReturns(piece: Uint8Array, last: number, bare: number): Buffer {
  const out = Buffer.allocUnsafe(piece.length + bare);
  let to = 0;
  let before = last;
  for (const byte of piece) {
    if (byte === LF && before !== CR) out[to++] = CR;
    out[to++] = byte;
    before = byte;
  }
  return out;
}
