/**
 * MEMORY: the mapping files that decided, so that older ones can be replayed, and which deal a conversation belongs to. Part of the second
 * interface of the store (DESIGN section 5).
 */

/** A mapping file as it was when it was first in force. Numbers begin at 100: what is below is built in. */
export interface MappingRow {
  readonly version: number;
  readonly tenant: string;
  /** Of the text, 64 hex. */
  readonly sha256: string;
  readonly at: number;
}

/** The deal that a message of a thread asked for first. Its name is left out: a later message of the thread says it again if need be. */
export interface ThreadDeal {
  readonly key: string;
  readonly pipeline: string | null;
  readonly stage: string;
}

export interface Mappings {
  /** The number of this text for this tenant: the one it has, or a new one. */
  registerMapping(mapping: {
    readonly tenant: string;
    readonly sha256: string;
    readonly text: string;
    readonly now: number;
  }): Promise<number>;
  /** Newest first. */
  mappings(tenant: string): Promise<readonly MappingRow[]>;
  mappingText(version: number): Promise<string | undefined>;
  /** In the order of the threads; null where no message of one has asked for a deal. */
  dealsOf(threads: readonly string[]): Promise<readonly (ThreadDeal | null)[]>;
}
