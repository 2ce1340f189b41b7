/** Packs the steps of all drafts, and the bytes they write, into few messages to another thread, over a bounded set of buffers. */
import { inTurn } from "./spool-drafts.ts";

/** One step of one draft. The bytes of a `write` are the next `length` ones of its batch. */
export type Step =
  | { readonly kind: "create"; readonly id: string; readonly label: string }
  | { readonly kind: "write"; readonly id: string; readonly length: number }
  | { readonly kind: "commit"; readonly id: string }
  | { readonly kind: "discard"; readonly id: string };

export interface Batch {
  readonly steps: readonly Step[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A message to a thread costs some 80 µs on a busy machine, as much as copying a batch does. */
export const batchBytes = 256 * 1024;
/** As many buffers there are, ever: what has been taken and is not yet written is never more than this. */
export const maxBatches = 8;

export interface Batches {
  /** Resolves when the bytes are copied: at once while there is room, and otherwise when the other side has written. */
  write(id: string, bytes: Uint8Array): Promise<void>;
  /** After everything that came before. Goes out within this turn of the event loop, with whatever is waiting. */
  add(step: Exclude<Step, { kind: "write" }>): Promise<void>;
  /** The other side has written a batch, and gives its buffer back. */
  returned(buffer: ArrayBuffer): void;
  /** Nothing goes out any more: everybody who waits, and everybody to come, is rejected with this. */
  end(reason: Error): void;
}

export function openBatches(post: (batch: Batch) => void): Batches {
  const turn = inTurn();
  const free: ArrayBuffer[] = [];
  let made = 0;
  let steps: Step[] = [];
  let filling: Uint8Array<ArrayBuffer> | undefined;
  let filled = 0;
  let waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  let flushing = false;
  let ended: Error | undefined;

  /** The buffer to be filled; waits for one when all are out. */
  async function room(): Promise<Uint8Array<ArrayBuffer>> {
    if (ended !== undefined) throw ended;
    if (filling !== undefined) return filling;
    if (free.length === 0 && made === maxBatches) {
      await new Promise<void>((resolve, reject) => {
        waiting = { resolve, reject };
      });
    }
    const found = free.pop();
    if (found === undefined) made += 1;
    filling = new Uint8Array(found ?? new ArrayBuffer(batchBytes));
    return filling;
  }

  function flush(): void {
    flushing = false;
    if (steps.length === 0 || ended !== undefined) return;
    const batch = { steps, bytes: filling?.subarray(0, filled) ?? new Uint8Array(0) };
    steps = [];
    filling = undefined;
    filled = 0;
    post(batch);
  }

  function count(id: string, length: number): void {
    const last = steps.at(-1);
    if (last?.kind !== "write" || last.id !== id) steps.push({ kind: "write", id, length });
    else steps[steps.length - 1] = { ...last, length: last.length + length };
  }

  return {
    write: (id, bytes) =>
      turn(async () => {
        for (let at = 0; at < bytes.length; ) {
          const buffer = await room();
          const taken = bytes.subarray(at, at + buffer.length - filled);
          buffer.set(taken, filled);
          filled += taken.length;
          at += taken.length;
          count(id, taken.length);
          if (filled === buffer.length) flush();
        }
      }),
    add: (step) =>
      turn(async () => {
        if (ended !== undefined) throw ended;
        steps.push(step);
        if (!flushing) setImmediate(flush);
        flushing = true;
      }),
    returned(buffer) {
      // A batch of steps alone had none of the buffers.
      if (buffer.byteLength === 0) return;
      free.push(buffer);
      waiting?.resolve();
      waiting = undefined;
    },
    end(reason) {
      ended ??= reason;
      waiting?.reject(ended);
      waiting = undefined;
    },
  };
}
