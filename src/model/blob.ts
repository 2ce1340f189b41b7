/** ATTIC: where sealed bytes live once they have left the ledger. */

export interface Blobs {
  /** Durable when it resolves: data and name fsynced. Writing an existing key again replaces it whole. */
  put(key: string, sealed: AsyncIterable<Uint8Array>): Promise<{ bytes: number }>;
  /** Undefined when there is no such key. */
  get(key: string): Promise<ReadableStream<Uint8Array> | undefined>;
  /** True when something was there. */
  delete(key: string): Promise<boolean>;
  list(prefix: string): AsyncIterable<{ key: string; bytes: number; at: number }>;
}

/** Files for messages too large for the ledger, written before the 250 and moved to the attic later. */
export interface Spool {
  /** A sealed file that is not yet promised. `write` honours back-pressure. */
  create(label: string): Promise<SpoolDraft>;
  read(name: string): Promise<ReadableStream<Uint8Array> | undefined>;
  /** A second durable name for the same bytes (one message, two tenants). */
  link(name: string): Promise<string>;
  remove(name: string): Promise<void>;
  list(): AsyncIterable<{ name: string; bytes: number; at: number }>;
  /** Deletes drafts that no 250 ever covered. They are never replayed (a replay would double). */
  sweepDrafts(olderThan: number): Promise<number>;
}

export interface SpoolDraft {
  write(plain: Uint8Array): Promise<void>;
  /** fsync, rename, fsync of the directory; resolves with the durable name and the SHA-256 of the plain bytes in hex. */
  commit(): Promise<{ readonly name: string; readonly sha256: string }>;
  discard(): Promise<void>;
}
