/** The long form of the kill test: `node scripts/kills.ts --cycles 500 --seed 1`, against another vendor than HubSpot `--vendor pipedrive`. Prints the verdict; exit 1 when a promise was broken. */
import { parseArgs } from "node:util";
import {
  closeKills,
  hubspotKills,
  pipedriveKills,
  salesforceKills,
  trytonKills,
  zohoKills,
} from "../test/process/kill-vendors.ts";
import { runKills } from "../test/process/kills.ts";

const { values } = parseArgs({
  options: {
    cycles: { type: "string", default: "500" },
    seed: { type: "string", default: "1" },
    vendor: { type: "string", default: "hubspot" },
  },
});
const cycles = Number(values.cycles);
const seed = Number(values.seed);
const accounts = new Map([
  ["hubspot", [hubspotKills("yes"), hubspotKills("no"), hubspotKills("propertiesForbidden")]],
  ["close", [closeKills]],
  ["pipedrive", [pipedriveKills]],
  ["salesforce", [salesforceKills(true), salesforceKills(false)]],
  ["tryton", [trytonKills]],
  ["zoho", [zohoKills]],
]);
const vendors = accounts.get(values.vendor);
if (vendors === undefined) throw new RangeError(`--vendor is one of ${[...accounts.keys()].join(", ")}`);
let broken = false;
for (const [index, vendor] of vendors.entries()) {
  const outcome = await runKills({
    seed: seed * 10 + index,
    cycles: Math.ceil(cycles / vendors.length),
    moments: ["random", "after_250", "before_answer"],
    vendor,
    mailsPerCycle: 8,
    // Where no list proves that a call came to nothing, that is waited for: twice two minutes.
    patienceMs: 420_000,
    progress: (done) => void (process.stderr.isTTY && process.stderr.write(`\r${vendor.name}: ${done} kills`)),
  });
  const { lost, doubled, mangled, unread, phantom, visible, activities, acknowledged, kills, unanswered, contacts } =
    outcome;
  const wrong = lost.length + doubled.length + mangled.length + phantom.length;
  broken ||= wrong > 0 || activities + visible.size !== acknowledged;
  const figures = {
    vendor: vendor.name,
    kills,
    unanswered,
    acknowledged,
    activities,
    visible: [...visible],
    lost,
    doubled,
    mangled,
    unread,
    phantom,
    contacts,
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
process.exit(broken ? 1 : 0);
