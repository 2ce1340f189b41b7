/** A process of its own for measuring: the SMTP source before an intake that reads and forgets. Prints its port, then its peak memory. */
import { smtp } from "../../src/sources/index.ts";
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
say({ port: source.address?.port });
process.stdin.on("data", () => say({ peakMiB: process.resourceUsage().maxRSS / 1024, bytes }));
process.stdin.on("end", () => void source.stop(0));
