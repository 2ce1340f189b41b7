/** `mailwright sandbox`: a vendor's API to try things against, on this machine, with no account. */
import { Command, Option } from "commander";
import { createHubspotSandbox, sandboxToken } from "../../sandbox/hubspot.ts";
import { startSandbox } from "../../sandbox/server.ts";
import type { Cli } from "../cli.ts";
import { portOf } from "../options.ts";

const defaultPort = 8077;

export function sandbox(cli: Cli): Command {
  const command = new Command("sandbox").description(
    "Run a stand-in for a vendor's API on this machine. It keeps everything in memory.",
  );
  command
    .command("hubspot")
    .description("A HubSpot account: strict, stateful, and as nasty as the real one can be.")
    .addOption(new Option("--port <port>", "0 picks a free one").default(defaultPort).argParser(portOf))
    .option("--prepared", "with Mailwright's properties in place, as after doctor --fix")
    .action((options: { port: number; prepared?: true }) => runHubspot(cli, options));
  return command;
}

async function runHubspot(cli: Cli, { port, prepared }: { port: number; prepared?: true }): Promise<void> {
  const ended = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) cli.onSignal(signal, ended.resolve);
  const account = createHubspotSandbox({ clock: cli.clock, options: { prepared: prepared === true } });
  const running = await startSandbox(account, { port });
  await cli.print(running.url);
  await cli.say(
    "A HubSpot sandbox is running; Ctrl-C ends it. As a destination in the configuration:",
    `  - { id: hubspot, type: hubspot, base_url: "${running.url}", token: "${sandboxToken}" }`,
    `Look inside: curl ${running.url}/_sandbox/state    Lay a fault: POST a plan to ${running.url}/_sandbox/faults`,
  );
  await ended.promise;
  await running.close();
}
