/** What every command is handed: ways to speak to people and to programs, and the settings it was pointed at. */
import { existsSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import type { z } from "zod";
import { loadSettings, type Settings } from "../settings/index.ts";
import { packageFolder } from "./package.ts";
import { jsonText } from "./plain.ts";
import type { ShapeName, shapes } from "./shapes.ts";
import type { Surroundings } from "./surroundings.ts";
import { type Column, type Paint, paintFor, tableOf } from "./table.ts";

export interface Cli extends Surroundings {
  /** Colours on standard output. */
  readonly paint: Paint;
  /** Data, to standard output, a line each. */
  print(...lines: string[]): Promise<void>;
  /** Talk, to standard error, a line each. */
  say(...lines: string[]): Promise<void>;
  /** A value in the published shape of that command; on one line when `compact`. */
  printJson<N extends ShapeName>(shape: N, value: z.input<(typeof shapes)[N]>, compact?: boolean): Promise<void>;
  printTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): Promise<void>;
  /** The file that --config named, or the default. */
  configFile(): string;
  /** The environment as the configuration sees it; the same for a reload. */
  readonly settingsEnv: Surroundings["env"];
  /** Throws BadConfiguration. */
  settings(): Settings;
}

const defaultColumns = 120;

export function openCli(surroundings: Surroundings, configOption: () => string | undefined): Cli {
  const { stdout, stderr, env, cwd } = surroundings;
  const paint = paintFor(stdout, env);
  const print = async (...lines: string[]) => {
    if (lines.length > 0) await stdout.write(`${lines.join("\n")}\n`);
  };
  const configFile = () => {
    const named = configOption();
    return named === undefined ? defaultConfigFile(cwd) : resolve(cwd, named);
  };
  const settingsEnv = () => envFor(configFile(), env, cwd);
  return {
    ...surroundings,
    get user() {
      return surroundings.user;
    },
    paint,
    print,
    say: async (...lines) => {
      if (lines.length > 0) await stderr.write(`${lines.join("\n")}\n`);
    },
    printJson: (_shape, value, compact = false) => print(jsonText(value, compact ? undefined : 2)),
    printTable: (rows, columns) =>
      print(...tableOf(rows, columns, { paint, width: stdout.isTerminal ? (stdout.columns ?? defaultColumns) : 200 })),
    configFile,
    get settingsEnv() {
      return settingsEnv();
    },
    settings: () => loadSettings(configFile(), settingsEnv()),
  };
}

/** config/mailwright.yaml where the command was given; else the one that came with the package. */
function defaultConfigFile(cwd: string): string {
  const here = join(cwd, "config", "mailwright.yaml");
  return existsSync(here) ? here : join(packageFolder(), "config", "mailwright.yaml");
}

/**
 * The packaged configuration says `./data`, beside itself: inside node_modules the next install would delete it, mail and all. There the
 * data folder is the one where the command was given.
 */
function envFor(file: string, env: Surroundings["env"], cwd: string): Surroundings["env"] {
  const installed = file.startsWith(`${packageFolder()}${sep}`) && file.includes(`${sep}node_modules${sep}`);
  return installed ? { MAILWRIGHT__DATA_DIR: join(cwd, "mailwright-data"), ...env } : env;
}
