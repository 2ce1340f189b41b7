/** Taking changed secrets into running settings (SIGHUP), without pretending that the rest can change under way. */
import { loadSettings, type Settings } from "./load.ts";
import { isSecretAt } from "./outline.ts";
import { formatPath, type Path } from "./problems.ts";
import type { Environment } from "./references.ts";
import { configurationOutline } from "./schema.ts";

export interface Reresolved {
  /** The running settings with today's secrets. */
  readonly settings: Settings;
  /** Paths of secrets whose value is another now: `tenants[0].destinations[0].token`. */
  readonly rotated: readonly string[];
  /** Paths that differ in the file but stay as they were until a restart. */
  readonly needRestart: readonly string[];
}

/** Reads the configuration again. Throws BadConfiguration, and then the running settings stay as they are. */
export function reresolve(running: Settings, env: Environment): Reresolved {
  const fresh = loadSettings(running.origin.file, env);
  const differences = differingPaths(running.origin.written, fresh.origin.written, []);
  const isSecret = (path: Path): boolean => isSecretAt(configurationOutline, fresh.origin.written, path);
  const needRestart = differences.filter((path) => !isSecret(path));
  const rotated = differences.filter(isSecret);
  // With anything else changed, entries may have moved: a secret is then only taken by a restart.
  if (needRestart.length > 0) return { settings: running, rotated: [], needRestart: differences.map(formatPath) };
  return { settings: fresh, rotated: rotated.map(formatPath), needRestart: [] };
}

function differingPaths(a: unknown, b: unknown, path: Path): readonly Path[] {
  if (
    typeof a !== "object" ||
    typeof b !== "object" ||
    a === null ||
    b === null ||
    Array.isArray(a) !== Array.isArray(b)
  ) {
    return Object.is(a, b) ? [] : [path];
  }
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.flatMap((key) =>
    differingPaths(Reflect.get(a, key), Reflect.get(b, key), [...path, Array.isArray(a) ? Number(key) : key]),
  );
}
