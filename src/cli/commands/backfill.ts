/** `mailwright backfill`: takes old mail of a mailbox in, once each, behind new mail; goes on where it was stopped. */
import { Command, InvalidArgumentError, Option } from "commander";
import {
  type FolderLooked,
  type Ground,
  mailboxName,
  OtherNumbers,
  type TakenAs,
  type Unread,
  unreadOf,
} from "../../main.ts";
import type { Cli } from "../cli.ts";
import { exitCodes, Failed } from "../exit.ts";
import { atServer, mailboxFor, openProgress, withLooked } from "../mailbox.ts";
import type { Backfilled } from "../mailbox-shapes.ts";
import { type Working, whileWorking, withGround } from "../open.ts";
import { collected, jsonOption, sinceOption } from "../options.ts";
import { plain } from "../plain.ts";

interface Options {
  readonly account: string;
  readonly since: number;
  readonly folder?: readonly string[];
  readonly dryRun?: true;
  readonly rate: number;
  readonly json?: true;
}

export function backfill(cli: Cli): Command {
  return new Command("backfill")
    .description(
      "Take old mail of a mailbox in. It is counted first, marked as `backfill` for the mapping, and goes behind new mail. SIGINT stops it; the same command goes on.",
    )
    .requiredOption("--account <name>", "the mailbox: its id, or tenant/id")
    .addOption(sinceOption().makeOptionMandatory().default(undefined))
    .option(
      "--folder <name>",
      "only this folder of those that the configuration asks for, as the server writes it or with `/` between levels; may be given several times",
      collected,
    )
    .option("--dry-run", "count, and take nothing in")
    .addOption(new Option("--rate <n>", "messages a second at most").default(200).argParser(rateOf))
    .addOption(jsonOption())
    .action((options: Options) =>
      withGround(cli, (ground) => run(cli, ground, options), { create: true, thread: "worker" }),
    );
}

function rateOf(text: string): number {
  const rate = Number(text);
  if (!(rate >= 0.1 && rate <= 10_000)) throw new InvalidArgumentError("A number from 0.1 to 10,000 is wanted.");
  return rate;
}

async function run(cli: Cli, ground: Ground, options: Options): Promise<void> {
  const account = mailboxFor(ground.settings, options.account);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) cli.onSignal(signal, () => stop.abort());
  await withLooked(ground, account, options, async (looked) => {
    const unread = unreadOf(looked);
    refuseUnread(looked.folders, unread, options);
    for (const { folder, reason } of unread) await cli.say(`${plain(folder)}: ${plain(reason, 300)}`);
    const tallies = looked.folders.map((folder) => openTally(folder));
    const todo = tallies.reduce((sum, { wanted }) => sum + wanted.length, 0);
    const found = tallies.reduce((sum, { folder }) => sum + folder.old.length, 0);
    await cli.say(
      `${mailboxName(account)}: ${found} messages since ${dayOf(options.since)}, ${found - todo} of them here already, ${todo} to take in`,
    );
    if (options.dryRun !== true && todo > 0) {
      await whileWorking(ground, (working) =>
        atServer(account, () => takeAll(cli, tallies, todo, options, working, stop.signal)),
      );
    }
    const report = reportOf(mailboxName(account), options, tallies, stop.signal.aborted, unread);
    await print(cli, report, options);
    if (options.dryRun !== true) refusePartly(report);
  });
}

function refusePartly({ stopped, refused, unread }: Backfilled): void {
  if (stopped) throw new Failed("stopped; the same command goes on", exitCodes.partly);
  if (refused.length > 0) throw new Failed("some messages could not be taken in: see above", exitCodes.partly);
  if (unread.length > 0) throw new Failed("not all folders could be looked at: see above", exitCodes.partly);
}

/** Where no folder can be looked at, or one that was asked for by name, there is nothing to say but why. */
function refuseUnread(folders: readonly FolderLooked[], [first]: readonly Unread[], { folder = [] }: Options): void {
  if (first !== undefined && (folders.length === 0 || folder.length > 0))
    throw new Failed(`${plain(first.folder)}: ${plain(first.reason, 300)}`);
}

interface Tally {
  readonly folder: FolderLooked;
  /** Taken in under numbers that its messages had before. */
  readonly earlier: number;
  readonly known: number;
  readonly givenUp: number;
  readonly wanted: readonly number[];
  readonly counts: { new: number; duplicate: number; gone: number };
  readonly refused: { uid: number; reason: string }[];
}

function openTally(folder: FolderLooked, earlier = 0): Tally {
  const { old, landed, quarantined } = folder;
  const known = old.filter((uid) => landed.has(uid)).length;
  const wanted = old.filter((uid) => !landed.has(uid) && !quarantined.has(uid));
  const givenUp = old.length - known - wanted.length;
  return { folder, earlier, known, givenUp, wanted, counts: { new: 0, duplicate: 0, gone: 0 }, refused: [] };
}

