/** Buckets elsewhere: which of the two kinds an entry of the configuration is, and what both can do beside keeping objects. */
import type { Clock } from "../model/ports.ts";
import type { Bucket } from "./bucket.ts";
import { openGcs } from "./gcs.ts";
import type { ExpiryRule, LifecycleChange } from "./lifecycle.ts";
import { openS3 } from "./s3.ts";
import type { RemoteStorage } from "./storage.ts";

export interface RemoteBucket extends Bucket {
  /** `the bucket acme-mail (s3:acme-mail)`. */
  readonly title: string;
  /** Makes our rules these; with `dryRun` says only what would change. Rejects with LifecycleUnsupported where the service has none. */
  applyLifecycle(prefix: string, rules: readonly ExpiryRule[], dryRun: boolean): Promise<LifecycleChange>;
  /** What should be known of the bucket beside whether it works; empty where it cannot be asked. */
  remarks(): Promise<readonly string[]>;
  close(): void;
}

export function openBucket(storage: RemoteStorage, clock: Pick<Clock, "now">): RemoteBucket {
  return storage.type === "s3" ? openS3(storage) : openGcs(storage, clock);
}
