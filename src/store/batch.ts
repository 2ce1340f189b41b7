/** Group commit: calls that arrive while a batch is running wait, and go together in the next one. */
import type { NewMessage, Prepared } from "../model/ledger.ts";
import type { StoreFailed } from "./failed.ts";
import { storeFailed } from "./failed.ts";
import type { Call } from "./sqlite/operations.ts";
import type { Answer } from "./sqlite.ts";

export interface Batches {
  /** Resolves with the answer once its batch is committed; rejects with StoreFailed. */
  call(call: Call): Promise<unknown>;
  /** Resolves when nothing waits and nothing runs. */
  drained(): Promise<void>;
}

interface Waiting {
  readonly call: Call;
  readonly bytes: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: StoreFailed) => void;
}

/** A transaction larger than this makes those behind it wait longer than the grouping saves. */
const mostCalls = 512;
const mostBytes = 8 * 1024 * 1024;

/**
 * `run` answers for each call, in order; when it throws, the whole batch failed. `gather` holds a batch back for more calls, told how many went
 * with the batch before and whether a peer waits for its answer; without it the first batch starts in a microtask, not in a timer.
 */
export function openBatches(
  run: (calls: readonly Call[]) => readonly Answer[] | Promise<readonly Answer[]>,
  path: string,
  gather?: (before: number, urgent: boolean) => Promise<void>,
): Batches {
  let waiting: Waiting[] = [];
  let pumping: Promise<void> | undefined;

  async function pump(): Promise<void> {
    let before = 0;
    while (waiting.length > 0) {
      await gather?.(before, waiting.some(isUrgent));
      const batch = take();
      before = batch.length;
      try {
        const answers = run(batch.map(({ call }) => call));
        settle(batch, answers instanceof Promise ? await answers : answers);
      } catch (error) {
        for (const { reject } of batch) reject(storeFailed(error, path, true));
      }
    }
    pumping = undefined;
  }

  function take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const entry of waiting) {
      if (count > 0 && (count >= mostCalls || bytes + entry.bytes > mostBytes)) break;
      bytes += entry.bytes;
      count++;
    }
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return batch;
  }

  return {
    call(call) {
      return new Promise((resolve, reject) => {
        waiting.push({ call, bytes: weightOf(call), resolve, reject });
        pumping ??= Promise.resolve().then(pump);
      });
    },
    async drained() {
      while (pumping !== undefined) await pumping;
    },
  };
}

/** Somebody outside waits: a sender for its 250, a health check for its answer. */
const isUrgent = ({ call: { name } }: Waiting): boolean => name === "accept" || name === "probe";

function settle(batch: readonly Waiting[], answers: readonly Answer[]): void {
  for (const [index, { resolve, reject }] of batch.entries()) {
    const answer = answers[index];
    if (answer?.ok === true) resolve(answer.value);
    else reject(answer?.error ?? storeFailed(new TypeError("the engine gave no answer"), "ledger", true));
  }
}

/** Bytes of the large values a call carries. Of the calls that each mail makes it is known where they are: there are thousands of those a second. */
function weightOf(call: Call): number {
  switch (call.name) {
    case "accept": {
      const items = call.args[0] as readonly NewMessage[];
      return items.reduce((sum, { raw }) => sum + (raw.kind === "inline" ? raw.sealed.byteLength : 0), 0);
    }
    case "prepare": {
      const items = call.args[0] as readonly Prepared[];
      return items.reduce((sum, { sealedEvent }) => sum + sealedEvent.byteLength, 0);
    }
    case "attempt":
    case "acquainted":
    case "around":
    case "claim":
    case "note":
    case "settle":
      return 0;
    default:
      return call.args.reduce<number>((sum, arg) => sum + bytesIn(arg, 4), 0);
  }
}

function bytesIn(value: unknown, depth: number): number {
  if (value instanceof Uint8Array) return value.byteLength;
  if (depth === 0 || typeof value !== "object" || value === null) return 0;
  let sum = 0;
  for (const part of Object.values(value)) sum += bytesIn(part, depth - 1);
  return sum;
}
