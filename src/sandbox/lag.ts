/** A search index that lags behind the store: what was written shows there a while later, and until then what was there before. */
import type { Clock, Random } from "../model/ports.ts";

export interface IndexPorts {
  readonly clock: Pick<Clock, "now">;
  readonly random: Pick<Random, "unit">;
  /** A change shows after 0 to this many ms. */
  readonly lagMs: number;
}

/** One record as the index has it. */
export interface Indexed<T> {
  /** The record is this now; a copy, since the index shows it as it was. */
  set(value: T): void;
  /** What search shows: perhaps an older state, perhaps nothing yet. */
  shown(): T | undefined;
}

export function indexed<T>({ clock, random, lagMs }: IndexPorts): Indexed<T> {
  let before: T | undefined;
  let latest: T | undefined;
  let visibleAt = 0;
  const shown = (): T | undefined => (clock.now() >= visibleAt ? latest : before);
  return {
    shown,
    set(value) {
      before = shown();
      latest = value;
      visibleAt = clock.now() + Math.floor(random.unit() * lagMs);
    },
  };
}
