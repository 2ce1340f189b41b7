/** What comes out of a child in the mode "files", as files one after the other; a child that is faster than whoever takes them is halted. */
import { type ExtractedFile, ExtractFailed } from "../../model/checking.ts";
import { frameKinds } from "./frames.ts";

/** That may wait here. */
const maxWaitingBytes = 512 * 1024;

interface Frame {
  readonly kind: number;
  readonly payload: Buffer;
}

/** Frames in the order in which they came. */
export class Frames {
  readonly #halt: (stop: boolean) => void;
  readonly #waiting: Frame[] = [];
  #bytes = 0;
  #received = 0;
  #halted = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(halt: (stop: boolean) => void) {
    this.#halt = halt;
  }

  /** Nothing can go on until the child says more. */
  get isAwaited(): boolean {
    return this.#wake !== undefined;
  }

  /** Bytes so far. */
  get received(): number {
    return this.#received;
  }

  push(kind: number, payload: Buffer): void {
    this.#waiting.push({ kind, payload });
    this.#bytes += payload.length;
    this.#received += payload.length;
    if (this.#bytes > maxWaitingBytes && !this.#halted) this.#setHalted(true);
    this.#wakeUp();
  }

  /** Once what is here already has been taken. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#wakeUp();
  }

  async next(): Promise<Frame> {
    while (this.#waiting.length === 0) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const frame = this.#waiting.shift();
    if (frame === undefined) throw new Error("a queue that is not empty has a first");
    this.#bytes -= frame.payload.length;
    if (this.#halted && this.#bytes <= maxWaitingBytes / 2) this.#setHalted(false);
    return frame;
  }

  #setHalted(stop: boolean): void {
    this.#halted = stop;
    this.#halt(stop);
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

type Each = (file: { readonly partId: string; readonly bytes: AsyncIterable<Uint8Array> }) => Promise<void>;

/** Resolves at the end of the message; rejects as the frames do, and with what `each` rejects with. */
export async function handOver(frames: Frames, each: Each): Promise<ExtractedFile[]> {
  const files: ExtractedFile[] = [];
  for (;;) {
    const { kind, payload } = await frames.next();
    if (kind === frameKinds.extracted) return files;
    if (kind !== frameKinds.fileBegin) throw outOfOrder(kind);
    const partId = JSON.parse(payload.toString()) as string;
    const file = openFile(frames);
    await each({ partId, bytes: file.bytes });
    // What was not wanted is still on its way.
    while ((await file.next()) !== undefined);
    const end = file.end();
    if (end?.partId !== partId) throw outOfOrder(kind);
    files.push(end);
  }
}

function openFile(frames: Frames) {
  let end: ExtractedFile | undefined;
  const next = async (): Promise<Buffer | undefined> => {
    if (end !== undefined) return undefined;
    const { kind, payload } = await frames.next();
    if (kind === frameKinds.fileChunk) return payload;
    if (kind !== frameKinds.fileEnd) throw outOfOrder(kind);
    end = JSON.parse(payload.toString()) as ExtractedFile;
    return undefined;
  };
  const bytes: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const value = await next();
        return value === undefined ? { done: true, value: undefined } : { done: false, value };
      },
    }),
  };
  return { bytes, next, end: () => end };
}

const outOfOrder = (kind: number): ExtractFailed =>
  new ExtractFailed("message", `the parser answered out of order (frame ${kind})`);
