/** A wake-up call that is never lost: whoever waits is woken, and a call that comes while nobody waits wakes the next to wait at once. */
import type { Clock } from "../model/ports.ts";

export interface Signal {
  wake(): void;
  /** A wake-up that nobody has acted on yet. */
  called(): boolean;
  /** Resolves on the next wake, or at `dueAt` (epoch ms) when one is given, whichever is first. */
  wait(clock: Clock, dueAt: number | null): Promise<void>;
}

export function openSignal(): Signal {
  let called = false;
  let resume: (() => void) | undefined;
  return {
    wake() {
      called = true;
      resume?.();
    },
    called: () => called,
    async wait(clock, dueAt) {
      if (!called) {
        const timer = new AbortController();
        const woken = new Promise<void>((resolve) => {
          resume = resolve;
        });
        const waits = [woken];
        if (dueAt !== null) waits.push(clock.sleep(Math.max(0, dueAt - clock.now()), timer.signal));
        await Promise.race(waits);
        resume = undefined;
        timer.abort();
      }
      called = false;
    },
  };
}
