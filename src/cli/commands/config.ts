/** `mailwright config`: is the configuration right, and what may stand in it. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { hashPassword } from "../../main.ts";
import { sharpMissing } from "../../pipeline/previewer.ts";
import { BadConfiguration, configSchema, describeSettings, type Problem, type Settings } from "../../settings/index.ts";
import type { Cli } from "../cli.ts";
import { usage } from "../exit.ts";
import { jsonOption } from "../options.ts";
import { jsonText } from "../plain.ts";
import type { ConfigChecked } from "../shapes.ts";

export function config(cli: Cli): Command {
  const command = new Command("config").description(
    "Check the configuration, print its JSON Schema, or make the hash of a password for it.",
  );
  command
    .command("check")
    .description("Say whether the configuration is accepted, without starting anything. Exit code 3 when it is not.")
    .addOption(jsonOption())
    .action(({ json }: { json?: true }) => check(cli, json));
  command
    .command("schema")
    .description("Print the JSON Schema of the configuration, for editors.")
    .action(() => cli.print(jsonText(configSchema(), 2)));
  command
    .command("hash-password")
    .description("Read a password from standard input, one line, and print what http.operators wants as password_hash.")
    .action(() => hash(cli));
  return command;
}

const leastPasswordChars = 12;
const mostPasswordBytes = 1_024;

/** From standard input, so that it stands in no list of processes and in no history of a shell. */
async function hash(cli: Cli): Promise<void> {
  if (cli.stdin.isTerminal) await cli.say("type the password and press Enter; it is shown while you type");
  const [password = ""] = (await textOf(cli.stdin, mostPasswordBytes + 2)).split(/\r?\n/, 1);
  if ([...password].length < leastPasswordChars)
    throw usage(`a password has at least ${leastPasswordChars} characters`);
  if (Buffer.byteLength(password) > mostPasswordBytes) throw usage(`a password has at most ${mostPasswordBytes} bytes`);
  await cli.print(await hashPassword(password));
}

/** Up to the first line end, or the end, or so many bytes. */
async function textOf(stdin: AsyncIterable<Uint8Array>, most: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of stdin) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > most || piece.includes(10)) break;
  }
  return Buffer.concat(pieces).toString("utf8");
}

async function check(cli: Cli, json: true | undefined): Promise<void> {
  const file = cli.configFile();
  try {
    const accepted = cli.settings();
    const settings = describeSettings(accepted);
    const missing = notInstalled(accepted, file);
    if (missing !== undefined) throw new BadConfiguration([missing]);
    if (json === true) return await cli.printJson("config check", { ok: true, file, problems: [], settings });
    await cli.print(`${file}: accepted`);
  } catch (error) {
    if (json === true && error instanceof BadConfiguration) {
      await cli.printJson("config check", { ok: false, file, problems: error.problems.map(shapeOf), settings: null });
    }
    throw error;
  }
}

/** What is written down well and cannot be had here: the daemon would not start. */
function notInstalled({ previews }: Settings, file: string): Problem | undefined {
  if (!previews.make || sharpMissing() === undefined) return undefined;
  const lines = readFileSync(file, "utf8").split("\n");
  const line =
    1 +
    Math.max(
      0,
      lines.findIndex((each) => /^\s*["']?previews["']?\s*:/.test(each)),
    );
  return {
    place: { kind: "file", file, line, column: 1 },
    path: "previews.make",
    found: "true, and the library sharp is not installed",
    expected: "false, or sharp beside Mailwright (npm install --save-prod sharp)",
  };
}

function shapeOf({ place, path, found, expected, nearest }: Problem): ConfigChecked["problems"][number] {
  const where =
    place.kind === "file" ? { file: place.file, line: place.line, column: place.column } : { variable: place.name };
  return { place: where, path, found, expected, nearest: nearest ?? null };
}
