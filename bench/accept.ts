/**
 * Durable accept, side by side in one run: Mailwright, Mailwright discarding, and Postfix queueing durably (HOLD: the queue file is fsynced,
 * nothing more is done). Beside the bar of the discarding one: the same server with the barest durable ledger. Load: Postfix's smtp-source. Prints ratios per round and their median. `npm run bench:accept -- --rounds 5`
 */
import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { postfixAvailable, startPostfix } from "../test/real/postfix.ts";
import { machineCpu } from "./cpu.ts";

const run = promisify(execFile);
const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, quick: { type: "boolean", default: false } },
});
const rounds = Number(values.rounds);

interface Shape {
  readonly name: string;
  readonly bytes: number;
  readonly connections: number;
  readonly reused: boolean;
  readonly messages: number;
  /** Least ratio to Postfix, and to ourselves discarding. */
  readonly bar: { readonly postfix: number; readonly discard?: number };
}

const scale = values.quick ? 0.25 : 1;
const shapes: readonly Shape[] = [
  {
    name: "4 KiB, 50 connections, one message each",
    bytes: 4096,
    connections: 50,
    reused: false,
    messages: 5000,
    bar: { postfix: 2, discard: 0.8 },
  },
  {
    name: "4 KiB, 50 connections, reused",
    bytes: 4096,
    connections: 50,
    reused: true,
    messages: 10_000,
    bar: { postfix: 4, discard: 0.8 },
  },
  {
    name: "4 KiB, 1 connection, one message each",
    bytes: 4096,
    connections: 1,
    reused: false,
    messages: 600,
    bar: { postfix: 1 },
  },
  {
    name: "4 KiB, 1 connection, reused",
    bytes: 4096,
    connections: 1,
    reused: true,
    messages: 1500,
    bar: { postfix: 1 },
  },
  {
    name: "1 MiB, 10 connections, reused",
    bytes: 1_048_576,
    connections: 10,
    reused: true,
    messages: 300,
    bar: { postfix: 1 },
  },
];

async function startServer(mode: string): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(fileURLToPath(new URL("./accept-server.ts", import.meta.url)), [mode], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [message] = (await once(child, "message")) as [{ port: number }];
  return { child, port: message.port };
}

interface Counts {
  readonly counts: { readonly new: number; readonly duplicate: number };
  readonly rssBytes: number;
  /** Of all threads, since the start, in µs. */
  readonly cpu: { readonly user: number; readonly system: number };
}

async function countsOf(child: ChildProcess): Promise<Counts> {
  const answer = once(child, "message");
  child.send("counts");
  return (await answer)[0] as Counts;
}

/** Where the machine is not ours alone, the sturdiest figure there is: what a message costs the server, in µs of CPU. */
async function costOf(child: ChildProcess, messages: number, work: () => Promise<number>): Promise<[number, number]> {
  const before = (await countsOf(child)).cpu;
  const rate = await work();
  const after = (await countsOf(child)).cpu;
  return [rate, (after.user + after.system - before.user - before.system) / messages];
}

/** What a message costs all processors, the sender's and the disk's work with it, and how much of them was idle meanwhile. */
async function wholeOf(messages: number, work: () => Promise<number>): Promise<Whole> {
  const before = machineCpu();
  const rate = await work();
  const after = machineCpu();
  const busy = after.busy - before.busy;
  return { rate, busy: busy / messages, idle: (after.idle - before.idle) / (busy + after.idle - before.idle) };
}

interface Whole {
  readonly rate: number;
  readonly busy: number;
  readonly idle: number;
}

