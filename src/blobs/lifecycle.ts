/** Rules by age, as a bucket may have them of its own: a second broom behind the daemon's. */
import type { BlobClass } from "../model/blob.ts";

/** Objects of one class are deleted by the bucket so many days after they were put. */
export interface ExpiryRule {
  readonly class: BlobClass;
  /** With the store's own prefix, and a slash at its end. */
  readonly prefix: string;
  readonly days: number;
}

export interface LifecycleChange {
  /** What the bucket has of ours, in the words of its kind. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Rules of others, which stay as they are. */
  readonly others: number;
}

/** The service has no rules by age, or none that we can write. */
export class LifecycleUnsupported extends Error {
  override readonly name = "LifecycleUnsupported";
}
