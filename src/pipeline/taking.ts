/** The loop that takes work from the ledger as it has room for, until it is stopped; and says when nothing is in hand and nothing due. */
import type { Clock } from "../model/ports.ts";
import { openSignal } from "./signal.ts";

export interface Taking<T> {
  /** In hand at once; asked before every look. */
  width(): number;
  /** Never rejects. */
  take(room: number): Promise<readonly T[]>;
  /** When to look again though nobody calls (epoch ms); asked after `take`. */
  dueAt(): number | null;
  /** Works one to its end. Never rejects. */
  work(item: T): Promise<void>;
}

export interface Taker {
  /** There may be something to take. */
  wake(): void;
  /** Something is in hand, or about to be looked for. */
  busy(): boolean;
  /** Resolves when nothing is in hand and nothing is due. */
  quiet(): Promise<void>;
  /** Takes no more; resolves when what is in hand has come to its end. */
  stop(): Promise<void>;
}

export function startTaking<T>(clock: Clock, { width, take, dueAt, work }: Taking<T>): Taker {
  const signal = openSignal();
  const inHand = new Set<Promise<void>>();
  let stopped = false;
  let waiting = false;
  let quietWaiters: (() => void)[] = [];

  const busy = (): boolean => !waiting || signal.called() || inHand.size > 0;

  function announceQuiet(): void {
    if (busy()) return;
    for (const resolve of quietWaiters) resolve();
    quietWaiters = [];
  }

  function begin(item: T): void {
    const done = work(item).finally(() => {
      inHand.delete(done);
      signal.wake();
      announceQuiet();
    });
    inHand.add(done);
  }

  async function loop(): Promise<void> {
    while (!stopped) {
      const room = width() - inHand.size;
      const items = room > 0 ? await take(room) : [];
      for (const item of items) begin(item);
      // Something, and less than there was room for: the next look decides whether there is nothing more.
      if (items.length > 0 && items.length < room) continue;
      waiting = items.length === 0;
      announceQuiet();
      // Without room nothing is due: the next to end calls. A due time that has passed would keep the loop turning.
      await signal.wait(clock, room > 0 ? dueAt() : null);
      waiting = false;
    }
  }

  const running = loop();
  return {
    wake: signal.wake,
    busy,
    async quiet() {
      if (!busy()) return;
      await new Promise<void>((resolve) => quietWaiters.push(resolve));
    },
    async stop() {
      stopped = true;
      signal.wake();
      await running;
      await Promise.all(inHand);
    },
  };
}
