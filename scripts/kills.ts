/** The long form of the kill test: `node scripts/kills.ts --cycles 500 --seed 1`, against another vendor than HubSpot `--vendor pipedrive`. Prints the verdict; exit 1 when a promise was broken. */
import { parseArgs } from "node:util";
import { pipedriveKills } from "../test/process/kill-vendors.ts";
import { type KillRun, runKills } from "../test/process/kills.ts";

const { values } = parseArgs({
  options: {
    cycles: { type: "string", default: "500" },
    seed: { type: "string", default: "1" },
    vendor: { type: "string", default: "hubspot" },
  },
});
const cycles = Number(values.cycles);
const seed = Number(values.seed);
const others = new Map([["pipedrive", pipedriveKills]]);
const vendor = others.get(values.vendor);
if (vendor === undefined && values.vendor !== "hubspot")
  throw new RangeError(`--vendor is one of hubspot, ${[...others.keys()].join(", ")}`);
const tiers: readonly KillRun["emailsUnique"][] = vendor === undefined ? ["yes", "no", "propertiesForbidden"] : ["no"];
let broken = false;
for (const [index, emailsUnique] of tiers.entries()) {
  const outcome = await runKills({
    seed: seed * 10 + index,
    cycles: Math.ceil(cycles / tiers.length),
    moments: ["random", "after_250", "before_answer"],
    emailsUnique,
    ...(vendor === undefined ? {} : { vendor }),
    mailsPerCycle: 8,
    progress: (done) => void (process.stderr.isTTY && process.stderr.write(`\r${emailsUnique}: ${done} kills`)),
  });
  const { lost, doubled, mangled, phantom, visible, activities, acknowledged, kills, contacts } = outcome;
  const wrong = lost.length + doubled.length + mangled.length + phantom.length;
  broken ||= wrong > 0 || activities + visible.size !== acknowledged;
  const figures = {
    vendor: vendor?.name ?? `hubspot, ${emailsUnique}`,
    kills,
    acknowledged,
    activities,
    visible: [...visible],
    lost,
    doubled,
    mangled,
    phantom,
    contacts,
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
process.exit(broken ? 1 : 0);
