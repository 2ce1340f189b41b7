/** How often a thing may fail in a while: a fixed number of counters, so that nobody can fill the memory with names or addresses. */
import { createHash } from "node:crypto";
import type { Clock } from "../../model/ports.ts";

export interface Limiter {
  /** 0: go on. Otherwise the milliseconds until it may be tried again. */
  waitMs(who: string): number;
  failed(who: string): void;
  /** It went well: its failures so far are forgotten. */
  forget(who: string): void;
  /** It went well: it counts as none, and those before it stay. */
  takeBack(who: string): void;
}

/** Two that share one of the counters share its failures, which is harmless at this number. */
const counters = 4_096;

export function openLimiter(mostFailures: number, windowMs: number, clock: Pick<Clock, "now">): Limiter {
  const failures = new Uint32Array(counters);
  const until = new Float64Array(counters);
  const placeOf = (who: string): number => createHash("sha256").update(who).digest().readUInt16BE(0) % counters;
  /** Also where the clock was set back, so that nobody is shut out for longer than a window. */
  const isOver = (place: number): boolean => {
    const end = until[place] ?? 0;
    return clock.now() >= end || end - clock.now() > windowMs;
  };
  return {
    waitMs(who) {
      const place = placeOf(who);
      if (isOver(place) || (failures[place] ?? 0) < mostFailures) return 0;
      return (until[place] ?? 0) - clock.now();
    },
    failed(who) {
      const place = placeOf(who);
      if (isOver(place)) {
        failures[place] = 0;
        until[place] = clock.now() + windowMs;
      }
      failures[place] = (failures[place] ?? 0) + 1;
    },
    takeBack(who) {
      const place = placeOf(who);
      failures[place] = Math.max(0, (failures[place] ?? 0) - 1);
    },
    forget(who) {
      failures[placeOf(who)] = 0;
    },
  };
}
