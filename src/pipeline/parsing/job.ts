/** One message on its way through the pool: its bytes, as far as they are kept, and how often it has been tried. */
import type { ParsedMessage } from "../../model/event.ts";
import type { Begin } from "./frames.ts";

/** A function where the bytes can be read again from the start: then a long message too is tried twice. */
export type RawSource =
  | AsyncIterable<Uint8Array>
  | (() => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>);

/** Up to here a message is read whole before a child is asked, and kept until its answer: it is sent in one write and can be sent again. */
export const keptBytes = 256 * 1024;

export type Bytes =
  | { readonly kind: "whole"; readonly raw: Buffer }
  /** The first bytes, and a stream that goes on after them. */
  | { readonly kind: "stream"; readonly first: Buffer; readonly rest: AsyncIterator<Uint8Array> };

export interface Job {
  begin: Begin;
  /** Bytes of the message that will be parsed; 0 where its headers are enough. */
  readonly size: number;
  bytes: Bytes;
  /** Reads the bytes anew, where that can be done. */
  readonly again: (() => Promise<Bytes>) | undefined;
  /** Children that ended while they read it. */
  deaths: number;
  /** By whichever child was first; what another still says of it is not waited for. */
  answered: boolean;
  readonly resolve: (parsed: ParsedMessage) => void;
  readonly reject: (error: Error) => void;
}

/** Rejects when `raw` cannot be read. */
export async function readBytes(raw: AsyncIterable<Uint8Array>): Promise<Bytes> {
  const iterator = raw[Symbol.asyncIterator]();
  const parts: Uint8Array[] = [];
  let length = 0;
  while (length <= keptBytes) {
    const next = await iterator.next();
    if (next.done === true) return { kind: "whole", raw: joined(parts) };
    parts.push(next.value);
    length += next.value.length;
  }
  return { kind: "stream", first: Buffer.concat(parts), rest: iterator };
}

/** Most messages come in one piece, which need not be copied. */
function joined(parts: readonly Uint8Array[]): Buffer {
  const [only] = parts;
  return parts.length === 1 && only !== undefined
    ? Buffer.from(only.buffer, only.byteOffset, only.byteLength)
    : Buffer.concat(parts);
}

export async function open(source: RawSource): Promise<AsyncIterable<Uint8Array>> {
  return typeof source === "function" ? source() : source;
}

/** What is left of a message whose stream was used up: enough for its headers. */
export function beginning(bytes: Bytes): Bytes {
  return bytes.kind === "whole" ? bytes : { kind: "whole", raw: bytes.first };
}

/** The same of a stream that nobody has read yet, which is ended. */
export async function cut(bytes: Bytes): Promise<Bytes> {
  await abandon(bytes);
  return beginning(bytes);
}

/** Lets the source of a stream close its file. */
export async function abandon(bytes: Bytes): Promise<void> {
  if (bytes.kind === "stream") await bytes.rest.return?.();
}

/** Only one that nobody else has to wait behind: the others share a child. */
export const isShort = (job: Job): boolean => job.bytes.kind === "whole" && job.deaths === 0;
