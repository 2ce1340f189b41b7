/** Runs a command line inside the test: the same as bin/mailwright.ts does, with streams that can be read afterwards. */
import type { z } from "zod";
import { runCommand } from "../../src/cli/index.ts";
import { type ShapeName, shapes } from "../../src/cli/shapes.ts";
import type { Surroundings } from "../../src/cli/surroundings.ts";
import { systemClock } from "../../src/main.ts";

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Standard output as JSON. */
  json(): unknown;
}

export interface StageOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export async function command(
  args: readonly string[],
  { stdin = "", env = {}, cwd = process.cwd() }: StageOptions = {},
): Promise<Ended> {
  const out: string[] = [];
  const err: string[] = [];
  const collecting = (into: string[]) => ({
    write: async (text: string) => void into.push(text),
    isTerminal: false,
    columns: undefined,
  });
  const surroundings: Surroundings = {
    env,
    cwd,
    user: "tester",
    clock: systemClock,
    stdin: {
      isTerminal: false,
      async *[Symbol.asyncIterator]() {
        yield Buffer.from(stdin);
      },
    },
    stdout: collecting(out),
    stderr: collecting(err),
    onSignal: () => undefined,
    onUncaught: () => undefined,
    exit: (code) => {
      throw new Error(`the command ended the process with ${code}`);
    },
  };
  const code = await runCommand(args, surroundings);
  return { code, out: out.join(""), err: err.join(""), json: () => JSON.parse(out.join("")) };
}

/** Runs a command with `--json` and reads what it printed in its published shape; throws where it did not end well. */
export async function shapedBy<N extends ShapeName>(
  run: (...args: string[]) => Promise<Ended>,
  name: N,
  args: readonly string[],
): Promise<z.infer<(typeof shapes)[N]>> {
  const ended = await run(...name.split(" "), ...args, "--json");
  if (ended.code !== 0) throw new Error(`exit ${ended.code}: ${ended.err}`);
  return shapes[name].parse(ended.json()) as z.infer<(typeof shapes)[N]>;
}
