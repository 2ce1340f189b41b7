/** The entry of the thread that verifies senders: it has DNS and the clock of its own, and loads mailauth, which nobody else does. */
import { parentPort, workerData } from "node:worker_threads";
import { keepKeys } from "../pipeline/verifying/keys.ts";
import { serveVerifying } from "../pipeline/verifying/serving.ts";
import { type DnsOptions, openDns } from "./dns.ts";
import { systemClock, threadCpuMs } from "./system.ts";

export interface VerifyThreadData {
  readonly dns: DnsOptions;
  readonly memory: SharedArrayBuffer;
}

if (parentPort === null) throw new TypeError("this file runs as a worker thread only");
keepKeys();
const { dns, memory } = workerData as VerifyThreadData;
serveVerifying(parentPort, memory, { dns: openDns(dns, systemClock), clock: systemClock, worked: threadCpuMs });
