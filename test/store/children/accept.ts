/** Accepts messages in a worker thread as fast as it can and says which are acknowledged, until it is killed. */
import { openLedger } from "../../../src/store/index.ts";
import { message } from "../contract/world.ts";

const [path = "", from = "0", thread = "worker"] = process.argv.slice(2);
const ledger = await openLedger({ path, thread: thread === "worker" ? "worker" : "calling" });
let next = Number(from);
const sender = async () => {
  for (;;) {
    const name = `k${next++}`;
    const sealed = new Uint8Array(3_000).fill(next % 251);
    const [answer] = await ledger.accept([message(name, { raw: { kind: "inline", sealed } })]);
    process.stdout.write(`${answer?.eventId}\n`);
  }
};
await Promise.all(Array.from({ length: 20 }, sender));
