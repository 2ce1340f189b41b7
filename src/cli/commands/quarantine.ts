/** `mailwright quarantine`: messages of mailboxes that were given up, each with its UID and the reason, and their next try. */
import { Command } from "commander";
import { type Ground, mailboxName, pathsNamed } from "../../main.ts";
import type { FolderState, UidFate } from "../../model/imap.ts";
import type { Cli } from "../cli.ts";
import { Failed } from "../exit.ts";
import { mailboxFor } from "../mailbox.ts";
import type { QuarantinedRow } from "../mailbox-shapes.ts";
import { withGround } from "../open.ts";
import { collected, jsonOption, limitOption, wholeNumber } from "../options.ts";
import { plain } from "../plain.ts";
import { isoTime } from "../rows.ts";

interface Which {
  readonly account?: string;
  readonly folder?: readonly string[];
  readonly json?: true;
}
interface RetryOptions extends Which {
  readonly account: string;
  readonly uid?: readonly number[];
}

const folderOption = [
  "--folder <name>",
  "only of this folder, as the server writes it or with `/` between levels; may be given several times",
  collected,
] as const;

const uidOf = (text: string, before: readonly number[] = []): number[] => {
  return [...before, wholeNumber(text, 1, 0xffff_ffff)];
};

export function quarantine(cli: Cli): Command {
  const command = new Command("quarantine").description(
    "Messages of mailboxes that were given up: too large, or the server does not give them.",
  );
  command
    .command("list")
    .description("List them by mailbox, folder and UID, with the reason.")
    .option("--account <name>", "only of this mailbox: its id, or tenant/id")
    .option(...folderOption)
    .addOption(limitOption())
    .addOption(jsonOption())
    .action((options: Which & { limit: number }) => withGround(cli, (ground) => list(cli, ground, options)));
  command
    .command("retry")
    .description(
      "Let them be tried again. Its reader does so at its next look at the folder; what is older than the watch is left to `mailwright backfill`.",
    )
    .requiredOption("--account <name>", "the mailbox: its id, or tenant/id")
    .option(...folderOption)
    .option("--uid <n>", "only this message, of the one --folder; may be given several times", uidOf)
    .addOption(jsonOption())
    .action((options: RetryOptions) => withGround(cli, (ground) => retry(cli, ground, options)));
  return command;
}

async function foldersOf(
  { ledger, settings }: Ground,
  { account, folder: wanted }: Which,
): Promise<readonly FolderState[]> {
  const only = account === undefined ? undefined : mailboxName(mailboxFor(settings, account));
  const tally = (await ledger.accountTally()).filter((one) => only === undefined || one.account === only);
  const all = tally.map(({ folders }) => folders.map(({ folder }) => folder));
  if (wanted === undefined) return all.flat();
  const pathsOf = (folders: readonly FolderState[], name: string) =>
    pathsNamed(
      folders.map(({ path }) => path),
      name,
    );
  const unknown = wanted.filter((name) => all.every((folders) => pathsOf(folders, name).length === 0));
  if (unknown.length > 0)
    throw new Failed(`${unknown.map((name) => plain(name)).join(", ")}: no such folder was read yet`);
  return all.flatMap((folders) => {
    const paths = new Set(wanted.flatMap((name) => pathsOf(folders, name)));
    return folders.filter(({ path }) => paths.has(path));
  });
}

const portion = 1_000;

async function* givenUp({ ledger }: Ground, folders: readonly FolderState[]) {
  for (const folder of folders) {
    for (let after = 0; ; ) {
      const page = await ledger.uidsIn({ folder: folder.id, states: ["quarantined"], after, limit: portion });
      for (const fate of page) yield rowOf(folder, fate);
      const last = page.at(-1)?.uid;
      if (last === undefined || page.length < portion) break;
      after = last;
    }
  }
}

const rowOf = (
  { account, path, uidValidity, firstUid }: FolderState,
  { uid, reason, attempts, at }: UidFate,
): QuarantinedRow => ({
  account,
  folder: path,
  uidvalidity: uidValidity,
  uid,
  reason: reason ?? "",
  attempts,
  at: isoTime(at),
  old: uid < firstUid,
});

async function list(cli: Cli, ground: Ground, options: Which & { readonly limit: number }): Promise<void> {
  const rows: QuarantinedRow[] = [];
  let isMore = false;
  for await (const row of givenUp(ground, await foldersOf(ground, options))) {
    isMore = rows.length === options.limit;
    if (isMore) break;
    rows.push(row);
  }
  if (options.json === true) return await cli.printJson("quarantine list", rows);
  if (rows.length === 0) return await cli.say("no message of a mailbox was given up");
  await cli.printTable(rows, [
    { title: "mailbox", cell: ({ account }) => account, most: 30 },
    { title: "folder", cell: ({ folder }) => plain(folder), most: 40 },
    { title: "UID", cell: ({ uid }) => String(uid) },
    { title: "since", cell: ({ at }) => at.slice(0, 19).replace("T", " ") },
    { title: "tries", cell: ({ attempts }) => String(attempts) },
    { title: "reason", cell: ({ reason }) => plain(reason, 300), most: 100 },
  ]);
  if (isMore) await cli.say(`the first ${options.limit} are shown; --limit shows more`);
}

async function retry(cli: Cli, ground: Ground, options: RetryOptions): Promise<void> {
  const { uid, json } = options;
  if (uid !== undefined && options.folder?.length !== 1)
    throw new Failed("a UID means something in one folder only: name it with --folder");
  const account = mailboxName(mailboxFor(ground.settings, options.account));
  const now = cli.clock.now();
  let live = 0;
  let old = 0;
  for (const { id } of await foldersOf(ground, options)) {
    const retried = await ground.ledger.retryQuarantined(id, now, uid);
    live += retried.live;
    old += retried.old;
  }
  if (json === true) return await cli.printJson("quarantine retry", { account, live, old });
  if (live + old === 0) return await cli.say(`no such message of ${account} was given up`);
  if (live > 0) await cli.say(`${live} are tried again at the next look at their folder`);
  if (old > 0) await cli.say(`${old} are older than the watch: mailwright backfill --account ${account} takes them in`);
}
