/** Look-ups that come while one is under way go out together with the next call: a backlog of new senders is asked about in a few calls, and a single mail waits for nobody. */
import { failureOf } from "../../model/outcome.ts";

export interface Gather<T> {
  /** What `one` would answer. Rejects as the call did that it went with. */
  get(key: string): Promise<T>;
}

export interface Gathering<T> {
  /** At most so many with one call. */
  readonly size: number;
  one(key: string): Promise<T>;
  /** Each key once. What it leaves out of its answer is asked for by itself. */
  many(keys: readonly string[]): Promise<ReadonlyMap<string, T>>;
}

interface Waiting<T> {
  readonly key: string;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

export function openGather<T>({ size, one, many }: Gathering<T>): Gather<T> {
  let waiting: Waiting<T>[] = [];
  let isUnderWay = false;

  async function run(): Promise<void> {
    // What is asked for in this turn goes along.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting.slice(0, size);
      waiting = waiting.slice(size);
      await answer(batch);
    }
    isUnderWay = false;
  }

  async function answer(batch: readonly Waiting<T>[]): Promise<void> {
    const keys = [...new Set(batch.map(({ key }) => key))];
    let found: ReadonlyMap<string, T> = new Map();
    try {
      if (keys.length > 1) found = await many(keys);
    } catch (error) {
      // One that the vendor refuses must not take the others with it; weather meets them all.
      if (failureOf(error).kind !== "permanent") {
        for (const { reject } of batch) reject(error);
        return;
      }
    }
    const alone = new Map<string, Promise<T>>();
    await Promise.all(
      batch.map(async ({ key, resolve, reject }) => {
        const there = found.get(key);
        if (there !== undefined) return resolve(there);
        const asked = alone.get(key) ?? one(key);
        alone.set(key, asked);
        await asked.then(resolve, reject);
      }),
    );
  }

  return {
    get(key) {
      return new Promise((resolve, reject) => {
        waiting.push({ key, resolve, reject });
        if (isUnderWay) return;
        isUnderWay = true;
        void run();
      });
    },
  };
}
