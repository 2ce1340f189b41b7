/** How many calls are in flight at once: at most a lane's width, and fewer for a while after the vendor said that it was too many. */
import type { Clock } from "../model/ports.ts";

export interface Flight {
  /** Waits for a place. False where none came free within `mostMs`. */
  enter(mostMs: number): Promise<boolean>;
  /** Gives it back. */
  leave(): void;
  /** The vendor refused a call because too many were in flight: other programs may share its limit. */
  crowded(): void;
}

/** After so long without a refusal one more is tried. */
const growMs = 600_000;

export function openFlight(width: number, clock: Clock): Flight {
  let most = width;
  let inFlight = 0;
  let changedAt = Number.NEGATIVE_INFINITY;
  const waiting: (() => void)[] = [];

  function grow(): void {
    const now = clock.now();
    if (most >= width) return;
    if (now < changedAt) changedAt = now;
    const more = Math.floor((now - changedAt) / growMs);
    if (more < 1) return;
    most = Math.min(width, most + more);
    changedAt = now;
  }

  function leave(): void {
    inFlight = Math.max(0, inFlight - 1);
    grow();
    while (inFlight < most && waiting.length > 0) {
      inFlight++;
      waiting.shift()?.();
    }
  }

  return {
    async enter(mostMs) {
      grow();
      if (inFlight < most) {
        inFlight++;
        return true;
      }
      return await new Promise<boolean>((resolve) => {
        const timer = new AbortController();
        const take = () => {
          timer.abort();
          resolve(true);
        };
        waiting.push(take);
        void clock.sleep(mostMs, timer.signal).then(() => {
          const place = waiting.indexOf(take);
          if (place >= 0) waiting.splice(place, 1);
          resolve(false);
        });
      });
    },
    leave,
    crowded() {
      // Calls that were refused together are one word.
      if (clock.now() - changedAt < 1_000 && clock.now() >= changedAt) return;
      most = Math.max(1, Math.floor(Math.min(most, Math.max(inFlight, 2)) / 2));
      changedAt = clock.now();
    },
  };
}
