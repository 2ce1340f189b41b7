/** The tree of commands: the sorted list, and what all of them share. */
import { Command, type OutputConfiguration } from "commander";
import type { Cli } from "./cli.ts";
import { packageVersion } from "./package.ts";

/** Each with what it needs is loaded when it is asked for: an operator waits for one command, not for the code of all. */
const commands = new Map<string, () => Promise<(cli: Cli) => Command>>(
  Object.entries({
    attachments: async () => (await import("./commands/attachments.ts")).attachments,
    audit: async () => (await import("./commands/audit.ts")).audit,
    backfill: async () => (await import("./commands/backfill.ts")).backfill,
    backup: async () => (await import("./commands/backup.ts")).backup,
    config: async () => (await import("./commands/config.ts")).config,
    crm: async () => (await import("./commands/crm.ts")).crm,
    "dead-letters": async () => (await import("./commands/dead-letters.ts")).deadLetters,
    demo: async () => (await import("./commands/demo.ts")).demo,
    doctor: async () => (await import("./commands/doctor.ts")).doctor,
    events: async () => (await import("./commands/events.ts")).events,
    explain: async () => (await import("./commands/explain.ts")).explain,
    init: async () => (await import("./commands/init.ts")).init,
    mailboxes: async () => (await import("./commands/mailboxes.ts")).mailboxes,
    mapping: async () => (await import("./commands/mapping.ts")).mapping,
    parse: async () => (await import("./commands/parse.ts")).parse,
    plan: async () => (await import("./commands/plan.ts")).plan,
    purge: async () => (await import("./commands/purge.ts")).purge,
    quarantine: async () => (await import("./commands/quarantine.ts")).quarantine,
    recover: async () => (await import("./commands/recover.ts")).recover,
    reprocess: async () => (await import("./commands/reprocess.ts")).reprocess,
    restore: async () => (await import("./commands/restore.ts")).restore,
    review: async () => (await import("./commands/review.ts")).review,
    run: async () => (await import("./commands/run.ts")).run,
    sandbox: async () => (await import("./commands/sandbox.ts")).sandbox,
    score: async () => (await import("./commands/score.ts")).score,
    scrub: async () => (await import("./commands/scrub.ts")).scrub,
    send: async () => (await import("./commands/send.ts")).send,
    storage: async () => (await import("./commands/storage.ts")).storage,
    threads: async () => (await import("./commands/threads.ts")).threads,
  }),
);

/** The tree that these arguments ask for: one command where they begin with its name, else all, as help and a misspelt name need them. */
export async function commandTree(cli: Cli, output: OutputConfiguration, args: readonly string[]): Promise<Command> {
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
  const asked = commands.get(firstWord(args) ?? "");
  for (const load of asked === undefined ? commands.values() : [asked])
    tree.addCommand(inherit((await load())(cli), tree));
  return tree;
}

/** What Commander will take for the command: the first word that is neither an option nor the file of -c. */
function firstWord(args: readonly string[]): string | undefined {
  return args.find((arg, at) => !arg.startsWith("-") && !["-c", "--config"].includes(args[at - 1] ?? ""));
}

/** addCommand, unlike command(), leaves it to the caller to pass settings on. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inherit(child, command);
  return command;
}
