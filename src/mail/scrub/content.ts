/** Replaces the content of one part, block by block: as many bytes come out, and every line ends where it did. */
import { isFooter, isProse } from "../transfer/base64.ts";
import type { TransferEncoding } from "../transfer.ts";
import { replaceCalendar } from "./calendar.ts";
import { replaceInBytes } from "./charset.ts";
import { base64Pieces, escaped, refill, refillPieces, unfolded } from "./escapes.ts";
import { replaceHeader } from "./header.ts";
import { replaceHtml } from "./html.ts";
import type { StandIns } from "./stand-in.ts";
import { replaceText, type Within } from "./text.ts";
import { aroundYenc } from "./yenc.ts";

export type Kind = "text" | "html" | "calendar" | "fields" | "file" | "message";

export interface Content {
  readonly kind: Kind;
  readonly encoding: TransferEncoding;
  readonly charset: string | null;
  /** Of a message inside: the walk over it. */
  readonly nested: (bytes: Buffer) => Buffer;
}

/** Of a part that is longer each block is replaced for itself. */
export const blockBytes = 1024 * 1024;

export interface Replacing {
  /** `first`: the beginning of the part. */
  block(raw: Buffer, first: boolean): Buffer;
}

export function replacing(content: Content, standIns: StandIns): Replacing {
  /** What calls itself base64 and begins with prose is none, to its end. */
  let prose = false;
  const state: State = { within: { file: undefined }, yenc: false };
  return {
    block(raw, first) {
      if (raw.length === 0) return raw;
      if (first) prose = content.encoding === "base64" && isProse(firstLine(raw));
      if (content.encoding === "base64" && !prose) return inBase64(raw, content, standIns, first, state);
      if (content.encoding === "quoted-printable") {
        const slots = escaped(raw, 0x3d, true);
        return refill(raw, slots, decoded(slots.bytes, content, standIns, first, state), "=\r\n");
      }
      if (content.kind === "file" && content.encoding === "identity") return fileLines(raw, standIns);
      if (content.kind === "message" && content.encoding === "identity")
        return nestedLines(raw, content, standIns, first);
      const plain = content.encoding === "identity" ? content : { ...content, kind: "text" as const };
      return decoded(raw, plain, standIns, first, state);
    },
  };
}

function firstLine(raw: Buffer): string {
  return raw.toString("latin1", 0, 2_000).trimStart().split("\n", 1)[0]?.slice(0, 1_000).trim() ?? "";
}

/** Of a part that comes in blocks: the encoded file in which the last one ended. */
interface State {
  readonly within: Within;
  yenc: boolean;
}

const outside = (): State => ({ within: { file: undefined }, yenc: false });

