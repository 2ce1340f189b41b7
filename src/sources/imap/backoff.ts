/** How long an account is left alone after what went wrong: pure. */
import type { TroubleKind } from "./trouble.ts";

const second = 1_000;
const minute = 60 * second;

/** A broken connection is tried again within a minute, whatever happened before: mail waits behind it. */
const plans: Readonly<Record<TroubleKind, { readonly first: number; readonly most: number }>> = {
  connection: { first: second, most: 45 * second },
  refused: { first: 2 * second, most: 45 * second },
  protocol: { first: 5 * second, most: 45 * second },
  limit: { first: 30 * second, most: 10 * minute },
  // Servers lock accounts after five to ten wrong passwords in some minutes.
  auth: { first: 15 * minute, most: 360 * minute },
};

/** `failures`: in a row, this one included. `chance`: uniform in [0, 1); accounts that broke together do not come back together. */
export function pauseAfter(kind: TroubleKind, failures: number, chance: number): number {
  const { first, most } = plans[kind];
  const whole = Math.min(most, first * 2 ** Math.min(30, failures - 1));
  return Math.round(whole * (0.5 + chance / 2));
}
