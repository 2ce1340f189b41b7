/** The sealed format byte for byte; docs/encryption.md says the same in words, for whoever has to read the files without this program. */
import { type CipherGCM, createCipheriv, createDecipheriv, type KeyObject } from "node:crypto";

export const algorithm = "aes-256-gcm";
export const keyBytes = 32;
export const tagBytes = 16;
export const nonceBytes = 12;
/** Plain bytes per chunk; every chunk but the last has exactly as many. */
export const chunkBytes = 64 * 1024;
export const sealedChunkBytes = chunkBytes + tagBytes;

/** `MWSEAL`, then the version of the format as a 16-bit number. */
export const magic = Buffer.from("MWSEAL\x00\x01", "latin1");
export const keyIdBytes = 8;
/** What the wrapped data key is bound to: magic, version and key id. */
export const boundBytes = magic.length + keyIdBytes;
export const wrappedAt = boundBytes + nonceBytes;
export const headerBytes = wrappedAt + keyBytes + tagBytes;

/** The label stands before the content, as its length in two bytes and its UTF-8. It has to fit the first chunk many times over. */
export const maxLabelBytes = 1024;
export const labelLengthBytes = 2;

/** The sealed bytes were changed, cut, continued or mixed up, or they need another key. Nothing of them may be used. */
export class SealBroken extends Error {
  override readonly name = "SealBroken";
}

/**
 * STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015): the nonce is the place of the chunk and whether it is the last, so that chunks cannot
 * change places and the end cannot move. The key is fresh per value, therefore nothing random is needed in it.
 */
function nonceOf(index: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(nonceBytes);
  nonce.writeUInt32BE(index, 7);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

const options = { authTagLength: tagBytes } as const;

export function chunkCipher(key: KeyObject, index: number, last: boolean): CipherGCM {
  return createCipheriv(algorithm, key, nonceOf(index, last), options);
}

/** Throws SealBroken. `sealed` is one chunk with its tag. */
export function openChunk(key: KeyObject, index: number, last: boolean, sealed: Uint8Array): Buffer {
  if (sealed.length <= tagBytes) throw new SealBroken("the sealed bytes end too early: they were cut off");
  const decipher = createDecipheriv(algorithm, key, nonceOf(index, last), options);
  const end = sealed.length - tagBytes;
  decipher.setAuthTag(sealed.subarray(end));
  const plain = decipher.update(sealed.subarray(0, end));
  try {
    decipher.final();
  } catch (error) {
    const where = `chunk ${index + 1}`;
    throw new SealBroken(`the sealed bytes were changed, cut off or continued (found in ${where})`, { cause: error });
  }
  return plain;
}

/** Throws RangeError for a label that is too long: labels are made by the program, never taken from mail. */
export function frameLabel(label: string): Buffer {
  const length = Buffer.byteLength(label);
  if (length > maxLabelBytes) throw new RangeError(`a label has ${length} bytes, more than ${maxLabelBytes}`);
  const framed = Buffer.allocUnsafe(labelLengthBytes + length);
  framed.writeUInt16BE(length, 0);
  framed.write(label, labelLengthBytes);
  return framed;
}

/** Splits the first chunk into label and the beginning of the content. Throws SealBroken. */
export function unframeLabel(first: Buffer): { label: string; content: Buffer } {
  const length = first.length < labelLengthBytes ? maxLabelBytes + 1 : first.readUInt16BE(0);
  const end = labelLengthBytes + length;
  if (length > maxLabelBytes || end > first.length) throw new SealBroken("the sealed bytes carry no label");
  return { label: first.toString("utf8", labelLengthBytes, end), content: first.subarray(end) };
}
