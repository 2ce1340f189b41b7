/** Puts many files at once into a bucket and says how much memory that took; run as a process of its own, whose peak the kernel counts. */
import { readFileSync } from "node:fs";
import { openFiles, openKeyRing, openStores } from "../../src/blobs/index.ts";
import { silentLog } from "../blobs/silent.ts";

const [entry = "", folder = "", count = "50", bytes = "26214400"] = process.argv.slice(2);
const settings = { storage: JSON.parse(entry), tenants: [{ id: "acme" }], former_storage: [] };
const ring = openKeyRing({ key: Buffer.alloc(32, 7) });
const ports = { files: await openFiles(folder), ring, clock: { now: () => Date.now() }, log: silentLog };
const stores = openStores(settings, ports);
const store = stores.of("acme");

/** As a parser child hands it over. */
async function* file(number: number): AsyncGenerator<Uint8Array> {
  for (let left = Number(bytes); left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536), number);
}

/** KiB; `VmHWM` is the most that was ever resident. */
const status = (name: string): number =>
  Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(readFileSync("/proc/self/status", "utf8"))?.[1]);

// The library is loaded, and its connections are open.
await store.put("attachment/acme/warm/up", file(0));
await new Promise((resolve) => setTimeout(resolve, 500));
const idle = status("VmRSS");
await Promise.all(
  Array.from({ length: Number(count) }, (_none, number) => store.put(`attachment/acme/n/${number}`, file(number))),
);
process.stdout.write(`${JSON.stringify({ idle_kib: idle, peak_kib: status("VmHWM") })}\n`);
await stores.close();
