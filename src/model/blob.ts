/** ATTIC: where sealed bytes live once they have left the ledger, and where the files of mails are kept. */

export interface Blobs {
  /**
   * Durable when it resolves: data and name fsynced. Writing an existing key again replaces it whole. `ref` is what to write down in place of
   * the key, where that is another.
   */
  put(key: string, sealed: AsyncIterable<Uint8Array>): Promise<{ readonly bytes: number; readonly ref?: string }>;
  /** By key or by what `put` answered as `ref`. Undefined when there is no such key. */
  get(key: string): Promise<ReadableStream<Uint8Array> | undefined>;
  /** What to write down for a key that is there already, as `put` would have answered it; undefined where there is none. */
  refOf?(key: string): Promise<string | undefined>;
  /** True when something was there. */
  delete(key: string): Promise<boolean>;
  list(prefix: string): AsyncIterable<{ key: string; bytes: number; at: number }>;
}

/** What is kept, and so for how long: keys begin with it. */
export const blobClasses = ["raw", "attachment", "preview"] as const;
export type BlobClass = (typeof blobClasses)[number];

/**
 * A content that a message names again is put again when it was put longer ago than this (ms). Then what a bucket deletes by itself, so much
 * later than our own sweep, is nothing that a younger message needs: docs/decisions/0010.
 */
export const renewAfterMs = 30 * 24 * 3600_000;

/**
 * Where a tenant's files are kept: one store each, and beside it those that were configured before, for reading. A key is the store's own name
 * for it; what is written to the ledger is the whole reference.
 */
export interface Stores {
  /** The tenant's present store. Never a network call by itself. */
  of(tenant: string): Store;
  close(): Promise<void>;
}

/**
 * What cannot be done rejects with Refused: retryable, or blocked where an operator has to mend it (credentials, a bucket that is not there, a
 * library that is not installed). What is not the bytes that were put rejects with SealBroken.
 */
export interface Store {
  /** `attachment/acme/ab/ab12…`: content-addressed, so that writing it twice is harmless. Durable when it resolves. */
  put(key: string, plain: AsyncIterable<Uint8Array>): Promise<{ readonly ref: string; readonly bytes: number }>;
  /** What `put` would answer as `ref` for this key now: for whoever writes it down before. */
  refOf(key: string): string;
  /** Plain bytes; `range` in plain bytes, `end` included. Undefined when there is no such object; RangeError when it ends before `start`. */
  open(
    ref: string,
    range?: { readonly start: number; readonly end: number },
  ): Promise<{ readonly plain: ReadableStream<Uint8Array>; readonly size: number | null } | undefined>;
  /** A short link to the bucket itself, where the object is not sealed by us; undefined where we have to stream it. */
  presign?(
    ref: string,
    download: { readonly filename: string; readonly contentType: string; readonly seconds: number },
  ): Promise<string | undefined>;
  /** True when something was there. */
  delete(ref: string): Promise<boolean>;
  /** Keys of the present store. `bytes` as they are stored, `at` when they were put (epoch ms). */
  list(prefix: string): AsyncIterable<{
    readonly key: string;
    readonly ref: string;
    readonly bytes: number;
    readonly at: number;
  }>;
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
