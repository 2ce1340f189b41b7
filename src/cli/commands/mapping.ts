/** `mailwright mapping`: what is wrong with a mapping file, which of its rules can never decide anything, and whether its cases hold. */
import { resolve } from "node:path";
import { Command } from "commander";
import { checkRules } from "../../main.ts";
import { type LoadedMapping, loadMapping } from "../../settings/index.ts";
import type { Cli } from "../cli.ts";
import { exitCodes, Failed } from "../exit.ts";
import type { MappingFinding } from "../mapping-shapes.ts";
import { jsonOption } from "../options.ts";
import { plain } from "../plain.ts";
import { mappingDiff } from "./mapping-diff.ts";
import { addRuns } from "./mapping-runs.ts";
import { mappingTest } from "./mapping-test.ts";

export function mapping(cli: Cli): Command {
  const command = new Command("mapping").description("Check, test and compare mapping files.");
  command
    .command("check")
    .description(
      "Refuse a mapping file that is wrong (exit code 3), and find rules that can never decide anything and conditions that contradict (exit code 4).",
    )
    .argument("[file]", "a mapping file, with the one that its `else` names; without it, those of the configuration")
    .addOption(jsonOption())
    .action((file: string | undefined, { json }: { json?: true }) => check(cli, file, json));
  command.addCommand(mappingTest(cli));
  command.addCommand(mappingDiff(cli));
  addRuns(command, cli);
  return command;
}

async function check(cli: Cli, file: string | undefined, json: true | undefined): Promise<void> {
  const files = eachOnce(file === undefined ? namedFiles(cli) : [loadMapping(resolve(cli.cwd, file))]);
  const findings = files.flatMap(findingsOf);
  if (json === true) await cli.printJson("mapping check", findings);
  else {
    for (const { path, file: read } of files) {
      const own = findings.filter((finding) => finding.file === path);
      const rules = `${read.rules.length} rule${read.rules.length === 1 ? "" : "s"}`;
      await cli.print(`${path}: accepted, ${rules}${own.length === 0 ? "" : `, ${own.length} of them to look at`}`);
      for (const { line, rule, what } of own) await cli.print(`${path}:${line}: ${rule}: ${plain(what, 300)}`);
    }
    if (files.length === 0) await cli.print("no tenant names a mapping file: the built-in rules decide");
  }
  if (findings.length > 0) throw new Failed("there are rules that never decide anything", exitCodes.partly);
}

const namedFiles = (cli: Cli): LoadedMapping[] => cli.settings().tenants.flatMap((tenant) => tenant.mapping ?? []);

/** With what `else` leads to; each once, though several tenants or files name it. */
function eachOnce(files: readonly LoadedMapping[]): LoadedMapping[] {
  const found = new Map<string, LoadedMapping>();
  for (const first of files)
    for (let one: LoadedMapping | undefined = first; one !== undefined; one = one.otherwise) found.set(one.path, one);
  return [...found.values()];
}

const findingsOf = ({ path, file, lineOf }: LoadedMapping): MappingFinding[] =>
  checkRules(file).map(({ index, rule, what }) => ({ file: path, line: lineOf(index), rule, what }));
