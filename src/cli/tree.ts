/** The tree of commands: the sorted list, and what all of them share. */
import { Command, type OutputConfiguration } from "commander";
import type { Cli } from "./cli.ts";
import { attachments } from "./commands/attachments.ts";
import { audit } from "./commands/audit.ts";
import { backfill } from "./commands/backfill.ts";
import { backup } from "./commands/backup.ts";
import { config } from "./commands/config.ts";
import { crm } from "./commands/crm.ts";
import { deadLetters } from "./commands/dead-letters.ts";
import { demo } from "./commands/demo.ts";
import { doctor } from "./commands/doctor.ts";
import { events } from "./commands/events.ts";
import { explain } from "./commands/explain.ts";
import { init } from "./commands/init.ts";
import { mapping } from "./commands/mapping.ts";
import { parse } from "./commands/parse.ts";
import { plan } from "./commands/plan.ts";
import { purge } from "./commands/purge.ts";
import { recover } from "./commands/recover.ts";
import { reprocess } from "./commands/reprocess.ts";
import { restore } from "./commands/restore.ts";
import { review } from "./commands/review.ts";
import { run } from "./commands/run.ts";
import { sandbox } from "./commands/sandbox.ts";
import { score } from "./commands/score.ts";
import { send } from "./commands/send.ts";
import { storage } from "./commands/storage.ts";
import { threads } from "./commands/threads.ts";
import { packageVersion } from "./package.ts";

const commands = [
  attachments,
  audit,
  backfill,
  backup,
  config,
  crm,
  deadLetters,
  demo,
  doctor,
  events,
  explain,
  init,
  mapping,
  parse,
  plan,
  purge,
  recover,
  reprocess,
  restore,
  review,
  run,
  sandbox,
  score,
  send,
  storage,
  threads,
];

export function commandTree(cli: Cli, output: OutputConfiguration): Command {
  const tree = new Command("mailwright")
    .description("Turns a company's email into CRM records: every mail one activity, nothing lost, nothing doubled.")
    .version(packageVersion(), "-V, --version", "print the version")
    .option(
      "-c, --config <file>",
      "configuration file (default: config/mailwright.yaml here, else the one in the package)",
    )
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help for a command")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput(output)
    .showHelpAfterError("(--help says more)")
    .exitOverride()
    .addHelpText("after", "\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 configuration refused, 4 partly done.");
  for (const command of commands) tree.addCommand(inherit(command(cli), tree));
  return tree;
}

/** addCommand, unlike command(), leaves it to the caller to pass settings on. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inherit(child, command);
  return command;
}
