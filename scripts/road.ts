/** The long form of mail through the road in bad weather: `npm run road -- --vendor hubspot --seeds 3 --mails 200`; without a vendor, all of them. */
import { parseArgs } from "node:util";
import { driveRoad } from "../test/destinations/road.ts";
import { roadRigs } from "../test/destinations/road-rigs.ts";

const { values } = parseArgs({
  options: {
    vendor: { type: "string" },
    seeds: { type: "string", default: "1" },
    mails: { type: "string", default: "200" },
    senders: { type: "string", default: "40" },
    /** Seconds in which they come in. */
    spread: { type: "string", default: "7200" },
    /** Without the storm. */
    calm: { type: "boolean", default: false },
  },
});
const rigs = roadRigs.filter(({ name }) => values.vendor === undefined || name === values.vendor);
if (rigs.length === 0) throw new RangeError(`--vendor is one of ${roadRigs.map(({ name }) => name).join(", ")}`);

let wrong = 0;
for (const rig of rigs) {
  for (const storm of values.calm ? [false] : [false, true]) {
    for (let seed = 1; seed <= Number(values.seeds); seed++) {
      const began = performance.now();
      const mails = Number(values.mails);
      const spreadMs = Number(values.spread) * 1_000;
      const found = await driveRoad(rig, { seed, mails, senders: Number(values.senders), storm, spreadMs });
      const unknown = found.deadLetters.get("outcome_unknown") ?? 0;
      const others = [...found.deadLetters.keys()].filter((reason) => !storm || reason !== "outcome_unknown");
      const faulty = [...found.doubled, ...found.lost, ...found.untrue, ...found.peopleTwice, ...others];
      const whole = storm ? found.activities + unknown >= mails : found.activities === mails;
      if (faulty.length > 0 || !whole) wrong++;
      process.stdout.write(
        `${rig.name} seed ${seed} ${storm ? "storm" : "clear"}: ${mails} mails, ${found.activities} activities, ${unknown} outcome_unknown, ` +
          `${found.doubled.length} doubled, ${found.lost.length + found.untrue.length} lost, ${found.peopleTwice.length} people twice; ` +
          `${found.calls} calls, ${found.faults} of them faulty, ${(found.tookMs / 3_600_000).toFixed(1)} h of its time in ${((performance.now() - began) / 1_000).toFixed(1)} s\n`,
      );
      for (const line of [...faulty, ...(others.length > 0 ? found.details.slice(0, 10) : [])])
        process.stdout.write(`  ${line}\n`);
    }
  }
}
process.exit(wrong > 0 ? 1 : 0);
