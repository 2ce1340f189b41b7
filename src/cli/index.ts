/** Runs one command line and says how it ended. */
import { type Command, CommanderError, type OutputConfiguration } from "commander";
import { BadConfiguration, formatProblem } from "../settings/index.ts";
import { openCli } from "./cli.ts";
import { type ExitCode, exitCodes, Failed, sentenceOf } from "./exit.ts";
import { plain } from "./plain.ts";
import type { Surroundings } from "./surroundings.ts";
import { commandTree } from "./tree.ts";

export type { Surroundings } from "./surroundings.ts";

/** `args` without the interpreter and the program. Never rejects: what went wrong has been said on standard error. */
export async function runCommand(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const talk: Promise<void>[] = [];
  const output: OutputConfiguration = {
    writeOut: (text) => talk.push(surroundings.stdout.write(text)),
    writeErr: (text) => talk.push(surroundings.stderr.write(text)),
  };
  let tree: Command | undefined;
  const cli = openCli(surroundings, () => tree?.opts<{ config?: string }>().config);
  try {
    tree = await commandTree(cli, output, args);
    await tree.parseAsync(args, { from: "user" });
    return exitCodes.ok;
  } catch (error) {
    return await explainFailure(error, surroundings);
  } finally {
    await Promise.all(talk);
  }
}

async function explainFailure(error: unknown, { stderr }: Surroundings): Promise<ExitCode> {
  // Commander has printed its own message; asking for help is not a failure.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof BadConfiguration) {
    await stderr.write(`${error.problems.map((problem) => plain(formatProblem(problem), 1_000)).join("\n")}\n`);
    return exitCodes.configuration;
  }
  await stderr.write(`mailwright: ${plain(sentenceOf(error), 2_000)}\n`);
  return error instanceof Failed ? error.exitCode : exitCodes.failed;
}