function note(tally: Tally, outcome: TakenAs): void {
  if (!("reason" in outcome)) {
    tally.counts[outcome.kind] += 1;
    return;
  }
  const { kind, uid, reason } = outcome;
  tally.refused.push({ uid, reason: kind === "given_up" ? `${reason} (it is quarantined)` : reason });
}

const turnMs = 500;

/** How far all folders have come together. */
interface Count {
  done: number;
  all: number;
}

async function takeAll(
  cli: Cli,
  tallies: Tally[],
  todo: number,
  { rate }: Options,
  working: Working,
  stop: AbortSignal,
): Promise<void> {
  const progress = openProgress(cli);
  const through = new AbortController();
  const count: Count = { done: 0, all: todo };
  const turning = (async () => {
    while (!through.signal.aborted) {
      await cli.clock.sleep(turnMs, through.signal);
      await progress.to(count.done, count.all, working.by === "daemon" ? "the daemon works on them" : "worked on here");
      if (working.by === "daemon") await working.turn(stop);
    }
  })();
  try {
    for (const index of tallies.keys()) await takeFolder(cli, tallies, index, { rate, stop }, count);
  } finally {
    through.abort();
    await turning;
    await progress.end();
  }
  // Without a daemon they are worked on now, and a second signal leaves them for the daemon.
  await working.turn(stop);
}

/** So often its messages may get other numbers in one run. */
const mostAnew = 5;

/** One whose messages get other numbers meanwhile is counted anew: what was taken in before comes to light as there already. */
async function takeFolder(
  cli: Cli,
  tallies: Tally[],
  index: number,
  { rate, stop }: { readonly rate: number; readonly stop: AbortSignal },
  count: Count,
): Promise<void> {
  for (let times = 0; !stop.aborted; times++) {
    const tally = tallies[index];
    if (tally === undefined) return;
    const told = (outcome: TakenAs) => {
      note(tally, outcome);
      count.done += 1;
    };
    try {
      return await tally.folder.take(tally.wanted, { clock: cli.clock, stop, rate, backfilled: true, told });
    } catch (error) {
      if (!(error instanceof OtherNumbers) || times === mostAnew) throw error;
    }
    await cli.say(
      `${plain(tally.folder.name)}: its messages have other numbers at the server now; they are counted anew`,
    );
    const anew = await tally.folder.again({ clock: cli.clock, stop });
    if (anew === undefined) return;
    const next = openTally(anew, tally.earlier + tally.counts.new);
    tallies[index] = next;
    // Those that were not come to before are counted again among the new ones.
    const { new: taken, duplicate, gone } = tally.counts;
    const came = taken + duplicate + gone + tally.refused.length;
    count.all += next.wanted.length - (tally.wanted.length - came);
  }
}

function reportOf(
  account: string,
  { since, dryRun }: Options,
  tallies: readonly Tally[],
  stopped: boolean,
  unread: readonly Unread[],
): Backfilled {
  return {
    account,
    since: new Date(since).toISOString(),
    dry_run: dryRun === true,
    stopped,
    folders: tallies.map(({ folder, earlier, known, givenUp, wanted, counts, refused }) => ({
      folder: folder.name,
      found: folder.old.length,
      known,
      taken: earlier + counts.new,
      duplicates: counts.duplicate,
      given_up: givenUp,
      gone: counts.gone,
      left: wanted.length - counts.new - counts.duplicate - counts.gone - refused.length,
    })),
    refused: tallies.flatMap(({ folder, refused }) => refused.map((one) => ({ folder: folder.name, ...one }))),
    unread: unread.map(({ folder, reason }) => ({ folder, reason })),
  };
}

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

async function print(cli: Cli, report: Backfilled, { json }: Options): Promise<void> {
  if (json === true) return await cli.printJson("backfill", report);
  await cli.printTable(report.folders, [
    { title: "folder", cell: ({ folder }) => plain(folder), most: 40 },
    { title: "found", cell: ({ found }) => String(found) },
    { title: "here before", cell: ({ known }) => String(known) },
    { title: "taken in", cell: ({ taken }) => String(taken) },
    { title: "came before another way", cell: ({ duplicates }) => String(duplicates) },
    { title: "given up before", cell: ({ given_up }) => String(given_up) },
    { title: "gone meanwhile", cell: ({ gone }) => String(gone) },
    { title: "left", cell: ({ left }) => String(left) },
  ]);
  for (const { folder, uid, reason } of report.refused.slice(0, 50))
    await cli.print(`${plain(folder)} ${uid}: ${plain(reason, 300)}`);
}
