/** A store in a bucket of our own S3 on loopback, gone when the test ends. */
import { onTestFinished } from "vitest";
import { openFiles, openKeyRing, openStores } from "../../src/blobs/index.ts";
import type { S3Storage } from "../../src/blobs/storage.ts";
import { s3StorageOf, startS3 } from "../support/s3-server.ts";
import { folder } from "./disk.ts";
import { silentLog } from "./silent.ts";

const ring = openKeyRing({ key: Buffer.alloc(32, 7) });

export async function openS3Store(changes: Partial<S3Storage> = {}) {
  const server = await startS3();
  onTestFinished(() => server.stop());
  const storage = s3StorageOf(server, { prefix: "mw/", ...changes });
  const files = await openFiles(folder());
  const settings = { storage, tenants: [{ id: "acme" }], former_storage: [] };
  const stores = openStores(settings, { files, ring, clock: { now: () => Date.now() }, log: silentLog });
  onTestFinished(() => stores.close());
  return { server, settings, stores, store: stores.of("acme") };
}
