/** `mailwright sandbox`: a vendor's API to try things against, on this machine, with no account. */
import { Command, Option } from "commander";
import type { SandboxVendor } from "../../sandbox/sandbox.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { vendors } from "../../sandbox/vendors.ts";
import type { Cli } from "../cli.ts";
import { portOf } from "../options.ts";

const defaultPort = 8077;

export function sandbox(cli: Cli): Command {
  const command = new Command("sandbox").description(
    "Run a stand-in for a vendor's API on this machine. It keeps everything in memory.",
  );
  for (const vendor of vendors) {
    command
      .command(vendor.name)
      .description(vendor.about)
      .addOption(new Option("--port <port>", "0 picks a free one").default(defaultPort).argParser(portOf))
      .option("--prepared", "with what Mailwright needs in place, as after doctor --fix")
      .action((options: { port: number; prepared?: true }) => run(cli, vendor, options));
  }
  return command;
}

async function run(cli: Cli, vendor: SandboxVendor, { port, prepared }: { port: number; prepared?: true }) {
  const ended = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) cli.onSignal(signal, ended.resolve);
  const running = await startSandbox(vendor.open({ clock: cli.clock, prepared: prepared === true }), { port });
  await cli.print(running.url);
  await cli.say(
    `A ${vendor.title} sandbox is running; Ctrl-C ends it. As a destination in the configuration:`,
    `  - { id: ${vendor.name}, type: ${vendor.name}, ${vendor.entry(running.url)} }`,
    `What it holds: ${running.url}/_sandbox/    Lay a fault: POST a plan to ${running.url}/_sandbox/faults`,
  );
  await ended.promise;
  await running.close();
}
