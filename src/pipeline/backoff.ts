/** When to try again: exponential delays with jitter, over at least the window that the operator set. */

/** Postfix retries at least once in 4,000 s; a CRM that comes back should not wait longer than this. */
const longestDelayMs = 3_600_000;
/** A first delay of nothing would never grow: no number of attempts would span the window, and a lane would spin. */
const shortestDelayMs = 1_000;

/** The shortest delay before attempt `attempt + 1`, attempts counted from 1. Jitter only ever adds to it. */
function leastDelayMs(attempt: number, firstDelayMs: number): number {
  return Math.min(longestDelayMs, Math.max(shortestDelayMs, firstDelayMs) * 2 ** Math.min(attempt - 1, 30));
}

/**
 * Delay in ms after the given number of failed attempts. `unit` is uniform in [0, 1): up to half again is added, so that a thousand
 * deliveries refused together do not come back together.
 */
export function retryDelayMs(attempts: number, unit: number, firstDelayMs: number): number {
  return Math.round(leastDelayMs(Math.max(1, attempts), firstDelayMs) * (1 + unit / 2));
}

/**
 * How many attempts span at least `windowMs`. Counted rather than timed: a clock that jumps ahead five years must not
 * turn a whole backlog into dead letters.
 */
export function attemptsWithin(windowMs: number, firstDelayMs: number): number {
  let attempts = 1;
  for (let covered = 0; covered < windowMs; attempts++) covered += leastDelayMs(attempts, firstDelayMs);
  return attempts;
}

/** Read-backs of an unknown outcome: this long after the call's deadline, then once more after the vendor's latest commit. */
export const readBackDelaysMs = [0, 5_000, 30_000, 120_000] as const;
