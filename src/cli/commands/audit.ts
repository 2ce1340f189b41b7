/** `mailwright audit coverage`: every message of a mailbox with its activity at the CRM, or the reason why there is none. */
import { Command, InvalidArgumentError, Option } from "commander";
import {
  type Covered,
  coverageKinds,
  emptyTally,
  type FolderLooked,
  type Ground,
  type Looked,
  mailboxName,
  percentOf,
  type TakenAs,
  unreadOf,
} from "../../main.ts";
import type { Cli } from "../cli.ts";
import { exitCodes, Failed } from "../exit.ts";
import { atServer, mailboxFor, withLooked } from "../mailbox.ts";
import type { Coverage } from "../mailbox-shapes.ts";
import { whileWorking, withGround } from "../open.ts";
import { collected, jsonOption, sinceOption } from "../options.ts";
import { plain } from "../plain.ts";

interface Options {
  readonly account: string;
  readonly since?: number;
  readonly folder?: readonly string[];
  readonly repair?: true;
  readonly min: number;
  readonly json?: true;
}

export function audit(cli: Cli): Command {
  const command = new Command("audit").description("Prove that nothing was missed.");
  command
    .command("coverage")
    .description(
      "Hold every message that a mailbox has at its server against the ledger and the CRM. Exit code 4 when less than --min percent have an activity or a reason.",
    )
    .requiredOption("--account <name>", "the mailbox: its id, or tenant/id")
    .addOption(sinceOption())
    .option(
      "--folder <name>",
      "only this folder of those that the configuration asks for, as the server writes it or with `/` between levels; may be given several times",
      collected,
    )
    .option("--repair", "take in what is missing")
    .addOption(new Option("--min <percent>", "the bar").default(100).argParser(percentFrom))
    .addOption(jsonOption())
    .action((options: Options) => withGround(cli, (ground) => coverage(cli, ground, options)));
  return command;
}

function percentFrom(text: string): number {
  const percent = Number(text);
  if (!(percent >= 0 && percent <= 100)) throw new InvalidArgumentError("A number from 0 to 100 is wanted.");
  return percent;
}

interface Row extends Covered {
  readonly folder: string;
}

async function coverage(cli: Cli, ground: Ground, options: Options): Promise<void> {
  const account = mailboxFor(ground.settings, options.account);
  await withLooked(ground, account, options, async (looked) => {
    let rows = await rowsOf(looked.folders);
    const missing = rows.filter(({ kind }) => kind === "missing");
    let repairs: readonly Repair[] = [];
    if (options.repair === true && missing.length > 0) {
      repairs = await atServer(account, () => repair(cli, ground, looked.folders, missing));
      rows = await rowsOf(looked.folders);
    }
    const report = reportOf(looked, options, rows, repairs);
    await print(cli, report, options);
    refuseBelow(report, options);
  });
}

/** Of a part no figure is given: whoever reads only the figure would take it for the whole. */
function refuseBelow({ percent, tally, unread }: Coverage, { min, repair }: Options): void {
  if (percent === null)
    throw new Failed(`${unread.length} of the folders could not be looked at: see above`, exitCodes.partly);
  if (percent >= min) return;
  const hint = tally.missing === 0 || repair === true ? "" : "; --repair takes in what is missing";
  throw new Failed(
    `${percentText(percent)} of the messages are accounted for, and ${min} % is the bar${hint}`,
    exitCodes.partly,
  );
}

async function rowsOf(folders: readonly FolderLooked[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const folder of folders) for await (const row of folder.coverage()) rows.push({ ...row, folder: folder.name });
  return rows;
}

/** One that was missing: what became of it, why it was missing where that is known, and why it could not be taken in. */
type Repair = Coverage["repairs"][number];

const repairRate = 200;

async function repair(
  cli: Cli,
  ground: Ground,
  folders: readonly FolderLooked[],
  missing: readonly Row[],
): Promise<readonly Repair[]> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) cli.onSignal(signal, () => stop.abort());
  const repairs: Repair[] = [];
  await whileWorking(ground, async (working) => {
    for (const folder of folders) {
      const why = new Map(missing.filter((row) => row.folder === folder.name).map(({ uid, reason }) => [uid, reason]));
      const uids = [...why.keys()];
      const told = (outcome: TakenAs) => {
        const { kind, uid } = outcome;
        const failure = "reason" in outcome ? outcome.reason : null;
        repairs.push({ folder: folder.name, uid, outcome: kind, missed: why.get(uid) ?? null, reason: failure });
      };
      const how = { clock: cli.clock, stop: stop.signal, rate: repairRate, backfilled: false, told };
      if (uids.length > 0 && !stop.signal.aborted) await folder.take(uids, how);
    }
    await working.turn(stop.signal);
  });
  return repairs;
}

