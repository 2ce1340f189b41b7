/** A process of its own for measuring: the SMTP source before an intake that reads and forgets. Prints its port, then its memory. */
import { smtp } from "../../src/sources/smtp.ts";
import { realClock, world } from "./fakes.ts";

let bytes = 0;
const source = await smtp.start(
  smtp.settings.parse({ host: "127.0.0.1", port: 0 }),
  {
    maxBytes: 1024 * 1024 * 1024,
    pressure: async () => undefined,
    accept: async (raw, envelopes) => {
      for await (const chunk of raw) bytes += chunk.length;
      return envelopes.map(({ tenant }) => ({ eventId: String(bytes), tenant, outcome: "new" as const }));
    },
  },
  world(realClock),
);
const say = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
/** What is still reachable, once everything dead has been collected. Needs --expose-gc. */
const live = (): number => {
  // The second collection waits for the sweep of dead buffers that the first one began.
  for (let pass = 0; pass < 2; pass += 1) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
say({ port: source.address?.port });
process.stdin.on("data", () => {
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  say({ peakMiB, liveMiB: live() / 1024 / 1024, bytes });
});
process.stdin.on("end", () => void source.stop(0));
