/**
 * Durable ingest of a mailbox of small messages at a real Dovecot, side by side in one run: mbsync pulling it into a Maildir with `FSync yes`,
 * bare imapflow fetching it whole and keeping nothing, and Mailwright (source, intake, sealed ledger with synchronous FULL; no road behind them)
 * twice: reading what is new, as the daemon does, and taking in what is old, as `mailwright backfill` does, its rate lifted. Ratios of each
 * round and their median. Two more say what lies between bare imapflow and us: sizes asked for before a download, and the barest durable ledger.
 * Then a larger mailbox, for the memory. `npm run bench:imap -- [--rounds 5] [--count 10000] [--mailbox 100000]`;
 * `--mailbox 0` leaves the larger one out. Fails when a bar is missed.
 */
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Dovecot, dovecotAvailable, startDovecot } from "../test/real/dovecot.ts";
import { hasTool } from "../test/real/tools.ts";
import type { BareHow, BareOrder, BareRead } from "./imap-bare.ts";
import { fillInbox, pullByMbsync } from "./imap-mailbox.ts";
import type { How, ReaderOrder, ReaderRead } from "./imap-reader.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    count: { type: "string", default: "10000" },
    mailbox: { type: "string", default: "100000" },
    /** Writes CPU profiles of Mailwright's processes there. */
    profile: { type: "string" },
  },
});
const rounds = Number(values.rounds);
const count = Number(values.count);
const mailbox = Number(values.mailbox);
const bars = { mbsync: 2, bare: 0.5 };
/** Of the resident memory, from the first fifth of the larger mailbox on: SQLite's cache and V8's heap have grown to their size by then. */
const mostGrowth = 16 * 1024 * 1024;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function refuse(what: string): never {
  say(`bench:imap needs ${what}`);
  process.exit(1);
}
if (!dovecotAvailable()) refuse("root and Dovecot (Debian: apt-get install dovecot-imapd)");
if (!hasTool("mbsync")) refuse("mbsync (Debian: apt-get install isync)");

interface Contestant<Order, Answer> {
  ask(order: Order): Promise<Answer>;
  stop(): void;
}

async function contestant<Order, Answer>(file: string, how: string): Promise<Contestant<Order, Answer>> {
  const profiling =
    values.profile === undefined || file !== "./imap-reader.ts"
      ? []
      : ["--cpu-prof", `--cpu-prof-dir=${values.profile}`];
  const child: ChildProcess = fork(fileURLToPath(new URL(file, import.meta.url)), [how], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    execArgv: [...process.execArgv, ...profiling],
  });
  await once(child, "message");
  return {
    async ask(order) {
      const answered = once(child, "message");
      const ended = once(child, "exit").then(([code]): never => {
        throw new Error(`${file} ended with ${code}`);
      });
      ended.catch(() => undefined);
      child.send(order as object);
      return (await Promise.race([answered, ended]))[0] as Answer;
    },
    stop: () => child.disconnect(),
  };
}

type Reader = Contestant<ReaderOrder, ReaderRead>;
const openReader = (how: How): Promise<Reader> => contestant("./imap-reader.ts", how);

const accessOf = ({ port, user, password }: Dovecot) => ({ port, user, password });

/** Nothing that Dovecot has in hand for one serves the next. */
async function afresh<T>(dovecot: Dovecot, work: () => Promise<T>): Promise<T> {
  await dovecot.halt();
  await dovecot.start();
  return await work();
}

interface Taken {
  /** Messages a second. */
  readonly rate: number;
  /** Microseconds of CPU for a message; of mbsync it is not known. */
  readonly cpu: number;
}
type Name = "mbsync" | BareHow | How;
type Bare = Contestant<BareOrder, BareRead>;

