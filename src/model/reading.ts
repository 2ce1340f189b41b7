/** MEMORY, to be read only: stored messages in their order, for whoever walks over all of them beside a daemon. */
import type { Envelope } from "./envelope.ts";
import type { MappingRow, ThreadDeal } from "./mappings.ts";
import type { Verdict } from "./reviews.ts";
import type { StepKind } from "./step.ts";

/** A stored message as a walk needs it. */
export interface StoredMail {
  /** Its place among all: higher ones came later. */
  readonly seq: number;
  readonly eventId: string;
  readonly messageId: string | null;
  readonly tenant: string;
  readonly digest: string;
  readonly receivedAt: number;
  readonly envelope: Envelope;
  readonly routes: readonly string[];
  /** False: it waits for its parse. */
  readonly prepared: boolean;
  /** Undefined once retention has removed it. */
  readonly sealedEvent?: Uint8Array;
  /** What a person said of it. */
  readonly verdict?: Verdict;
  /** Every destination has the mail already, as that of another message. */
  readonly copy: boolean;
}

export interface Walk {
  readonly tenant: string;
  /** Epoch ms; left out: from the first. */
  readonly since?: number | undefined;
  readonly after: number;
  readonly until: number;
  readonly limit: number;
}

/** Synchronous, in short reads: what is written meanwhile is there in the next one. */
export interface StoredMails {
  /** The place of the newest message; 0 where there is none. */
  newest(): number;
  /** In order, the first ones after `after`. */
  page(walk: Walk): readonly StoredMail[];
  /** How many there are up to `until`. */
  count(walk: Pick<Walk, "tenant" | "since" | "until">): number;
  /** As `Mappings.dealsOf`. */
  dealOf(thread: string): ThreadDeal | null;
  mappings(tenant: string): readonly MappingRow[];
  mappingText(version: number): string | undefined;
  close(): void;
}

/** What a preview asks of the ledger: each as the ledger itself answers it. */
export interface Remembered extends Pick<StoredMails, "dealOf" | "mappings" | "close"> {
  /** As `Ledger.remembered`. */
  refs(lane: string, records: readonly { readonly kind: StepKind; readonly key: string }[]): readonly (string | null)[];
  /** As `TokenRows.tokenRow`. */
  tokenRow(account: string): { readonly sealed: Uint8Array | null; readonly revision: number } | undefined;
}