const isTaken = ({ outcome }: Repair): boolean => outcome === "new" || outcome === "duplicate";

function reportOf(looked: Looked, { since }: Options, found: readonly Row[], repairs: readonly Repair[]): Coverage {
  const became = new Map(repairs.map((one) => [keyOf(one), one]));
  // What was deleted at the server meanwhile is not there to be accounted for.
  const rows = found.filter((row) => row.kind !== "missing" || became.get(keyOf(row))?.outcome !== "gone");
  const tally = emptyTally();
  const folders = new Map<string, { folder: string; total: number; missing: number }>();
  for (const { kind, folder } of rows) {
    tally[kind] += 1;
    const counts = folders.get(folder) ?? { folder, total: 0, missing: 0 };
    counts.total += 1;
    if (kind === "missing") counts.missing += 1;
    folders.set(folder, counts);
  }
  const unread = unreadOf(looked);
  return {
    account: mailboxName(looked.account),
    since: since === undefined ? null : new Date(since).toISOString(),
    percent: unread.length > 0 ? null : percentOf(tally),
    total: rows.length,
    tally,
    repaired: repairs.filter(isTaken).length,
    repairs: [...repairs],
    unread: unread.map(({ folder, reason }) => ({ folder, reason })),
    folders: [...folders.values()],
    messages: rows.map(({ folder, uid, kind, reason, eventId, activities }) => ({
      folder,
      uid,
      state: kind,
      reason: kind === "missing" ? (became.get(keyOf({ folder, uid }))?.reason ?? reason) : reason,
      event_id: eventId,
      activities: activities.map(({ lane, id }) => ({ destination: lane, id })),
    })),
  };
}

const keyOf = ({ folder, uid }: { readonly folder: string; readonly uid: number }): string => `${uid} ${folder}`;

/** Never rounded up to a hundred. */
const percentText = (percent: number): string => `${Math.floor(percent * 100) / 100} %`;

async function print(cli: Cli, report: Coverage, { json }: Options): Promise<void> {
  if (json === true) return await cli.printJson("audit coverage", report);
  for (const { folder, reason } of report.unread)
    await cli.print(`not looked at: ${plain(folder)}: ${plain(reason, 300)}`);
  const taken = report.repaired > 0 ? `, ${report.repaired} of them taken in just now` : "";
  await cli.print(
    report.percent === null
      ? `Of the other folders of ${report.account}, ${report.total - report.tally.missing} of ${report.total} messages are accounted for${taken}; of the mailbox no figure can be given`
      : `${percentText(report.percent)} of ${report.total} messages of ${report.account} are accounted for${taken}`,
  );
  await cli.print(
    ...coverageKinds
      .filter((kind) => report.tally[kind] > 0)
      .map((kind) => `  ${String(report.tally[kind]).padStart(8)}  ${words[kind]}`),
  );
  const why = new Map<string, number>();
  for (const { state, reason } of report.messages)
    if (state !== "logged" && reason !== null) why.set(reason, (why.get(reason) ?? 0) + 1);
  for (const [reason, count] of [...why].sort(([, a], [, b]) => b - a).slice(0, 20))
    await cli.print(`  ${String(count).padStart(8)}  ${plain(reason, 200)}`);
  for (const { folder, uid, missed } of report.repairs.filter(isTaken).slice(0, 50))
    await cli.print(`  taken in: ${plain(folder)} ${uid}${missed === null ? "" : `: ${plain(missed, 300)}`}`);
  for (const { folder, uid, reason } of report.messages.filter(({ state }) => state === "missing").slice(0, 50))
    await cli.print(`  missing: ${plain(folder)} ${uid}${reason === null ? "" : `: ${plain(reason, 300)}`}`);
}

const words = {
  logged: "with an activity in every CRM",
  decided: "skipped, held or failed, with the reason",
  pending: "on their way",
  before: "from before the mailbox was watched (mailwright backfill)",
  given_up: "could not be fetched",
  missing: "missing: nobody knows them",
} as const;
