/** Answers that a fault holds back: counted, watched, and let go together. */

export interface Held {
  count(): number;
  /** Resolves when released. */
  wait(): Promise<void>;
  /** Answers how many were let go. */
  release(): number;
  /** Resolves when this many are held. */
  whenHeld(count: number): Promise<void>;
}

export function openHeld(): Held {
  let waiting: (() => void)[] = [];
  let watchers: { count: number; resolve: () => void }[] = [];
  return {
    count: () => waiting.length,
    async wait(): Promise<void> {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        for (const watcher of watchers) if (waiting.length >= watcher.count) watcher.resolve();
        watchers = watchers.filter(({ count }) => waiting.length < count);
      });
    },
    release(): number {
      const going = waiting;
      waiting = [];
      for (const resolve of going) resolve();
      return going.length;
    },
    async whenHeld(count: number): Promise<void> {
      if (waiting.length >= count) return;
      await new Promise<void>((resolve) => watchers.push({ count, resolve }));
    },
  };
}
