/** What the two sides of the verifying thread say to each other. */
import type { Received } from "../../mail/trust.ts";
import type { Evidence } from "../../model/event.ts";

export type Order =
  | { readonly kind: "begin"; readonly id: number; readonly received: Received; readonly whole?: Uint8Array }
  | { readonly kind: "chunk"; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: "end"; readonly id: number }
  /** Nobody wants it any more. */
  | { readonly kind: "drop"; readonly id: number }
  | { readonly kind: "close" };

/** Posted by the list. */
export type Report =
  | { readonly kind: "ready" }
  /** One chunk has been worked. */
  | { readonly kind: "took"; readonly id: number }
  | { readonly kind: "done"; readonly id: number; readonly evidence: Evidence }
  /** An error that nobody foresaw. */
  | { readonly kind: "broke"; readonly id: number; readonly why: string };

/** Two numbers that both sides see, also while the thread does not answer. */
export const shared = {
  bytes: 8,
  /** The message that it works on. */ current: 0,
  /** Counts up while it is alive. */ beat: 1,
} as const;
export const beatEveryMs = 250;
