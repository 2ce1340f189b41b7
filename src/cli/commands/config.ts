/** `mailwright config`: is the configuration right, and what may stand in it. */
import { Command } from "commander";
import { BadConfiguration, configSchema, describeSettings, type Problem } from "../../settings/index.ts";
import type { Cli } from "../cli.ts";
import { jsonOption } from "../options.ts";
import { jsonText } from "../plain.ts";
import type { ConfigChecked } from "../shapes.ts";

export function config(cli: Cli): Command {
  const command = new Command("config").description("Check the configuration, or print its JSON Schema.");
  command
    .command("check")
    .description("Say whether the configuration is accepted, without starting anything. Exit code 3 when it is not.")
    .addOption(jsonOption())
    .action(({ json }: { json?: true }) => check(cli, json));
  command
    .command("schema")
    .description("Print the JSON Schema of the configuration, for editors.")
    .action(() => cli.print(jsonText(configSchema(), 2)));
  return command;
}

async function check(cli: Cli, json: true | undefined): Promise<void> {
  const file = cli.configFile();
  try {
    const settings = describeSettings(cli.settings());
    if (json === true) return await cli.printJson("config check", { ok: true, file, problems: [], settings });
    await cli.print(`${file}: accepted`);
  } catch (error) {
    if (json === true && error instanceof BadConfiguration) {
      await cli.printJson("config check", { ok: false, file, problems: error.problems.map(shapeOf), settings: null });
    }
    throw error;
  }
}

function shapeOf({ place, path, found, expected, nearest }: Problem): ConfigChecked["problems"][number] {
  const where =
    place.kind === "file" ? { file: place.file, line: place.line, column: place.column } : { variable: place.name };
  return { place: where, path, found, expected, nearest: nearest ?? null };
}
