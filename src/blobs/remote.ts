/** Buckets elsewhere: which of the two kinds an entry of the configuration is, and what both can do beside keeping objects. */
import type { BlobClass } from "../model/blob.ts";
import type { Clock } from "../model/ports.ts";
import type { Bucket } from "./bucket.ts";
import { openGcs } from "./gcs.ts";
import { openS3 } from "./s3.ts";
import type { RemoteStorage } from "./storage.ts";

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

export interface RemoteBucket extends Bucket {
  /** `the bucket acme-mail (s3:acme-mail)`. */
  readonly title: string;
  /** Makes our rules these; with `dryRun` says only what would change. Rejects with LifecycleUnsupported where the service has none. */
  applyLifecycle(prefix: string, rules: readonly ExpiryRule[], dryRun: boolean): Promise<LifecycleChange>;
  /** What should be known of the bucket beside whether it works; empty where it cannot be asked. */
  remarks(): Promise<readonly string[]>;
  close(): void;
}

/** The service has no rules by age, or none that we can write. */
export class LifecycleUnsupported extends Error {
  override readonly name = "LifecycleUnsupported";
}

export function openBucket(storage: RemoteStorage, clock: Pick<Clock, "now">): RemoteBucket {
  return storage.type === "s3" ? openS3(storage) : openGcs(storage, clock);
}
