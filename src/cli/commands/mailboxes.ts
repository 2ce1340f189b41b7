/** `mailwright mailboxes`: what is known of each mailbox that is read by IMAP, and how far it was read. */
import { Command } from "commander";
import { type Ground, mailboxesNamed } from "../../main.ts";
import type { AccountTally } from "../../model/imap.ts";
import type { Cli } from "../cli.ts";
import type { MailboxRow } from "../mailbox-shapes.ts";
import { withGround } from "../open.ts";
import { jsonOption } from "../options.ts";
import { plain } from "../plain.ts";
import { isoTime } from "../rows.ts";

export function mailboxes(cli: Cli): Command {
  const command = new Command("mailboxes").description("Mailboxes that are read by IMAP.");
  command
    .command("list")
    .description("List their folders: how far each was read, what waits, what was given up, and why nobody can log in.")
    .addOption(jsonOption())
    .action(({ json }: { json?: true }) => withGround(cli, (ground) => list(cli, ground, json)));
  return command;
}

async function list(cli: Cli, ground: Ground, json: true | undefined): Promise<void> {
  const rows = (await ground.ledger.accountTally()).map((tally) => rowOf(tally, ground));
  if (json === true) return await cli.printJson("mailboxes list", rows);
  if (rows.length === 0) return await cli.say("no mailbox was read yet");
  const folders = rows.flatMap(({ account, folders }) => folders.map((folder) => ({ account, ...folder })));
  await cli.printTable(folders, [
    { title: "mailbox", cell: ({ account }) => account, most: 30 },
    { title: "folder", cell: ({ folder }) => plain(folder), most: 40 },
    { title: "read up to", cell: ({ last_uid }) => String(last_uid) },
    {
      title: "behind",
      cell: ({ behind }) => String(behind),
      colour: ({ behind }) => (behind > 0 ? "yellow" : undefined),
    },
    { title: "waiting", cell: ({ waiting }) => String(waiting) },
    {
      title: "given up",
      cell: ({ quarantined }) => String(quarantined),
      colour: ({ quarantined }) => (quarantined > 0 ? "red" : undefined),
    },
    { title: "up to date", cell: ({ up_to_date_at }) => up_to_date_at.slice(0, 19).replace("T", " ") },
  ]);
  for (const { account, blocked } of rows)
    if (blocked !== null)
      await cli.print(`${account}: nobody can log in since ${blocked.since}: ${plain(blocked.reason, 300)}`);
  for (const { account, configured } of rows)
    if (!configured) await cli.say(`${account} is not in the configuration any more`);
}

function rowOf({ account, blockedAt, blockedReason, folders }: AccountTally, { settings }: Ground): MailboxRow {
  return {
    account,
    configured: mailboxesNamed(settings, account).length > 0,
    blocked: blockedAt === null ? null : { since: isoTime(blockedAt), reason: blockedReason ?? "" },
    folders: folders.map(({ folder, waiting, quarantined, pending }) => ({
      folder: folder.path,
      uidvalidity: folder.uidValidity,
      last_uid: folder.lastUid,
      behind: Math.max(0, folder.uidNext - 1 - folder.lastUid),
      waiting,
      quarantined,
      actions_pending: pending,
      up_to_date_at: isoTime(folder.doneAt),
    })),
  };
}
