/** `mailwright send`: hands mail files to an SMTP server, as a sending MTA would: a file to try things out, a folder to replay it. */
import { Command, InvalidArgumentError, Option } from "commander";
import type { Cli } from "../cli.ts";
import { exitCodes, Failed, usage } from "../exit.ts";
import { importEnvelope } from "../mail-file.ts";
import { mailFilesOf } from "../mail-folder.ts";
import { collected, jsonOption, portOf } from "../options.ts";
import { plain } from "../plain.ts";
import type { Sent } from "../replay-shapes.ts";
import { openJournal } from "../send/journal.ts";
import { replay } from "../send/replay.ts";

interface Server {
  readonly host: string;
  readonly port: number;
}

interface Options {
  readonly to?: readonly string[];
  readonly from: string;
  readonly server?: Server;
  readonly rate?: number;
  readonly done?: string;
  readonly json?: true;
}

export function send(cli: Cli): Command {
  return new Command("send")
    .description(
      "Send mail files by SMTP, as they are and in the order of their names, to a running daemon or any other server.",
    )
    .argument("<path...>", "mail files, or folders of them; - for standard input")
    .option(
      "--to <address|host:port>",
      "envelope recipient; may be repeated (default: the address of the configuration, where there is one). Without an @ it is the server",
      collected,
    )
    .option("--from <address>", "envelope sender; <> for the null sender", "sender@example.com")
    .addOption(
      new Option(
        "--server <host:port>",
        "where to (default: the smtp port of the configuration, on this machine)",
      ).argParser((text) => serverOf(text, "--server")),
    )
    .addOption(
      new Option("--rate <n>", "at most so many mails a second; 0.2 is one every five seconds").argParser(rateOf),
    )
    .option(
      "--done <file>",
      "note each mail and its answer in this file, which is made where it is missing, and leave out what it says was taken: the same command goes on where it was stopped",
    )
    .addOption(jsonOption())
    .action((paths: string[], options: Options) => sendFiles(cli, paths, options));
}

function serverOf(text: string, option: string): Server {
  const [, bracketed, bare, port = "25"] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  const host = bracketed ?? bare;
  if (host === undefined) throw usage(`${option} ${plain(text)}: host:port is wanted, [::1]:2525 for an IPv6 address`);
  return { host, port: portOf(port) };
}

function rateOf(text: string): number {
  const rate = /^\d{1,4}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (rate <= 0) throw new InvalidArgumentError("Mails a second are wanted, such as 20 or 0.5.");
  return rate;
}

async function sendFiles(cli: Cli, paths: readonly string[], options: Options): Promise<void> {
  const { to, server } = whereTo(cli, options);
  const files = paths.includes("-") ? [...paths] : await mailFilesOf(paths, cli);
  const journal = await openJournal(options.done, cli.cwd);
  const left = files.filter((file) => !journal.taken.has(file));
  const before = files.length - left.length;
  if (before > 0) await cli.say(`${before} of ${files.length} mails were taken before`);
  const stopping = new AbortController();
  // Only where a run can go on: a single mail that is being sent is not worth a second thought.
  if (left.length > 1)
    for (const signal of ["SIGINT", "SIGTERM"] as const) cli.onSignal(signal, () => stopping.abort());
  const sent: Sent = [];
  try {
    const from = options.from === "<>" ? "" : options.from;
    const mails = replay(left, { server, envelope: { from, to }, rate: options.rate, stopping: stopping.signal, cli });
    for await (const result of mails) {
      sent.push(result);
      await journal.note(result);
      if (options.json !== true) await cli.print(`${plain(result.file)}: ${plain(result.reply, 500)}`);
    }
  } finally {
    await journal.close();
  }
  if (options.json === true) await cli.printJson("send", sent);
  await conclude(cli, sent, left.length, options);
}

async function conclude(cli: Cli, sent: Sent, all: number, { done }: Options): Promise<void> {
  const refused = sent.filter(({ ok }) => !ok);
  const later = refused.filter(({ reply }) => /^4/.test(reply)).length;
  const taken = sent.length - refused.length;
  const parts = [
    `${taken} taken`,
    ...(refused.length > 0
      ? [`${refused.length} of ${sent.length} mails were refused${later > 0 ? ` (${later} for now)` : ""}`]
      : []),
    ...(sent.length < all
      ? [`${all - sent.length} not sent${done === undefined ? "" : "; the same command goes on"}`]
      : []),
  ];
  if (taken === all) {
    if (all > 1) await cli.say(parts.join(", "));
    return;
  }
  throw new Failed(parts.join(", "), taken > 0 ? exitCodes.partly : exitCodes.failed);
}

function whereTo(cli: Cli, options: Options): { to: readonly string[]; server: Server } {
  const given = options.to ?? [];
  const to = given.filter((text) => text.includes("@"));
  const [named, ...others] = given.filter((text) => !text.includes("@")).map((text) => serverOf(text, "--to"));
  if (others.length > 0 || (named !== undefined && options.server !== undefined))
    throw usage("one server is enough: --to host:port or --server host:port");
  const server = named ?? options.server ?? { host: "127.0.0.1", port: cli.settings().smtp.port };
  if (server.port === 0)
    throw usage("smtp.port is 0, so the port is known only from the daemon's log: say --server host:port");
  const recipients = to.length > 0 ? to : importEnvelope(cli.settings(), {}, cli.clock.now()).routes;
  if (recipients.length === 0)
    throw usage("say to whom: --to address (the configuration has no address but wildcards)");
  return { to: recipients, server };
}
