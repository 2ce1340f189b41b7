/** The real thread, but that two kinds of message are deadly: one makes it compute for ever, one ends it. Or one that takes a few chunks only. */
import { parentPort, workerData } from "node:worker_threads";
import { openDns } from "../../../src/main/dns.ts";
import { systemClock, threadCpuMs } from "../../../src/main/system.ts";
import type { VerifyThreadData } from "../../../src/main/verify-thread.ts";
import { type Order, type Orders, shared } from "../../../src/pipeline/verifying/orders.ts";
import { serveVerifying } from "../../../src/pipeline/verifying/serving.ts";

if (parentPort === null) throw new TypeError("this file runs as a worker thread only");
const { dns, memory, takes, eachMs } = workerData as VerifyThreadData & {
  readonly takes?: number;
  readonly eachMs?: number;
};
const port = parentPort;
let taken = 0;
let looks = 0;
/** Where the test says how long everything takes, that is how long it takes. */
const worked = (): number => (eachMs === undefined ? threadCpuMs() : ++looks * eachMs);
const kill = (order: Order): void => {
  if (order.kind !== "begin" || order.whole === undefined) return;
  const text = Buffer.from(order.whole).toString("latin1");
  if (!/^X-(Stuck|Dies):/.test(text)) return;
  Atomics.store(new Int32Array(memory), shared.current, order.id);
  if (text.startsWith("X-Dies:")) process.exit(1);
  for (;;) Atomics.load(new Int32Array(memory), shared.current);
};
parentPort.on("message", (orders: Orders) => {
  for (const order of orders) kill(order);
});
if (takes === undefined) serveVerifying(port, memory, { dns: openDns(dns, systemClock), clock: systemClock, worked });
else {
  port.on("message", (orders: Orders) => {
    for (const { id } of orders.filter((order) => order.kind === "chunk"))
      if (++taken <= takes) port.postMessage(JSON.stringify([{ kind: "took", id }]));
  });
  setInterval(() => Atomics.add(new Int32Array(memory), shared.beat, 1), 100);
}
