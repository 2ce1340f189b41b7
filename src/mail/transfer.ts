/** Undoes transfer encodings (RFC 2045 §6) while a part streams, with constant memory, in all the damage that mail does to them. */
import { base64Decoder } from "./transfer/base64.ts";
import { quotedPrintableDecoder } from "./transfer/quoted-printable.ts";
import { uuDecoder } from "./transfer/uuencode.ts";

/** The most bytes that one `push` takes: its answer lies in memory that all decoders share. */
export const maxPushBytes = 64 * 1024;

export interface TransferDecoder {
  /** The decoded bytes, valid until the next call to any decoder: copy what is kept. At most `maxPushBytes` go in. */
  push(bytes: Uint8Array): Uint8Array;
  end(): Uint8Array;
  /** Something that is not encoded stood behind the encoded content, and was left out. */
  readonly trailer: boolean;
  /** What claims to be encoded is not, and was passed on as it stands. */
  readonly unencoded?: boolean;
}

export type TransferEncoding = "base64" | "quoted-printable" | "uuencode" | "identity";

/** `written` is the value of Content-Transfer-Encoding without comments, in lower case. Unknown ones are no encoding. */
export function transferEncoding(written: string): TransferEncoding {
  const name = written.replace(/["\s]/g, "").slice(0, 40);
  if (name === "base64" || name === "base-64") return "base64";
  if (name === "quoted-printable" || name === "quotedprintable") return "quoted-printable";
  // Written before MIME, and by some Unix programs to this day.
  return /^(?:x-)?uu(?:encode|e)?$/.test(name) ? "uuencode" : "identity";
}

const nothing = new Uint8Array(0);

export function transferDecoder(encoding: TransferEncoding): TransferDecoder {
  switch (encoding) {
    case "base64":
      return base64Decoder();
    case "quoted-printable":
      return quotedPrintableDecoder();
    case "uuencode":
      return uuDecoder();
    case "identity":
      return { push: (bytes) => bytes, end: () => nothing, trailer: false };
    default:
      return encoding satisfies never;
  }
}
