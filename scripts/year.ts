/** The long form of the made-up year: `npm run year -- --seed 1 --count 5000 --destination both --mapping config/presets/sales-inbox.yaml`. */
import { parseArgs } from "node:util";
import type { Mismatch } from "../test/year/compare.ts";
import { runYear } from "../test/year/run.ts";
import { destinations } from "../test/year/stage.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "5000" },
    destination: { type: "string", default: "both" },
    mapping: { type: "string", default: "config/presets/sales-inbox.yaml" },
    show: { type: "string", default: "2" },
    disorder: { type: "boolean", default: false },
  },
});

function whole(name: "seed" | "count" | "show"): number {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`--${name} takes a whole number, not ${values[name]}`);
  return value;
}
const destination = destinations.find((known) => known === values.destination);
if (destination === undefined) throw new RangeError(`--destination is one of ${destinations.join(", ")}`);

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const tty = process.stderr.isTTY;
let told = 0;
const run = await runYear({
  seed: whole("seed"),
  count: whole("count"),
  destination,
  mapping: values.mapping,
  disorder: values.disorder,
  progress(done, of) {
    if (!tty && done - told < 500) return;
    told = done;
    process.stderr.write(tty ? `\r${done} of ${of} mails` : `${done} of ${of} mails\n`);
  },
});

function show(mismatches: readonly Mismatch[]): void {
  const classes = new Map<string, Mismatch[]>();
  for (const one of mismatches) classes.set(one.class, [...(classes.get(one.class) ?? []), one]);
  for (const [name, those] of [...classes].sort(([, one], [, other]) => other.length - one.length)) {
    print(`  ${those.length} x ${name}`);
    for (const { mail, truth, there } of those.slice(0, whole("show"))) {
      if (mail !== null) print(`    mail   ${mail.number} <${mail.id}> ${JSON.stringify(mail.told)}`);
      print(`    truth  ${JSON.stringify(truth)}`);
      print(`    there  ${JSON.stringify(there)}`);
    }
  }
}

const seconds = run.ms / 1000;
print(
  `seed ${values.seed}: ${run.mails} mails in ${seconds.toFixed(1)} s, ${(run.mails / seconds).toFixed(0)} a second, at most ${Math.round(run.peakRssBytes / 1024 ** 2)} MiB`,
);
for (const { lane, coverage, activities, mismatches, reasons } of run.lanes) {
  print(
    `${lane}: ${activities} activities, coverage ${(coverage * 100).toFixed(2)} %, ${mismatches.length} differences`,
  );
  for (const [reason, mails] of [...reasons].sort()) print(`  ${mails} without: ${reason}`);
  show(mismatches);
}
const calls = [...run.calls.values()].reduce((sum, count) => sum + count, 0);
if (calls > 0) {
  print(`at the vendor: ${calls} calls, ${(calls / run.mails).toFixed(2)} for each mail`);
  for (const [route, count] of [...run.calls].sort(([, one], [, other]) => other - one)) print(`  ${count} ${route}`);
}
for (const line of run.complaints.slice(0, 20)) print(`log: ${line}`);
process.exit(run.lanes.some(({ mismatches, coverage }) => mismatches.length > 0 || coverage < 0.99) ? 1 : 0);
