/** The language on the pipes between the daemon and its parser children: a length, a kind, a payload. */

/** Four bytes of payload length (little endian), one byte of kind. */
const headerBytes = 5;

export const frameKinds = {
  /** Daemon to child: a message begins. JSON of Begin. */
  begin: 1,
  /** Daemon to child: raw bytes of it. */
  chunk: 2,
  /** Daemon to child: that was all of it. */
  end: 3,
  /** Daemon to child: its bytes could not be read to the end; forget it, and answer `dropped`. */
  drop: 4,
  /** Child to daemon: started, ready for work. */
  ready: 10,
  /** Child to daemon: a ParsedMessage as stored.ts writes it, in the order of the messages. */
  parsed: 11,
  dropped: 12,
  /** Child to daemon, in the mode "files": a file begins. JSON: its part id. */
  fileBegin: 13,
  /** Bytes of it. */
  fileChunk: 14,
  /** That was all of it. JSON of ExtractedFile. */
  fileEnd: 15,
  /** That were all files. */
  extracted: 16,
} as const;
export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds];

export interface Begin {
  readonly mode: "parse" | "headers" | "files";
  /** Why only the headers: becomes the detail of the anomaly. */
  readonly reason: string;
  /** Which files are wanted. */
  readonly parts?: readonly string[];
}

/** The daemon cuts raw bytes into pieces of this size at most; 64 KiB is what mailparser is fastest on. */
export const maxChunkBytes = 64 * 1024;
/** More than any event can have; a longer frame is a broken child. */
export const maxFrameBytes = 64 * 1024 * 1024;

const nothing = new Uint8Array(0);

export function frame(kind: FrameKind, payload: Uint8Array = nothing): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes + payload.length);
  put(bytes, 0, kind, payload);
  return bytes;
}

/** The whole message as frames. */
export function messageFrames(begin: Begin, raw: Uint8Array): Buffer {
  const beginning = Buffer.from(JSON.stringify(begin));
  const frames = 2 + Math.ceil(raw.length / maxChunkBytes);
  const bytes = Buffer.allocUnsafe(frames * headerBytes + beginning.length + raw.length);
  let end = put(bytes, 0, frameKinds.begin, beginning);
  for (let at = 0; at < raw.length; at += maxChunkBytes) {
    end = put(bytes, end, frameKinds.chunk, raw.subarray(at, at + maxChunkBytes));
  }
  put(bytes, end, frameKinds.end, nothing);
  return bytes;
}

/** Returns where the frame ends. */
function put(bytes: Buffer, at: number, kind: FrameKind, payload: Uint8Array): number {
  bytes.writeUInt32LE(payload.length, at);
  bytes[at + 4] = kind;
  bytes.set(payload, at + headerBytes);
  return at + headerBytes + payload.length;
}

/** Cuts a stream of bytes into frames. Throws on a frame that is too long. */
export function readFrames(receive: (kind: number, payload: Buffer) => void): (chunk: Uint8Array) => void {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let wanted = headerBytes;
  let kind: number | undefined;
  return (chunk) => {
    held.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    heldBytes += chunk.length;
    if (heldBytes < wanted) return;
    let bytes = held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held, heldBytes);
    while (bytes.length >= wanted) {
      const part = bytes.subarray(0, wanted);
      bytes = bytes.subarray(wanted);
      if (kind === undefined) {
        kind = part[4] ?? 0;
        wanted = part.readUInt32LE(0);
        if (wanted > maxFrameBytes) throw new RangeError(`a frame of ${wanted} bytes`);
      } else {
        const complete = kind;
        kind = undefined;
        wanted = headerBytes;
        receive(complete, part);
      }
    }
    held = bytes.length === 0 ? [] : [bytes];
    heldBytes = bytes.length;
  };
}
