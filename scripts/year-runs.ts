/** The long form of mappings over a year: `npm run year:runs -- --seed 1 --count 5000 --destination both --from support-inbox --to sales-inbox`. */
import { parseArgs } from "node:util";
import type { Mismatch } from "../test/year/compare.ts";
import { type Ends, runRuns } from "../test/year/runs.ts";
import { destinations } from "../test/year/stage.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "5000" },
    destination: { type: "string", default: "both" },
    from: { type: "string", default: "support-inbox" },
    to: { type: "string", default: "sales-inbox" },
    cohort: { type: "string", default: "all" },
    ends: { type: "string", default: "0.2:SIGKILL,0.4:SIGINT,0.6:SIGKILL" },
    daemon: { type: "string", default: "undo" },
    show: { type: "string", default: "3" },
  },
});

const destination = destinations.find((known) => known === values.destination);
if (destination === undefined) throw new RangeError(`--destination is one of ${destinations.join(", ")}`);
const preset = (name: string): string => new URL(`../config/presets/${name}.yaml`, import.meta.url).pathname;
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const ends = values.ends.split(",").map((word): Ends[number] => {
  const [share, signal] = word.split(":");
  return [Number(share), signal === "SIGINT" ? "SIGINT" : "SIGKILL"];
});
const began = performance.now();
let told = 0;
const run = await runRuns({
  seed: Number(values.seed),
  count: Number(values.count),
  destination,
  mapping: preset(values.from),
  to: preset(values.to),
  cohort: values.cohort,
  ends: { apply: ends, undo: ends },
  daemon: { apply: /apply|both/.test(values.daemon), undo: /undo|both/.test(values.daemon) },
  tell(line, mismatches) {
    print(`${Math.round((performance.now() - began) / 1000)} s: ${line}`);
    show(mismatches);
  },
  progress(done, of) {
    if (done - told < 500) return;
    told = done;
    print(`${Math.round((performance.now() - began) / 1000)} s: ${done} of ${of} mails`);
  },
});
print(`diff: ${JSON.stringify(run.diff.there)}`);
print(`truth: ${JSON.stringify(run.diff.truth)}`);
for (const line of run.ended) print(`ended: ${line}`);
for (const report of [run.applied, run.undone]) {
  const { messages, deliveries, made } = report;
  print(
    `run ${report.run}: ${JSON.stringify({ messages, deliveries, made, left: report.left.length + report.left_out })}`,
  );
}
for (const line of run.complaints.slice(0, 20)) print(`log: ${line.slice(0, 600)}`);
print(`touched: ${run.touched.join(", ")}`);
const undoneLeft = run.undone.left.map(({ why }) => why.replace(/\d+/g, "N"));
for (const why of new Set(undoneLeft))
  print(`left by the undo, ${undoneLeft.filter((one) => one === why).length} x: ${why}`);
const same = JSON.stringify(run.diff.there) === JSON.stringify(run.diff.truth);
process.exit(same && Object.values(run.mismatches).every(({ length }) => length === 0) ? 0 : 1);

function show(mismatches: readonly Mismatch[]): void {
  const classes = Map.groupBy(mismatches, (one) => one.class);
  for (const [name, those] of [...classes].sort(([, one], [, other]) => other.length - one.length)) {
    print(`  ${those.length} x ${name}`);
    for (const { mail, truth, there } of those.slice(0, Number(values.show))) {
      if (mail !== null) print(`    mail   ${mail.number} <${mail.id}> ${JSON.stringify(mail.told)}`);
      print(`    truth  ${JSON.stringify(truth)}`);
      print(`    there  ${JSON.stringify(there)}`);
    }
  }
}
