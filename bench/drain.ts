/**
 * How fast a backlog becomes CRM records: mails already accepted are drained to an instant HubSpot in a process of its own, limits lifted,
 * against the bare single-core simpleParser rate of the same mails in the same run. Also with SMTP accept inside the clock. `--backlog` adds
 * a long queue: accepted mails of which a sample is delivered, and what it costs the ledger alone (backlog.ts).
 * `npm run bench:drain -- --count 5000 --rounds 3 --backlog 1000000`; with `--only backlog` nothing else.
 */
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { childrenOf, processCpu, threadCpu } from "./cpu.ts";
import type { Order } from "./drain-worker.ts";
import type { Mix } from "./mail.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "5000" },
    rounds: { type: "string", default: "3" },
    backlog: { type: "string", default: "0" },
    /** Where to leave a CPU profile of each thread of the draining process. */
    profile: { type: "string" },
    /** This mix and nothing else: for whoever works on the costs. */
    only: { type: "string" },
  },
});
const count = Number(values.count);
const rounds = Number(values.rounds);
const senders = Math.max(1, Math.floor(count / 3));
const bar = 0.6;

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

interface Answer {
  readonly port?: number;
  readonly stats?: { readonly deliveries: Readonly<Record<string, number>>; readonly bytes: number };
  readonly peakRssKiB?: number;
  readonly rssBytes?: number;
}

function ask(child: ChildProcess, order: Order): Promise<Answer> {
  const answer = once(child, "message").then(([message]) => message as Answer);
  child.send(order);
  return answer;
}

