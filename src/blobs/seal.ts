/** Seals values at rest: a fresh AES-256-GCM data key for each, wrapped by the master key of the ring. */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  type KeyObject,
  randomFillSync,
} from "node:crypto";
import type { Sealer } from "../model/ports.ts";
import {
  algorithm,
  boundBytes,
  chunkBytes,
  chunkCipher,
  frameLabel,
  headerBytes,
  keyBytes,
  keyIdBytes,
  magic,
  nonceBytes,
  openChunk,
  SealBroken,
  sealedChunkBytes,
  tagBytes,
  unframeLabel,
  wrappedAt,
} from "./seal-format.ts";
import { openingStream, type Sealing, sealing, sealingStream } from "./seal-stream.ts";

/** A master key that cannot be used: wrong length or alphabet, readable by others, lost. The message says what to do. */
export class KeyRefused extends Error {
  override readonly name = "KeyRefused";
}

export interface KeyRingOptions {
  /** 32 random bytes, as they are or as text in hex or base64. New values are sealed with it. */
  readonly key: string | Uint8Array;
  /** Keys of before a change: they open what was sealed with them, and seal nothing. */
  readonly previous?: readonly (string | Uint8Array)[];
}

export interface KeyRing extends Sealer {
  /** The ids of all keys at hand, the one that seals first. */
  readonly keyIds: readonly string[];
  /** What `sealStream` does, without a stream around it. Throws RangeError for a label that is too long. */
  sealing(label: string): Sealing;
  /** The data key of a sealed value's header, for whoever reads single chunks of it. Throws SealBroken. */
  openHeader(header: Uint8Array): KeyObject;
}

interface MasterKey {
  readonly id: string;
  readonly secret: KeyObject;
  /** Magic, version and key id: the first bytes of everything sealed with this key, and what the wrapped data key is bound to. */
  readonly bound: Buffer;
}

/** Throws KeyRefused when a key is not 32 bytes; the message never shows it. */
export function openKeyRing({ key, previous = [] }: KeyRingOptions): KeyRing {
  const master = masterKeyOf(key);
  const masters = new Map([...previous.map(masterKeyOf), master].map((each) => [each.id, each]));

  const openHeader = (header: Uint8Array) => unwrap(header, masters);
  return {
    keyId: master.id,
    keyIds: [master.id, ...[...masters.keys()].filter((id) => id !== master.id)],
    seal: (plain, label) => sealWhole(master, plain, label),
    open: (sealed) => openWhole(sealed, openHeader),
    sealing: (label) => sealing(() => wrapNew(master), label),
    sealStream: (label) => sealingStream(sealing(() => wrapNew(master), label)),
    openStream: () => openingStream(openHeader),
    openHeader,
  };
}

/** Names a master key without telling anything about it: 16 hex digits. */
export function keyIdOf(key: Uint8Array): string {
  const hash = createHash("sha256").update("mailwright master key id\0").update(key);
  return hash.digest("hex").slice(0, keyIdBytes * 2);
}

function masterKeyOf(given: string | Uint8Array): MasterKey {
  const key = typeof given === "string" ? keyFromText(given) : given;
  if (key === undefined || key.length !== keyBytes) {
    throw new KeyRefused(
      "the master key must be 32 bytes, written as 64 hex digits or 44 characters of base64; make one with: openssl rand -hex 32",
    );
  }
  const id = keyIdOf(key);
  return { id, secret: createSecretKey(key), bound: Buffer.concat([magic, Buffer.from(id, "hex")]) };
}

/** The bytes of a key written as hex or base64 (either alphabet), blanks around it ignored. */
export function keyFromText(text: string): Buffer | undefined {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return Buffer.from(trimmed, "hex");
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return Buffer.from(trimmed, "base64");
  return undefined;
}

const drawnBytes = nonceBytes + keyBytes;
let drawnAhead = Buffer.alloc(0);

/**
 * Data key and wrapping nonce, fresh each time and wiped by whoever takes them. Drawn for many at once: a draw costs some 10 µs whatever its
 * length, and accept seals thousands of messages a second.
 */
function draw(): Buffer {
  if (drawnAhead.length < drawnBytes) drawnAhead = randomFillSync(Buffer.allocUnsafeSlow(64 * drawnBytes));
  const drawn = drawnAhead.subarray(0, drawnBytes);
  drawnAhead = drawnAhead.subarray(drawnBytes);
  return drawn;
}

