/** How much of its flow a lane uses: half as much after each time that the vendor said "too many", and step by step all of it again. */
import type { Clock } from "../model/ports.ts";

export interface Pace {
  /** From `least` to 1. */
  now(): number;
  /** The vendor asked for silence until then. */
  slower(until: number): void;
}

const least = 1 / 64;
/** Twice as much after this time without a refusal. */
const doublesInMs = 30_000;

/**
 * Published limits are shared: other programs of the same account may use most of one, and no answer says so but the refusal. A lane that goes
 * on at the published pace spends its calls on refusals, and on beginning again what was refused half way.
 */
export function openPace(clock: Pick<Clock, "now">): Pace {
  let pace = 1;
  let since = Number.NEGATIVE_INFINITY;
  let told = Number.NEGATIVE_INFINITY;

  function now(): number {
    const at = clock.now();
    // A clock set back makes nothing slow for longer.
    if (at < told) [told, since] = [at, at];
    return Math.min(1, pace * 2 ** Math.max(0, (at - since) / doublesInMs));
  }

  return {
    now,
    slower(until) {
      pace = Math.max(least, now() / 2);
      [told, since] = [clock.now(), until];
    },
  };
}
