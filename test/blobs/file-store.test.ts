import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { openFiles, openKeyRing, openStores } from "../../src/blobs/index.ts";
import { folder } from "./disk.ts";
import { silentLog } from "./silent.ts";
import { storeContract } from "./store-contract.ts";

storeContract("a local directory", async () => {
  const dir = folder();
  const ring = openKeyRing({ key: Buffer.alloc(32, 7) });
  const files = await openFiles(dir);
  const settings = { storage: { type: "files" } as const, tenants: [{ id: "acme" }], former_storage: [] };
  const stores = openStores(settings, { files, ring, clock: { now: () => Date.now() }, log: silentLog });
  return {
    store: stores.of("acme"),
    peek: async (key) => readFileSync(join(dir, key)),
    async poke(key, bytes) {
      mkdirSync(dirname(join(dir, key)), { recursive: true });
      writeFileSync(join(dir, key), bytes);
    },
  };
});