/** Messages per second as smtp-source sees them: every one answered 250. */
async function load(port: number, shape: Shape, domain: string): Promise<number> {
  const messages = Math.ceil(shape.messages * scale);
  const from = performance.now();
  await run("smtp-source", [
    ...(shape.reused ? ["-d"] : []),
    ...["-s", String(shape.connections), "-m", String(messages), "-l", String(shape.bytes)],
    ...["-f", "a@sender.test", "-t", `u@${domain}`, `127.0.0.1:${port}`],
  ]);
  return messages / ((performance.now() - from) / 1000);
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const spread = (numbers: readonly number[]): string =>
  `${median(numbers).toFixed(2)} (${Math.min(...numbers).toFixed(2)}-${Math.max(...numbers).toFixed(2)})`;

const shown = (of: readonly Whole[]): string =>
  `${median(of.map(({ busy }) => busy)).toFixed(0)} us and ${(100 * median(of.map(({ idle }) => idle))).toFixed(0)} %`;

if (!(await postfixAvailable())) {
  process.stdout.write("bench:accept needs root, Postfix and smtp-source (Debian: apt-get install postfix)\n");
  process.exit(1);
}
const domain = "hold.test";
const postfix = await startPostfix({ role: { kind: "hold" }, domain });
const durable = await startServer("durable");
const discard = await startServer("discard");
const bare = await startServer("bare");
let missed = 0;
try {
  const warmUp: Shape = { name: "", bytes: 4096, connections: 20, reused: true, messages: 3000, bar: { postfix: 0 } };
  for (const { port } of [durable, discard, bare, postfix]) await load(port, warmUp, domain);
  for (const shape of shapes) {
    const rates: Record<"postfix" | "durable" | "discard" | "bare", number[]> = {
      postfix: [],
      durable: [],
      discard: [],
      bare: [],
    };
    const costs: number[] = [];
    const whole: { readonly kept: Whole; readonly dropped: Whole }[] = [];
    for (let round = 0; round < rounds; round++) {
      await postfix.clear();
      rates.postfix.push(await load(postfix.port, shape, domain));
      const messages = Math.ceil(shape.messages * scale);
      const kept = await wholeOf(messages, async () => {
        const [rate, cost] = await costOf(durable.child, messages, () => load(durable.port, shape, domain));
        costs.push(cost);
        return rate;
      });
      rates.durable.push(kept.rate);
      const dropped = await wholeOf(messages, () => load(discard.port, shape, domain));
      rates.discard.push(dropped.rate);
      if (shape.bar.discard !== undefined) rates.bare.push(await load(bare.port, shape, domain));
      whole.push({ kept, dropped });
    }
    const toPostfix = rates.durable.map((rate, index) => rate / (rates.postfix[index] ?? Number.NaN));
    const toDiscard = rates.durable.map((rate, index) => rate / (rates.discard[index] ?? Number.NaN));
    const least = rates.bare.map((rate, index) => rate / (rates.discard[index] ?? Number.NaN));
    const met =
      median(toPostfix) >= shape.bar.postfix &&
      (shape.bar.discard === undefined || median(toDiscard) >= shape.bar.discard);
    if (!met) missed++;
    process.stdout.write(
      `${shape.name}\n` +
        `  messages/s, median: Mailwright ${median(rates.durable).toFixed(0)}, Postfix ${median(rates.postfix).toFixed(0)}, discarding ${median(rates.discard).toFixed(0)}\n` +
        `  Mailwright's CPU for a message, median: ${median(costs).toFixed(0)} us\n` +
        `  whole machine, CPU for a message and idle, median: ${shown(whole.map(({ kept }) => kept))}, discarding ${shown(whole.map(({ dropped }) => dropped))}\n` +
        `  Mailwright / Postfix    ${spread(toPostfix)}  bar ${shape.bar.postfix}\n` +
        `  Mailwright / discarding ${spread(toDiscard)}${shape.bar.discard === undefined ? "" : `  bar ${shape.bar.discard}`}\n` +
        (least.length === 0
          ? ""
          : `  bare ledger / discarding   ${spread(least)}  (no bar: what the one above has to be held against)\n`) +
        `  ${met ? "met" : "MISSED"}\n`,
    );
  }
  const { counts, rssBytes } = await countsOf(durable.child);
  process.stdout.write(
    `durable server: ${counts.new} new, ${counts.duplicate} duplicate, rss ${(rssBytes / 1048576).toFixed(0)} MiB\n`,
  );
} finally {
  for (const { child } of [durable, discard, bare]) {
    child.send("stop");
    await once(child, "exit");
  }
  await postfix.stop();
}
process.exit(missed === 0 ? 0 : 1);
