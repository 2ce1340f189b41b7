/** Time that never goes back, by a clock that may be set back: for pauses and turns, not for what is written down. */
import type { Clock } from "../../model/ports.ts";

/** In ms from anywhere. What passed between the last question and a step back is lost: a turn comes late by that, and not by the step. */
export type Steady = () => number;

export function openSteady(clock: Clock): Steady {
  let last = clock.now();
  let back = 0;
  return () => {
    const now = clock.now();
    if (now < last) back += last - now;
    last = now;
    return now + back;
  };
}