/** The bytes of a part, no matter how they were written. */
function decoded(
  bytes: Buffer,
  { kind, charset, nested }: Content,
  standIns: StandIns,
  first: boolean,
  state = outside(),
): Buffer {
  switch (kind) {
    case "text":
      return aroundYenc(bytes, standIns, state, (part) =>
        replaceInBytes(part, charset, standIns, (text, fits) =>
          replaceText(text, { standIns, fits, within: state.within }),
        ),
      );
    case "html": {
      const named = /charset\s*=\s*["']?([\w.:-]{1,40})/i.exec(bytes.toString("latin1", 0, 2_000))?.[1] ?? null;
      return replaceInBytes(bytes, charset ?? named, standIns, (text, fits) => replaceHtml(text, { standIns, fits }));
    }
    case "calendar": {
      const slots = unfolded(bytes);
      const made = replaceInBytes(slots.bytes, charset ?? "utf-8", standIns, (text, fits) =>
        replaceCalendar(text, { standIns, fits }),
      );
      return refill(bytes, slots, made, "\r\n");
    }
    case "fields":
      return replaceHeader(bytes, standIns);
    case "message":
      if (!/^\s{0,20}(?:From |>From |[!-9;-~]{1,60}[ \t]*:)/.test(bytes.toString("latin1", 0, 100)))
        return noise(bytes, standIns, first ? signatureLength(bytes) : 0);
      return nested(bytes);
    case "file":
      return noise(bytes, standIns, first ? signatureLength(bytes) : 0);
    default:
      return kind satisfies never;
  }
}

const leastBase64Chars = 20;

function inBase64(raw: Buffer, content: Content, standIns: StandIns, first: boolean, state: State): Buffer {
  const lines = raw.toString("latin1").split("\n");
  const usual = lines.find((line) => line.trim() !== "")?.trim().length ?? 0;
  let ended = false;
  /** Footers that lists and scanners put below: words, which are replaced as words. */
  const footer = lines.map((line) => {
    const text = line.trim();
    if (text === "" || /^=+$/.test(text)) return false;
    const after = ended && (text.length < leastBase64Chars || text.length % 4 !== 0);
    if (text.length < usual || text.endsWith("=")) ended = true;
    return after || isFooter(text) || isProse(text);
  });
  const pieces = base64Pieces(raw, (line) => footer[line] === true);
  const isText = content.kind !== "file" && content.kind !== "message";
  // Text that decodes to no text was never encoded, or is not what it says: nothing of it may stay.
  const opaque = isText && unprintable(pieces.bytes, content.charset);
  const made = decoded(pieces.bytes, opaque ? { ...content, kind: "file" } : content, standIns, first, state);
  const out = refillPieces(raw, pieces, made);
  if (!footer.includes(true)) return out;
  const put = out.toString("latin1").split("\n");
  const bytes = (line: string): string =>
    decoded(Buffer.from(line, "latin1"), { ...content, kind: "text" }, standIns, false).toString("latin1");
  return Buffer.from(put.map((line, index) => (footer[index] === true ? bytes(line) : line)).join("\n"), "latin1");
}

function unprintable(bytes: Buffer, charset: string | null): boolean {
  if (/utf-?(?:16|32)|ucs/i.test(charset ?? "") || bytes[0] === 0xff || bytes[0] === 0xfe) return false;
  return bytes.some(
    (byte) =>
      byte < 0x20 &&
      byte !== 0x0a &&
      byte !== 0x0d &&
      byte !== 0x09 &&
      byte !== 0x0c &&
      byte !== 0x1b &&
      byte !== 0x0e &&
      byte !== 0x0f &&
      byte !== 0,
  );
}

function noise(bytes: Buffer, standIns: StandIns, kept: number): Buffer {
  return Buffer.concat([bytes.subarray(0, kept), standIns.bytes(bytes.subarray(kept), "file")]);
}

function nestedLines(raw: Buffer, content: Content, standIns: StandIns, first: boolean): Buffer {
  const made = decoded(raw, content, standIns, first);
  // No message: its line ends are those of the mail around it.
  return raw.includes("\n") && !made.includes("\n") ? fileLines(raw, standIns) : made;
}

/** A file that is not encoded: its line ends are the message's, seven bits stay seven bits. */
function fileLines(raw: Buffer, standIns: StandIns): Buffer {
  const made = standIns.bytes(raw, "file");
  let lineStart = 0;
  let kept = false;
  for (let at = 0; at < raw.length; at++) {
    const byte = raw[at] ?? 0;
    if (at === lineStart)
      kept = /^-----(?:BEGIN|END) PGP [A-Z ]{3,30}-----[ \t]*\r?(?:\n|$)/.test(raw.toString("latin1", at, at + 80));
    if (byte === 0x0a || byte === 0x0d || kept) made[at] = byte;
    // No dash and no dot: a line must not come to be a delimiter, or the end of a mail.
    else made[at] = byte < 0x80 ? 0x3f + ((made[at] ?? 0) % 0x40) : 0x80 | (made[at] ?? 0);
    if (byte === 0x0a) lineStart = at + 1;
  }
  return made;
}

/** By its first bytes everybody knows what kind of file one is; they are the same in all of them. */
const signatures: readonly Buffer[] = [
  ...[
    "%PDF-1.",
    "%!PS",
    "\x89PNG\r\n\x1a\n",
    "\xff\xd8\xff",
    "GIF87a",
    "GIF89a",
    "PK\x03\x04",
    "PK\x05\x06",
    "MZ",
    "\x7fELF",
    "7z\xbc\xaf\x27\x1c",
    "Rar!\x1a\x07",
  ],
  ...[
    "\x1f\x8b\x08",
    "BZh",
    "\xfd7zXZ\x00",
    "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "\x78\x9f\x3e\x22",
    "{\\rtf1",
    "II*\x00",
    "MM\x00*",
    "ID3",
    "OggS",
    "RIFF",
    "BM",
    "wOFF",
  ],
].map((text) => Buffer.from(text, "latin1"));
/** RFC 5652: 1.2.840.113549.1.7.n, behind a few bytes of lengths. */
const cms = Buffer.from("06092a864886f70d0107", "hex");
const maxCmsStart = 16;

function signatureLength(bytes: Buffer): number {
  const found = signatures.find((signature) => bytes.subarray(0, signature.length).equals(signature));
  if (found !== undefined) return found.length;
  if (bytes.toString("latin1", 4, 8) === "ftyp") return 12;
  const at = bytes[0] === 0x30 ? bytes.subarray(0, maxCmsStart + cms.length).indexOf(cms) : -1;
  return at === -1 ? 0 : at + cms.length + 1;
}