function wrapNew(master: MasterKey): { header: Buffer; key: KeyObject } {
  const header = Buffer.allocUnsafe(headerBytes);
  const drawn = draw();
  const dataKey = drawn.subarray(nonceBytes);
  const cipher = createCipheriv(algorithm, master.secret, drawn.subarray(0, nonceBytes), { authTagLength: tagBytes });
  cipher.setAAD(master.bound);
  header.set(master.bound, 0);
  header.set(drawn.subarray(0, nonceBytes), boundBytes);
  header.set(cipher.update(dataKey), wrappedAt);
  cipher.final();
  header.set(cipher.getAuthTag(), wrappedAt + keyBytes);
  // A KeyObject, since a cipher made from bare bytes took 14 µs here and one from a KeyObject 5.
  const key = createSecretKey(dataKey);
  dataKey.fill(0);
  return { header, key };
}

/** The data key of a header. Throws SealBroken. */
function unwrap(header: Uint8Array, masters: ReadonlyMap<string, MasterKey>): KeyObject {
  if (header.length < headerBytes) throw new SealBroken("the sealed bytes end within their header: they were cut off");
  const bytes = Buffer.from(header.buffer, header.byteOffset, headerBytes);
  if (!bytes.subarray(0, magic.length).equals(magic)) {
    throw new SealBroken("these bytes are not sealed by Mailwright, or by a version of it that is newer than this one");
  }
  const id = bytes.toString("hex", magic.length, boundBytes);
  const master = masters.get(id);
  if (master === undefined) {
    const known = [...masters.keys()].join(", ");
    throw new SealBroken(
      `sealed with the master key ${id}, which is not at hand (there are: ${known}); give that key too`,
    );
  }
  const nonce = bytes.subarray(boundBytes, wrappedAt);
  const decipher = createDecipheriv(algorithm, master.secret, nonce, { authTagLength: tagBytes });
  decipher.setAAD(master.bound);
  decipher.setAuthTag(bytes.subarray(wrappedAt + keyBytes));
  const dataKey = decipher.update(bytes.subarray(wrappedAt, wrappedAt + keyBytes));
  try {
    decipher.final();
  } catch (error) {
    throw new SealBroken("the header of the sealed bytes was changed", { cause: error });
  }
  const key = createSecretKey(dataKey);
  dataKey.fill(0);
  return key;
}

function sealWhole(master: MasterKey, plain: Uint8Array, label: string): Uint8Array {
  const framed = frameLabel(label);
  const { header, key } = wrapNew(master);
  const total = framed.length + plain.length;
  const chunks = Math.ceil(total / chunkBytes);
  const sealed = place(headerBytes + total + chunks * tagBytes);
  sealed.set(header, 0);
  let at = headerBytes;
  const append = (bytes: Uint8Array) => {
    sealed.set(bytes, at);
    at += bytes.length;
  };
  for (let index = 0; index < chunks; index += 1) {
    const cipher = chunkCipher(key, index, index === chunks - 1);
    const from = Math.max(0, index * chunkBytes - framed.length);
    const content = plain.subarray(from, (index + 1) * chunkBytes - framed.length);
    append(cipher.update(index === 0 ? joined(framed, content) : content));
    cipher.final();
    append(cipher.getAuthTag());
  }
  return sealed;
}

/** A value up to this size shares its memory with its neighbours: to allocate 4 KiB outside of V8's heap costs as much as to encrypt them. */
const sharedBytes = 16 * 1024;
let slab = Buffer.alloc(0);

function place(bytes: number): Buffer {
  if (bytes > sharedBytes) return Buffer.allocUnsafeSlow(bytes);
  if (slab.length < bytes) slab = Buffer.allocUnsafeSlow(16 * sharedBytes);
  const taken = slab.subarray(0, bytes);
  slab = slab.subarray(bytes);
  return taken;
}

const firstChunk = Buffer.allocUnsafeSlow(chunkBytes);

/** Label and content in one piece, good until the next call: one call of the cipher instead of two. */
function joined(framed: Uint8Array, content: Uint8Array): Buffer {
  firstChunk.set(framed, 0);
  firstChunk.set(content, framed.length);
  return firstChunk.subarray(0, framed.length + content.length);
}

function openWhole(
  sealed: Uint8Array,
  openHeader: (header: Uint8Array) => KeyObject,
): { plain: Uint8Array; label: string } {
  const key = openHeader(sealed);
  const chunks = Math.max(1, Math.ceil((sealed.length - headerBytes) / sealedChunkBytes));
  const opened: Buffer[] = [];
  for (let index = 0; index < chunks; index += 1) {
    const from = headerBytes + index * sealedChunkBytes;
    opened.push(openChunk(key, index, index === chunks - 1, sealed.subarray(from, from + sealedChunkBytes)));
  }
  const [first, ...rest] = opened;
  const { label, content } = unframeLabel(first ?? Buffer.alloc(0));
  return { label, plain: rest.length === 0 ? content : Buffer.concat([content, ...rest]) };
}
