/**
 * What a parse costs: ours beside bare simpleParser (its defaults, so with html to text) and postal-mime, interleaved in one process, by
 * CPU time; their peak memory, each in a process of its own; the memory of the daemon's parser child; and what a poison message costs the
 * others. `npm run bench:parse -- [--rounds 9] [--quick] [--only "500 parts"]`. Fails when a bar is missed.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Case, cases, type ParserName, parseOne, parsers } from "./parse-cases.ts";
import { childMemory, type Memory, poisonDelays } from "./parse-pool.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    quick: { type: "boolean", default: false },
    only: { type: "string", default: "" },
  },
});
const rounds = values.quick ? 3 : Number(values.rounds);

/** The layer around the parser may cost so much of what the parser alone costs. */
const mostCost = 1.35;
/** What a message of 150 MiB may add to the memory of an idle child. */
const mostAdded = 64 * 1024 * 1024;
const mostDelayMs = 1000;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** CPU microseconds a message, of all threads of this process: the collector's too. */
async function cost(who: ParserName, one: Case): Promise<number> {
  collectGarbage();
  const before = process.cpuUsage();
  for (let index = 0; index < one.count; index++) await parseOne(who, one, index);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / one.count;
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
const print = (...columns: readonly string[]): void => {
  const [first = "", ...rest] = columns;
  process.stdout.write(`${first.padEnd(24)}${rest.map((column) => column.padStart(16)).join("")}\n`);
};
const missed: string[] = [];

async function compareCost(one: Case): Promise<void> {
  const taken = new Map<ParserName, number[]>(parsers.map((who) => [who, []]));
  for (let round = 0; round <= rounds; round++) {
    // Each goes first as often as the others.
    for (let turn = 0; turn < parsers.length; turn++) {
      const who = parsers[(round + turn) % parsers.length] ?? "mailwright";
      const microseconds = await cost(who, one);
      // The first round warms up.
      if (round > 0) taken.get(who)?.push(microseconds);
    }
  }
  const of = (who: ParserName): number[] => taken.get(who) ?? [];
  const ratio = (who: ParserName): number =>
    median(of("mailwright").map((own, round) => own / (of(who)[round] ?? Number.NaN)));
  const perSecond = parsers.map((who) => (1_000_000 / median(of(who))).toPrecision(4));
  const toSimple = ratio("simpleParser");
  print(one.name, ...perSecond, `${toSimple.toFixed(2)}x`, `${ratio("postal-mime").toFixed(2)}x`);
  if (toSimple > mostCost) missed.push(`${one.name}: ${toSimple.toFixed(2)}x simpleParser's CPU, at most ${mostCost}x`);
}

function memoryOf(who: ParserName, { name }: Case): Memory {
  const script = join(import.meta.dirname, "parse-memory.ts");
  return JSON.parse(execFileSync(process.execPath, [script, who, name], { encoding: "utf8" })) as Memory;
}

const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);

async function compareMemory(small: Case, one: Case): Promise<void> {
  const added = parsers.map((who) => {
    const { idle, peak } = memoryOf(who, one);
    return peak - idle;
  });
  const child = await childMemory(small, one);
  const inChild = child === undefined ? Number.NaN : child.peak - child.idle;
  print(one.name, ...added.map(mib), mib(inChild), child === undefined ? "" : mib(child.idle));
  for (const [where, bytes] of [
    ["in process", added[0] ?? 0],
    ["in a child", inChild],
  ] as const) {
    if (bytes > mostAdded) missed.push(`${one.name}: ${mib(bytes)} MiB more ${where}, at most ${mib(mostAdded)}`);
  }
}

const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], {
  cwd: import.meta.dirname,
  encoding: "utf8",
}).trim();
const [small] = cases;
const wanted = cases.filter(({ name }) => name.includes(values.only));
if (small === undefined) throw new Error("there are no cases");
const command = ["npm run bench:parse --", ...process.argv.slice(2)].join(" ");
process.stdout.write(`${command}\ncommit ${commit}, node ${process.version}, ${rounds} interleaved rounds, medians\n`);
process.stdout.write("\nmessages per CPU second, and our cost as a multiple of theirs\n");
print("", ...parsers, "of simpleParser", "of postal-mime");
for (const one of wanted.filter(({ timed }) => timed)) await compareCost(one);
process.stdout.write("\nMiB that one message adds to an idle process, at its peak\n");
print("", ...parsers, "our child", "(child, idle)");
for (const one of wanted) await compareMemory(small, one);
const { honest, longestMs, poisonMs } = await poisonDelays();
process.stdout.write(
  `\na message that never ends, in one of two children, for ${(poisonMs / 1000).toFixed(1)} s: of ${honest} others the longest took ${longestMs.toFixed(0)} ms\n`,
);
if (longestMs > mostDelayMs)
  missed.push(`a poison message held another up for ${longestMs.toFixed(0)} ms, at most ${mostDelayMs}`);
process.stdout.write(missed.length === 0 ? "\nevery bar is met\n" : `\nmissed:\n${missed.join("\n")}\n`);
process.exitCode = missed.length === 0 ? 0 : 1;