async function startWorker(url: string, ...more: readonly string[]): Promise<ChildProcess> {
  const profiling = values.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${values.profile}`];
  const child = fork(script("./drain-worker.ts"), [url, ...more], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    execArgv: [...process.execArgv, ...profiling],
  });
  await once(child, "message");
  return child;
}

async function startCrm(): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(script("./crm-server.ts"), [], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const [message] = (await once(child, "message")) as [{ url: string }];
  return { child, url: message.url };
}

/** Microseconds of CPU a message, by where they go. V8Worker: V8 compiling and collecting beside the daemon's threads. */
function costs(worker: ChildProcess, crm: ChildProcess): () => { readonly parts: string; readonly all: number } {
  const read = (): Map<string, number> => {
    const threads = threadCpu(worker.pid ?? 0);
    const { main = 0, ledger = 0, ...others } = Object.fromEntries(threads);
    const parsers = childrenOf(worker.pid ?? 0).reduce((sum, pid) => sum + processCpu(pid), 0);
    return new Map([
      ["main", main],
      ["ledger", ledger],
      ...Object.entries(others).map(([name, us]) => [name, us] as const),
      ["parsers", parsers],
      ["CRM", processCpu(crm.pid ?? 0)],
    ]);
  };
  const before = read();
  return () => {
    const used = [...read()]
      .map(([name, us]) => [name, Math.round((us - (before.get(name) ?? 0)) / count)] as const)
      .filter(([, us]) => us > 0);
    const all = used.reduce((sum, [, us]) => sum + us, 0);
    return { parts: used.map(([name, us]) => `${name} ${us}`).join(", "), all };
  };
}

/** simpleParser alone, in a process of its own on one core: messages per second, and microseconds of CPU for each. */
function parseRate(run: string, mix: Mix): { rate: number; cpu: number } {
  const args = [script("./parse-rate.ts"), String(count), String(senders), run, mix];
  const [rate = 0, cpu = 0] = execFileSync(process.execPath, args, { encoding: "utf8" }).trim().split(" ").map(Number);
  return { rate, cpu };
}

async function crmCounts(url: string): Promise<Record<string, number>> {
  const answer = await fetch(`${url}/_sandbox/state`);
  return ((await answer.json()) as { counts: Record<string, number> }).counts;
}

/**
 * A daemon runs for weeks, and the yardstick is warmed up too (parse-rate.ts, each of its two parsers as much). Cold, a mail costs a parser more
 * than twice as much for some 300 mails, and V8 goes on compiling the daemon's code for thousands.
 */
const warmCount = 4_000;

async function warmUp(worker: ChildProcess, mix: Mix): Promise<void> {
  await ask(worker, { what: "fill", count: warmCount, senders, run: `warm${mix}`, mix });
  await ask(worker, { what: "drain" });
  await ask(worker, { what: "settled", count: warmCount });
  await ask(worker, { what: "halt" });
}

type How = "verify" | "plain";
interface Drained {
  readonly drain: number;
  readonly ratio: number;
}

/** One daemon, warmed up once, drains a backlog again and again. */
async function drains(mix: Mix, how: How, rounds: number): Promise<Drained[]> {
  const crm = await startCrm();
  const worker = await startWorker(crm.url, how);
  await warmUp(worker, mix);
  const results: Drained[] = [];
  for (let round = 0; round < rounds; round++) results.push(await oneRound(round, mix, how, worker, crm));
  await ask(worker, { what: "stop" });
  crm.child.kill();
  return results;
}

async function oneRound(
  round: number,
  mix: Mix,
  how: How,
  worker: ChildProcess,
  crm: { readonly child: ChildProcess; readonly url: string },
): Promise<Drained> {
  const run = `${mix}${round}`;
  await ask(worker, { what: "fill", count, senders, run, mix });
  const bareBefore = parseRate(run, mix);
  const used = costs(worker, crm.child);
  const from = performance.now();
  await ask(worker, { what: "drain" });
  const { peakRssKiB = 0, stats } = await ask(worker, { what: "settled", count: warmCount + (round + 1) * count });
  const drain = count / ((performance.now() - from) / 1000);
  const { parts, all } = used();
  await ask(worker, { what: "halt" });
  const bareAfter = parseRate(run, mix);
  const bare = (bareBefore.rate + bareAfter.rate) / 2;
  const bareCpu = Math.round((bareBefore.cpu + bareAfter.cpu) / 2);
  const made = await crmCounts(crm.url);
  process.stdout.write(
    `${mix} mail${how === "verify" ? ", senders verified" : ""}, round ${round + 1}: drained ${drain.toFixed(0)}/s, simpleParser alone ${bare.toFixed(0)}/s, ratio ${(drain / bare).toFixed(2)}; ` +
      `CPU us a message: simpleParser ${bareCpu}, ${parts}, all ${all} (${(all / bareCpu).toFixed(2)}x); peak rss ${(peakRssKiB / 1024).toFixed(0)} MiB; settled ${JSON.stringify(stats?.deliveries)}; CRM ${JSON.stringify(made)}\n`,
  );
  return { drain, ratio: drain / bare };
}

/** SMTP accept, parse, plan and delivery at once: the clock runs from the first connection to the last settled delivery. */
async function withAccept(): Promise<void> {
  const crm = await startCrm();
  const worker = await startWorker(crm.url);
  const { port = 0 } = await ask(worker, { what: "listen" });
  await warmUp(worker, "ordinary");
  await ask(worker, { what: "drain" });
  const used = costs(worker, crm.child);
  const from = performance.now();
  const sender = fork(script("./smtp-load.ts"), [String(port), String(count), String(senders), "accept"], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  // Without all of its mails the wait below would have no end.
  const [code] = await once(sender, "exit");
  if (code !== 0) throw new Error("not every mail was accepted: what the sender was answered stands above");
  const accepted = count / ((performance.now() - from) / 1000);
  const { peakRssKiB = 0 } = await ask(worker, { what: "settled", count: warmCount + count });
  const all = count / ((performance.now() - from) / 1000);
  const { parts, all: cpu } = used();
  const { rate: bare } = parseRate("accept", "ordinary");
  process.stdout.write(
    `with SMTP accept inside the clock: accepted ${accepted.toFixed(0)}/s, end to end ${all.toFixed(0)}/s, ` +
      `ratio to simpleParser alone ${(all / bare).toFixed(2)}; CPU us a message: ${parts}, all ${cpu}; peak rss ${(peakRssKiB / 1024).toFixed(0)} MiB\n`,
  );
  await ask(worker, { what: "stop" });
  crm.child.kill();
}

/**
 * So many mails wait, accepted; the oldest are parsed, planned and delivered, as many as without a queue before, by the same daemon. The rest
 * stays where it is: at this rate it would take an hour.
 */
async function fromBacklog(backlog: number): Promise<void> {
  const crm = await startCrm();
  const worker = await startWorker(crm.url, "plain");
  await warmUp(worker, "small");
  const sample = async (settledBefore: number): Promise<{ rate: number; most: number; left: number }> => {
    const from = performance.now();
    await ask(worker, { what: "drain" });
    const { rssBytes = 0, stats } = await ask(worker, { what: "settled", count: settledBefore + count, more: true });
    const { processed = 0, pending = 0 } = stats?.deliveries ?? {};
    const rate = (processed - settledBefore) / ((performance.now() - from) / 1000);
    await ask(worker, { what: "halt" });
    return { rate, most: rssBytes, left: pending };
  };
  await ask(worker, { what: "fill", count, senders, run: "short", mix: "small" });
  const short = await sample(warmCount);
  const from = performance.now();
  const many = Math.floor(backlog / 3);
  const { rssBytes: idle = 0 } = await ask(worker, {
    what: "fill",
    count: backlog,
    senders: many,
    run: "long",
    mix: "small",
  });
  const filled = backlog / ((performance.now() - from) / 1000);
  const long = await sample(warmCount + count);
  const { emails = 0 } = await crmCounts(crm.url);
  process.stdout.write(
    `a backlog of ${backlog} small mails, accepted at ${filled.toFixed(0)}/s: a sample of ${count} delivered at ${long.rate.toFixed(0)}/s, ` +
      `${(long.rate / short.rate).toFixed(2)}x of the same number without a queue (${short.rate.toFixed(0)}/s), ${long.left} more were planned meanwhile; ` +
      `memory ${mib(idle)} MiB before, ${mib(long.most)} MiB at most while it was drained, ${mib(short.most)} MiB without a queue; ` +
      `${emails} emails at the CRM in all, the rest of the backlog was not delivered\n`,
  );
  await ask(worker, { what: "stop" });
  crm.child.kill();
}

const mib = (bytes: number): string => (bytes / 1_048_576).toFixed(0);

if (values.only === "backlog") {
  await fromBacklog(Number(values.backlog));
  process.exit(0);
}
if (values.only !== undefined) {
  await drains(values.only === "small" ? "small" : "ordinary", "plain", rounds);
  process.exit(0);
}
const results = await drains("ordinary", "plain", rounds);
await drains("small", "plain", 1);
const verified = await drains("ordinary", "verify", rounds);
await withAccept();
if (Number(values.backlog) > 0) {
  await fromBacklog(Number(values.backlog));
  process.stdout.write(
    `a backlog of ${values.backlog} that is planned, in the ledger alone: claimed and settled, nothing delivered\n`,
  );
  execFileSync(process.execPath, [script("./backlog.ts"), values.backlog], { stdio: "inherit" });
}
const middle = (of: readonly { drain: number }[]): number =>
  of.map(({ drain }) => drain).sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? 0;
process.stdout.write(
  `verifying senders: ${middle(verified).toFixed(0)}/s in place of ${middle(results).toFixed(0)}/s (medians; the mails are signed then)\n`,
);
const ratios = results.map(({ ratio }) => ratio).sort((a, b) => a - b);
const median = ratios[Math.floor(ratios.length / 2)] ?? 0;
process.stdout.write(
  `ordinary mail: median ratio ${median.toFixed(2)}, bar ${bar}: ${median >= bar ? "met" : "MISSED"}\n`,
);
process.exit(median >= bar ? 0 : 1);