function openRounds(dovecot: Dovecot, seen: string, readers: Record<How, Reader>, bares: Record<BareHow, Bare>) {
  const read = async (how: How): Promise<Taken> => {
    const order = { what: how, messages: count, ...accessOf(dovecot), ...(how === "new" ? { seen } : {}) };
    const { seconds, messages, cpu, lastUid } = await readers[how].ask(order);
    if (messages !== count || (how === "new" && lastUid !== count))
      throw new Error(`${how}: ${messages} messages of ${count} are in the ledger, its cursor is at ${lastUid}`);
    return { rate: count / seconds, cpu: cpu / count };
  };
  const fetch = async (how: BareHow): Promise<Taken> => {
    const { seconds, messages, cpu } = await bares[how].ask({ ...accessOf(dovecot), messages: count });
    if (messages !== count) throw new Error(`${how}: imapflow fetched ${messages} messages of ${count}`);
    return { rate: count / seconds, cpu: cpu / count };
  };
  const takes: Record<Name, () => Promise<Taken>> = {
    async mbsync() {
      return { rate: count / (await pullByMbsync(dovecot, count)), cpu: Number.NaN };
    },
    bare: () => fetch("bare"),
    sized: () => fetch("sized"),
    kept: () => fetch("kept"),
    new: () => read("new"),
    old: () => read("old"),
  };
  return async (turn: number): Promise<Record<Name, Taken>> => {
    const names: readonly Name[] = ["mbsync", "bare", "sized", "kept", "new", "old"];
    const taken: Partial<Record<Name, Taken>> = {};
    // Whoever comes first in a round comes last in the next.
    for (const index of names.keys()) {
      const name = names[(index + turn) % names.length] ?? "bare";
      taken[name] = await afresh(dovecot, takes[name]);
    }
    return taken as Record<Name, Taken>;
  };
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
const spread = (numbers: readonly number[]): string =>
  `${median(numbers).toFixed(2)} (${Math.min(...numbers).toFixed(2)}-${Math.max(...numbers).toFixed(2)})`;
const words: Readonly<Record<Exclude<Name, "mbsync">, string>> = {
  bare: "bare imapflow",
  sized: "imapflow, sizes first",
  kept: "imapflow, sizes first, sealed and in a bare ledger",
  new: "new mail",
  old: "old mail (backfill)",
};
const shown = (taken: Record<Name, Taken>): string =>
  [
    `mbsync ${taken.mbsync.rate.toFixed(0)}/s`,
    ...(Object.entries(words) as [keyof typeof words, string][]).map(
      ([name, said]) => `${said} ${taken[name].rate.toFixed(0)}/s (${taken[name].cpu.toFixed(0)} us CPU)`,
    ),
  ].join(", ");

/** How many bars were missed. */
async function speed(dovecot: Dovecot, seen: string): Promise<number> {
  const readers = { old: await openReader("old"), new: await openReader("new") };
  const openBare = (how: BareHow): Promise<Bare> => contestant("./imap-bare.ts", how);
  const bares = { bare: await openBare("bare"), sized: await openBare("sized"), kept: await openBare("kept") };
  try {
    const round = openRounds(dovecot, seen, readers, bares);
    say(`first reading, each process cold: ${shown(await round(0))}`);
    const results: Record<Name, Taken>[] = [];
    for (let turn = 1; turn <= rounds; turn++) {
      const result = await round(turn);
      results.push(result);
      say(`round ${turn}: ${shown(result)}`);
    }
    let missed = 0;
    const ratiosOf = (of: Name, to: Name): number[] => results.map((result) => result[of].rate / result[to].rate);
    for (const how of ["new", "old"] as const) {
      for (const [other, bar] of Object.entries(bars) as readonly [keyof typeof bars, number][]) {
        const ratios = ratiosOf(how, other);
        const met = median(ratios) >= bar;
        if (!met) missed++;
        const to = other === "bare" ? words.bare : other;
        say(`${words[how]} / ${to}: ${spread(ratios)}, bar ${bar}: ${met ? "met" : "MISSED"}`);
      }
    }
    for (const how of ["sized", "kept"] as const)
      say(
        `${words[how]} / ${words.bare}: ${spread(ratiosOf(how, "bare"))} (no bar: what the bar above has to be held against)`,
      );
    return missed;
  } finally {
    for (const each of [...Object.values(readers), ...Object.values(bares)]) each.stop();
  }
}

const mib = (bytes: number): string => (bytes / 1_048_576).toFixed(0);

/** In a process that has read nothing before. How many bars were missed. */
async function memory(dovecot: Dovecot, seen: string): Promise<number> {
  let missed = 0;
  for (const how of ["new", "old"] as const) {
    const reader = await openReader(how);
    try {
      const order = { what: how, messages: mailbox, ...accessOf(dovecot), ...(how === "new" ? { seen } : {}) };
      const { resident, messages, seconds } = await afresh(dovecot, () => reader.ask(order));
      if (messages !== mailbox) throw new Error(`${messages} messages of ${mailbox} are in the ledger`);
      const growth = growthOf(resident);
      const met = growth <= mostGrowth;
      if (!met) missed++;
      say(
        `${how === "new" ? "new mail" : "old mail (backfill)"}, ${mailbox} messages in ${seconds.toFixed(0)} s; resident MiB at the start and after each twentieth: ` +
          `${resident.map(mib).join(" ")}; the last two fifths hold ${mib(growth)} MiB more than the second (medians), bar ${mib(mostGrowth)}: ${met ? "met" : "MISSED"}`,
      );
    } finally {
      reader.stop();
    }
  }
  return missed;
}

function growthOf(resident: readonly number[]): number {
  const [early, late] = [resident.slice(5, 9), resident.slice(13)];
  return Math.max(0, median(late) - median(early));
}

const dovecot = await startDovecot();
let missed = 0;
let seen: string | undefined;
try {
  const seeing = await openReader("old");
  const { dir } = await seeing.ask({ what: "see", messages: 0, ...accessOf(dovecot) });
  seeing.stop();
  seen = dir;
  const bytes = await fillInbox(dovecot, 0, count);
  const version = execFileSync("dovecot", ["--version"], { encoding: "utf8" }).trim().split(" ")[0];
  const puller = execFileSync("mbsync", ["--version"], { encoding: "utf8" }).trim();
  say(
    `Dovecot ${version}, ${puller}, Node ${process.version}: ${count} messages of ${(bytes / count).toFixed(0)} bytes on average`,
  );
  missed += await speed(dovecot, dir);
  if (mailbox > count) {
    await fillInbox(dovecot, count, mailbox);
    missed += await memory(dovecot, dir);
  }
} finally {
  await dovecot.stop();
  if (seen !== undefined) rmSync(seen, { recursive: true, force: true });
}
process.exitCode = missed === 0 ? 0 : 1;
