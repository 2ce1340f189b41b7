/** The spool's thread over a disk that fails when a test says so, in a message on the channel named after the directory. */
import { BroadcastChannel, parentPort, workerData } from "node:worker_threads";
import type { Disk } from "../../src/blobs/durable.ts";
import { type SpoolThreadData, serveDrafts } from "../../src/blobs/spool-serving.ts";
import { type Call, FailingDisk } from "./failing.ts";

export type Ask =
  | { readonly kind: "failAt"; readonly call: Call; readonly code: "ENOSPC" | "EIO"; readonly from: number }
  | { readonly kind: "mend" }
  | { readonly kind: "calls" }
  /** Writes stand still from now on. */
  | { readonly kind: "hold" }
  | { readonly kind: "release" }
  /** The thread ends with its next write, as by a defect. */
  | { readonly kind: "die" };

if (parentPort === null) throw new TypeError("this file runs as a worker thread only");
const data = workerData as SpoolThreadData;
const failing = new FailingDisk();
let held: PromiseWithResolvers<void> | undefined;
let dying = false;

const disk: Disk = {
  ...failing.disk,
  async open(...given) {
    const handle = await failing.disk.open(...given);
    return new Proxy(handle, {
      get(target, name) {
        const found: unknown = Reflect.get(target, name);
        if (typeof found !== "function") return found;
        if (name !== "write") return found.bind(target);
        return async (bytes: Uint8Array) => {
          if (dying) process.exit(7);
          await held?.promise;
          return await target.write(bytes);
        };
      },
    });
  },
};

const channel = new BroadcastChannel(data.dir);
channel.unref();
channel.onmessage = (event: unknown) => {
  const ask = (event as { readonly data: Ask | { readonly calls: unknown } }).data;
  if (!("kind" in ask)) return;
  if (ask.kind === "failAt") failing.failAt(ask.call, ask.code, ask.from);
  else if (ask.kind === "mend") failing.mend();
  else if (ask.kind === "hold") held = Promise.withResolvers();
  else if (ask.kind === "release") held?.resolve();
  else if (ask.kind === "die") dying = true;
  channel.postMessage({ calls: [...failing.calls] });
};
serveDrafts(parentPort, data, disk);
