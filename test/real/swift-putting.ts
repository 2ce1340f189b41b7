/** A process that puts a large file and is killed while it does: the test's arguments are a storage entry as JSON and a key. */
import { openFiles, openKeyRing, openStores } from "../../src/blobs/index.ts";
import { silentLog } from "../blobs/silent.ts";

const [entry = "", key = "", folder = ""] = process.argv.slice(2);
const settings = { storage: JSON.parse(entry), tenants: [{ id: "acme" }], former_storage: [] };
const files = await openFiles(folder);
const ring = openKeyRing({ key: Buffer.alloc(32, 7) });
const stores = openStores(settings, { files, ring, clock: { now: () => Date.now() }, log: silentLog });

async function* endless(): AsyncGenerator<Uint8Array> {
  for (let sent = 0; ; sent += 1) {
    yield Buffer.alloc(1_000_000, sent);
    // Two parts are there by now, and a third is under way.
    if (sent === 20) process.stdout.write("in the middle\n");
  }
}
await stores.of("acme").put(key, endless());
