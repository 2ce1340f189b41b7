/** What can come of asking a vendor for something: the five kinds of failure, and the one error that carries them. */

/**
 * Whose fault follows from the kind: retryable and rate_limited = the vendor's weather, blocked = the operator's to mend,
 * permanent = this message or its mapping. `ambiguous` is the kind that decides exactly-once: look before writing again.
 */
export type Failure =
  /** Certainly nothing happened there; try again later, an attempt is counted. */
  | { readonly kind: "retryable"; readonly reason: string }
  /**
   * Certainly nothing happened; the whole lane waits until `until` (epoch ms); no attempt is counted. `standing`: it stood in line of our own for
   * too long, and the vendor asked for nothing: what stands there still goes on.
   */
  | { readonly kind: "rate_limited"; readonly reason: string; readonly until: number; readonly standing?: true }
  /** It may have happened: find before put. */
  | { readonly kind: "ambiguous"; readonly reason: string }
  /** This message never: dead letter, in the vendor's words. */
  | { readonly kind: "permanent"; readonly reason: string }
  /** Nothing of this lane can pass (token, scope, plan): the lane stops, mail stays pending. */
  | { readonly kind: "blocked"; readonly reason: string };

/** The one error the pipeline understands. Anything else thrown counts as ambiguous, and as a defect. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly failure: Failure;
  constructor(failure: Failure, options?: ErrorOptions) {
    super(`${failure.kind}: ${failure.reason}`, options);
    this.failure = failure;
  }
}

/** The failure that an unknown thrown value stands for. An unknown exception may have come after the write: ambiguous. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof Refused) return thrown.failure;
  return {
    kind: "ambiguous",
    reason: `unexpected error: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
  };
}
