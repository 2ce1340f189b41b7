/** What is deleted by age, and what was. */
import type { RawPlace } from "./ledger.ts";

/** Settled here means closed: nothing pending or held, and no dead letter that nobody has dropped. What is open outlives any age. */
export interface PurgePolicy {
  /** Raw bytes of settled messages received before this go; null keeps them. */
  readonly rawBefore: number | null;
  /** Event bodies and sealed steps of settled messages received before this go. The rows, digests and refs stay: they keep doubles away. */
  readonly eventBefore: number | null;
  readonly now: number;
  readonly dryRun: boolean;
  readonly limit: number;
  /** Events whose raw bytes stay, because they could not be deleted. */
  readonly except?: readonly string[];
  /** The raw bytes of this event, and nothing else. */
  readonly only?: string;
  /** Raw bytes of messages behind this one in the order of their receipt, as `Purged.through` says. */
  readonly after?: PurgeCursor;
  /** And none behind this one. */
  readonly upTo?: PurgeCursor;
}

export interface PurgeCursor {
  readonly receivedAt: number;
  readonly seq: number;
}
export interface Purged {
  readonly raws: readonly { readonly eventId: string; readonly raw: RawPlace; readonly bytes: number }[];
  readonly events: readonly string[];
  /** The last message whose raw bytes were found, whether or not they went; undefined where there was none. */
  readonly through: PurgeCursor | undefined;
  /** True when the limit was reached and another call has more to do. */
  readonly more: boolean;
}
