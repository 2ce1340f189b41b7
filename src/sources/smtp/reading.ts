/** READING: takes what sockets bring in buffers that are used again, where this Node can be asked for that. */
import { Socket } from "node:net";

/** Whose the bytes are: the hearer's; good until it returns; or good until given back. */
export type Terms = "ours" | "borrowed" | (() => void);

export interface Hearer {
  heard(bytes: Buffer, terms: Terms): void;
  /** Whether what comes next is best lent: a large message on its way to the store. */
  readonly bulk: boolean;
}

/** What the kernel gives at most in one read. */
const bufferBytes = 64 * 1024;
/** Kept for the next large message; each of them uses two or three. */
const maxFree = 64;

/** For the commands and small mails of all connections: a read and what is made of it are over before the next. */
const scratch = Buffer.allocUnsafeSlow(bufferBytes);
const free: Buffer<ArrayBuffer>[] = [];

/**
 * Node reads into a buffer that a socket was made with (`onread`), but offers no such thing for the sockets that a server accepts: for these it
 * allocates 64 KiB, cuts them to what came, and makes an object of them, for each command. That took a tenth of the time of a small mail, and
 * with large ones it made the collector of garbage run for every 25 MiB. The names are those that a socket made with `onread` has.
 */
const keys = keysOf(new Socket({ onread: { buffer: scratch, callback: () => true } }));

function keysOf(sample: Socket) {
  const named = (name: string) => Object.getOwnPropertySymbols(sample).find(({ description }) => description === name);
  const [buffer, callback, generator] = [named("kBuffer"), named("kBufferCb"), named("kBufferGen")];
  const known = buffer !== undefined && Reflect.get(sample, buffer) === scratch;
  sample.destroy();
  return known && callback !== undefined && generator !== undefined ? { buffer, callback, generator } : undefined;
}

/** From now on `socket` tells the hearer what it brings, and has no "data" events; false where that cannot be. */
export function readInto(socket: Socket, hearer: Hearer): boolean {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (keys === undefined || typeof handle !== "object" || handle === null) return false;
  const use: unknown = Reflect.get(handle, "useUserBuffer");
  if (typeof use !== "function" || socket.readableLength > 0) return false;
  let current = scratch;
  Reflect.set(socket, keys.buffer, current);
  Reflect.set(socket, keys.callback, (length: number) => {
    const buffer = current;
    // The bytes are in a buffer of this connection's own from the read after the one that made it a large message's.
    hearer.heard(buffer.subarray(0, length), buffer === scratch ? "borrowed" : () => giveBack(buffer));
    return true;
  });
  Reflect.set(socket, keys.generator, () => {
    current = hearer.bulk ? (free.pop() ?? Buffer.allocUnsafeSlow(bufferBytes)) : scratch;
    return current;
  });
  Reflect.apply(use, handle, [current]);
  return true;
}

function giveBack(buffer: Buffer<ArrayBuffer>): void {
  if (free.length < maxFree) free.push(buffer);
}
