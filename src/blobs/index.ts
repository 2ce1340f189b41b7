/** What the rest of the program may use of the attic: sealing, the master key, the spool and the blob stores. */
export { derivedKey } from "./derived-key.ts";
export { type FileBlobs, openFiles } from "./files.ts";
export { openHasher } from "./hasher.ts";
export { loadOrCreateMasterKey } from "./key.ts";
export { isLocal } from "./keys.ts";
export { type ExpiryRule, LifecycleUnsupported } from "./lifecycle.ts";
export { openScanner } from "./scan.ts";
export { KeyRefused, type KeyRing, openKeyRing } from "./seal.ts";
export { SealBroken } from "./seal-format.ts";
export { openSpool } from "./spool.ts";
export { openThreadedSpool } from "./spool-threaded.ts";
export { type OpenStores, openStores, type UsedBucket } from "./stores.ts";
