/** Tells from the first bytes of a file that nobody here can read what is in it: OpenPGP, CMS (S/MIME), and a few others. Nothing is decrypted. */
import type { FindingCode } from "./findings.ts";

export interface Sealed {
  readonly code: Extract<FindingCode, "encrypted_file" | "archive_unlisted">;
  readonly what: string;
}

const encrypted = (what: string): Sealed => ({ code: "encrypted_file", what });

/** Of a binary file. */
export const sealedBytes = (head: Buffer): Sealed | undefined =>
  isPgpMessage(head) ? encrypted("OpenPGP") : cmsOf(head);

/** RFC 9580 §6.2: what begins so is compressed, signed or encrypted, and nothing of it can be seen from outside. */
const armours: readonly (readonly [string, string])[] = [
  ["-----BEGIN PGP MESSAGE", "OpenPGP"],
  ["-----BEGIN AGE ENCRYPTED FILE-----", "age"],
];
const pem = /^-----BEGIN (?:PKCS7|CMS|PKCS #7 SIGNED DATA)-----\s+([A-Za-z0-9+/\s]{16,400})/;

/** Of a text, without blanks before it. */
export function sealedText(text: string): Sealed | undefined {
  const armour = armours.find(([begin]) => text.startsWith(begin));
  if (armour !== undefined) return encrypted(armour[1]);
  const base64 = pem.exec(text)?.[1];
  return base64 === undefined ? undefined : cmsOf(Buffer.from(base64, "base64"));
}

/** Public-key encrypted (tag 1) or password-encrypted (tag 3) session keys, which every encrypted message begins with (RFC 9580 §5.1, §5.3). */
function isPgpMessage(head: Buffer): boolean {
  const [first = 0, length = 0] = head;
  const isNew = (first & 0xc0) === 0xc0;
  if (!isNew && (first & 0xc3) > 0x82) return false;
  const tag = isNew ? first & 0x3f : (first & 0x3c) >> 2;
  // RFC 9580 §4.2: how long the packet is stands in one to five bytes.
  const lengthBytes = isNew ? (length < 192 ? 1 : length < 224 ? 2 : 5) : 1 << (first & 3);
  const body = head.subarray(1 + lengthBytes);
  if (body.length < 12 || (first & 0x80) === 0) return false;
  if (tag === 1) return body[0] === 6 || (body[0] === 3 && keyAlgorithms.has(body[9] ?? 0));
  return tag === 3 && (body[0] === 4 || body[0] === 5 || body[0] === 6) && (body[1] ?? 0) < 14;
}

const keyAlgorithms: ReadonlySet<number> = new Set([1, 2, 16, 18, 25, 26]);

/** 1.2.840.113549.1.7.n and 1.2.840.113549.1.9.16.1.23, with what stands before each in DER. */
const cmsOid = Buffer.from("06092a864886f70d0107", "hex");
const authEnveloped = Buffer.from("060b2a864886f70d0109100117", "hex");

/** RFC 5652 §3: a ContentInfo, whose type says what kind of envelope it is. */
function cmsOf(head: Buffer): Sealed | undefined {
  const inside = contentAt(head, 0, 0x30);
  if (inside === undefined) return undefined;
  if (head.indexOf(authEnveloped) === inside) return encrypted("S/MIME");
  if (head.indexOf(cmsOid) !== inside) return undefined;
  const kind = head[inside + cmsOid.length];
  // envelopedData and encryptedData.
  if (kind === 3 || kind === 6) return encrypted("S/MIME");
  return kind === 2 && holdsContent(head, inside + cmsOid.length + 1)
    ? { code: "archive_unlisted", what: "S/MIME, signed" }
    : undefined;
}

/** RFC 5652 §5.1: signed data carries its content, unless the signature stands beside it or there are certificates alone. */
function holdsContent(head: Buffer, at: number): boolean {
  const explicit = contentAt(head, at, 0xa0);
  const sequence = explicit === undefined ? undefined : contentAt(head, explicit, 0x30);
  if (sequence === undefined) return false;
  const version = endOf(head, sequence, 0x02);
  const algorithms = version === undefined ? undefined : endOf(head, version, 0x31);
  const wrapped = algorithms === undefined ? undefined : contentAt(head, algorithms, 0x30);
  const type = wrapped === undefined ? undefined : endOf(head, wrapped, 0x06);
  if (algorithms === undefined || type === undefined) return false;
  // Behind the end of it, the same tag are the certificates.
  return head[type] === 0xa0 && type < (endOf(head, algorithms, 0x30) ?? Number.POSITIVE_INFINITY);
}

/** Where the content of the value begins that stands at `at`; undefined where there is none with that tag. */
function contentAt(head: Buffer, at: number, tag: number): number | undefined {
  const length = head[at + 1];
  if (head[at] !== tag || length === undefined) return undefined;
  return at + 2 + (length > 0x80 && length <= 0x84 ? length & 0x7f : 0);
}

function endOf(head: Buffer, at: number, tag: number): number | undefined {
  const from = contentAt(head, at, tag);
  const length = head[at + 1];
  if (from === undefined || length === undefined || length === 0x80 || length > 0x84 || from > head.length)
    return undefined;
  return from + (length < 0x80 ? length : head.readUIntBE(at + 2, length & 0x7f));
}
