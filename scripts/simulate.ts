/** Runs the simulation of test/simulation from the command line: one seed with its trace, or many with progress. */
import { parseArgs } from "node:util";
import { runSeeds, told } from "../test/simulation/seeds.ts";

const usage = `node scripts/simulate.ts --seed N [--trace]     runs one world, and prints every step of it
node scripts/simulate.ts [--seeds N] [--from N]  runs many; exit code 1 when one of them broke a promise
--vendor V: hubspot (default), close, pipedrive, salesforce or zoho`;

function numberOf(text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`a whole number is needed, not ${text}`);
  return value;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function one(seed: number, trace: boolean, vendor: string): Promise<boolean> {
  let lines: readonly string[] = [];
  const { failures } = await runSeeds({
    from: seed,
    count: 1,
    trace,
    vendor,
    progress(outcome) {
      lines = outcome.trace;
      return true;
    },
  });
  for (const line of lines) print(line);
  print(failures.length === 0 ? `seed ${seed}: every promise was kept` : failures.map(told).join("\n"));
  return failures.length === 0;
}

async function many(from: number, count: number, vendor: string): Promise<boolean> {
  const started = performance.now();
  let done = 0;
  const { failures, coverage } = await runSeeds({
    from,
    count,
    vendor,
    progress(outcome) {
      done++;
      if (outcome.violations.length > 0) print(told(outcome));
      if (done % 500 === 0)
        print(`${done} of ${count} worlds, ${Math.round((performance.now() - started) / done)} ms each`);
      return true;
    },
  });
  const died = [...coverage].filter(([what]) => what.startsWith("died ")).reduce((sum, [, times]) => sum + times, 0);
  const unknown = coverage.get("dead letter outcome_unknown") ?? 0;
  print(`${vendor}: ${count} worlds, ${died} deaths, ${unknown} outcome_unknown, ${failures.length} broken promises`);
  return failures.length === 0;
}

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string" },
    from: { type: "string" },
    trace: { type: "boolean", default: false },
    vendor: { type: "string", default: "hubspot" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) print(usage);
else {
  const kept =
    values.seed === undefined
      ? await many(numberOf(values.from, 1), numberOf(values.seeds, 1_000), values.vendor)
      : await one(numberOf(values.seed, 1), values.trace, values.vendor);
  process.exitCode = kept ? 0 : 1;
}
