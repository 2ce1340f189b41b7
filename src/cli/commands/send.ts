/** `mailwright send`: hands mail files to an SMTP server, as a sending MTA would; for trying things out. */
import { Command, Option } from "commander";
import type { Cli } from "../cli.ts";
import { exitCodes, Failed, usage } from "../exit.ts";
import { openMailFile } from "../mail-file.ts";
import { collected, jsonOption, portOf } from "../options.ts";
import { plain } from "../plain.ts";
import type { Sent } from "../shapes.ts";
import { openSmtpSession } from "../smtp-session.ts";

interface Options {
  readonly to: readonly string[];
  readonly from: string;
  readonly server?: { readonly host: string; readonly port: number };
  readonly json?: true;
}

export function send(cli: Cli): Command {
  return new Command("send")
    .description("Send mail files by SMTP, as they are, to a running daemon or any other server.")
    .argument("<file...>", "mail files; - for standard input")
    .addOption(
      new Option("--to <address>", "envelope recipient; may be repeated").argParser(collected).makeOptionMandatory(),
    )
    .option("--from <address>", "envelope sender; <> for the null sender", "sender@example.com")
    .addOption(
      new Option(
        "--server <host:port>",
        "where to (default: the smtp port of the configuration, on this machine)",
      ).argParser(serverOf),
    )
    .addOption(jsonOption())
    .action((files: string[], options: Options) => sendFiles(cli, files, options));
}

function serverOf(text: string): { host: string; port: number } {
  const [, bracketed, bare, port = "25"] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  const host = bracketed ?? bare;
  if (host === undefined) throw usage(`--server ${plain(text)}: host:port is wanted, [::1]:2525 for an IPv6 address`);
  return { host, port: portOf(port) };
}

async function sendFiles(cli: Cli, files: readonly string[], options: Options): Promise<void> {
  const server = options.server ?? { host: "127.0.0.1", port: cli.settings().smtp.port };
  if (server.port === 0)
    throw usage("smtp.port is 0, so the port is known only from the daemon's log: say --server host:port");
  const session = await openSmtpSession({ ...server, clientName: "mailwright-send" });
  const sent: Sent = [];
  try {
    for (const name of files) {
      const file = await openMailFile(name, cli);
      const { accepted, reply } = await session.send(file, {
        from: options.from === "<>" ? "" : options.from,
        to: options.to,
      });
      sent.push({ file: name, ok: accepted, reply });
      if (options.json !== true) await cli.print(`${plain(name)}: ${plain(reply, 500)}`);
    }
  } finally {
    await session.quit();
  }
  if (options.json === true) await cli.printJson("send", sent);
  const refused = sent.filter(({ ok }) => !ok).length;
  if (refused === 0) return;
  throw new Failed(
    `${refused} of ${sent.length} mails were refused`,
    refused < sent.length ? exitCodes.partly : exitCodes.failed,
  );
}
