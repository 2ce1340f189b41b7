/** What a place for objects has to offer, so that sealing, ranges and references can be said once above it. */

export interface ByteRange {
  readonly start: number;
  /** Included. */
  readonly end: number;
}

export interface Download {
  readonly filename: string;
  readonly contentType: string;
  readonly seconds: number;
}

/** Keys are checked by whoever calls. Rejects with Refused: retryable or blocked. */
export interface Bucket {
  /** Durable when it resolves, and not there at all when it rejects or the process dies. An existing key is replaced whole. */
  put(key: string, bytes: AsyncIterable<Uint8Array>): Promise<{ readonly bytes: number }>;
  /** Undefined when there is no such key. `total`: of the whole object. A range that begins behind its end gives no bytes. */
  read(
    key: string,
    range?: ByteRange,
  ): Promise<{ readonly bytes: ReadableStream<Uint8Array>; readonly total: number } | undefined>;
  /** True when something was there. */
  delete(key: string): Promise<boolean>;
  list(prefix: string): AsyncIterable<{ key: string; bytes: number; at: number }>;
  presign?(key: string, download: Download): Promise<string>;
  /** Deletes what a crash left half written, when begun before `olderThan` (epoch ms). Returns how many. */
  sweepDrafts(olderThan: number): Promise<number>;
}
