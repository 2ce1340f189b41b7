/** The page of all commands, docs/cli.md, made from the tree itself. */
import type { Argument, Command, Option } from "commander";
import { openCli } from "./cli.ts";
import { shapes } from "./shapes.ts";
import type { Surroundings } from "./surroundings.ts";
import { commandTree } from "./tree.ts";

/** The tree by itself: none of its commands is run. */
export async function treeForShow(): Promise<Command> {
  const unused = () => {
    throw new Error("this tree is only for looking at");
  };
  const output = { write: async () => undefined, isTerminal: false, columns: undefined };
  const surroundings: Surroundings = {
    env: {},
    cwd: "/",
    user: "",
    clock: { now: unused, sleep: unused },
    stdin: { isTerminal: false, [Symbol.asyncIterator]: unused },
    stdout: output,
    stderr: output,
    onSignal: unused,
    onUncaught: unused,
    exit: unused,
  };
  const cli = openCli(surroundings, () => undefined);
  return await commandTree(cli, {}, []);
}

export async function cliPage(): Promise<string> {
  const tree = await treeForShow();
  return [
    "# Commands",
    "",
    "Generated from the program by `npm run generate`. `mailwright help COMMAND` prints the same.",
    "",
    "Standard output is for data, standard error for talk. Colours are left out where the output is no terminal, or `NO_COLOR` is set. Text",
    "from mail is stripped of everything that steers a terminal. What `--json` prints keeps its shape: [cli.schema.json](cli.schema.json) has",
    "a definition per command; fields are only ever added.",
    "",
    "| exit code | meaning |",
    "|---|---|",
    "| 0 | done |",
    "| 1 | failed; the sentence on standard error says what, where and what to do |",
    "| 2 | wrong usage |",
    "| 3 | the configuration was refused: file, line, what was found, what is expected |",
    "| 4 | partly done: some of several things could not be done |",
    "",
    "## For every command",
    "",
    ...optionTable(tree.options),
    "",
    ...leavesOf(tree).flatMap(sectionOf),
  ].join("\n");
}

/** Commands that do something, by name: `events list`, not `events`. */
export function leavesOf(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);
}

function nameOf(command: Command): string {
  const above = command.parent;
  return above?.parent == null ? command.name() : `${nameOf(above)} ${command.name()}`;
}

function sectionOf(command: Command): string[] {
  const name = nameOf(command);
  const described = [...command.registeredArguments].filter(({ description }) => description !== "");
  return [
    `## mailwright ${name}`,
    "",
    command.description(),
    "",
    "```",
    `mailwright ${name} ${command.usage()}`.trim(),
    "```",
    "",
    ...argumentTable(described),
    ...(command.options.length === 0 ? [] : [...optionTable(command.options), ""]),
    ...(Object.hasOwn(shapes, name) && hasJson(command)
      ? [`\`--json\` prints the shape \`${name}\` of [cli.schema.json](cli.schema.json).`, ""]
      : []),
  ];
}

const hasJson = (command: Command): boolean => command.options.some(({ long }) => long === "--json");

function argumentTable(args: readonly Argument[]): string[] {
  if (args.length === 0) return [];
  return [
    "| argument | meaning |",
    "|---|---|",
    ...args.map((each) => `| \`${each.name()}\` | ${cell(each.description)} |`),
    "",
  ];
}

function optionTable(options: readonly Option[]): string[] {
  return [
    "| option | default | meaning |",
    "|---|---|---|",
    ...options.map((option) => `| \`${cell(option.flags)}\` | ${defaultOf(option)} | ${meaningOf(option)} |`),
  ];
}

function defaultOf({ defaultValue, negate }: Option): string {
  return defaultValue === undefined || negate ? "" : `\`${String(defaultValue)}\``;
}

function meaningOf({ description, argChoices, mandatory }: Option): string {
  const choices = argChoices === undefined ? "" : `: ${argChoices.map((choice) => `\`${choice}\``).join(", ")}`;
  return `${cell(description)}${choices}${mandatory ? " (required)" : ""}`;
}

const cell = (text: string): string => text.replaceAll("|", "\\|");
