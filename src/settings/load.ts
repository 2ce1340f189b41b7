/** From a file and the environment to settings that the program can trust, or to a list of everything that is wrong. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import type { z } from "zod";
import { clashes } from "./checks.ts";
import { type Marks, readDocument } from "./document.ts";
import { problemsOf, type Read, valueAt } from "./issues.ts";
import { type LoadedMapping, loadMapping } from "./mapping.ts";
import { below, type Outline } from "./outline.ts";
import { applyOverrides } from "./overrides.ts";
import { BadConfiguration, formatPath, type Path, type Problem, pathKey } from "./problems.ts";
import { type Environment, resolveReferences } from "./references.ts";
import { type Configuration, configuration, configurationOutline } from "./schema.ts";
import { storageClashes } from "./storage.ts";

/** One destination of a tenant; `settings` is what its type's own schema made of the rest of the entry. */
export interface DestinationEntry {
  readonly id: string;
  readonly type: string;
  readonly settings: unknown;
}

export type TenantSettings = Omit<Configuration["tenants"][number], "destinations" | "mapping"> & {
  readonly destinations: readonly DestinationEntry[];
  /** What its mapping file says, where it has one. */
  readonly mapping?: LoadedMapping;
};

/** Durations are milliseconds, sizes bytes, paths absolute, references resolved. */
export type Settings = Omit<Configuration, "tenants"> & {
  readonly tenants: readonly TenantSettings[];
  readonly origin: Origin;
};

/** Where the settings came from: what `describeSettings` and `reresolve` need. */
export interface Origin {
  /** Absolute path of the configuration file. */
  readonly file: string;
  /** The configuration before defaults, references resolved: it holds secrets. */
  readonly written: unknown;
  /** By path (`pathKey`): the expression or variable a value came from. */
  readonly sources: ReadonlyMap<string, string>;
}

/**
 * Reads `file`, lays `MAILWRIGHT__...` of `env` over it and checks the whole.
 * Throws BadConfiguration with every problem found; nothing else.
 */
export function loadSettings(file: string, env: Environment): Settings {
  const read = readConfiguration(file, env);
  const { parsed, written } = parseConfiguration(read);
  const wrong = [...clashes(parsed.tenants), ...storageClashes(parsed)].map(
    (clash): Problem => ({ ...clash, path: formatPath(clash.path), place: placeOf(clash.path, read) }),
  );
  if (wrong.length > 0) throw new BadConfiguration(wrong);
  const sources = [...read.marks].flatMap(([key, { source }]) =>
    source === undefined ? [] : [[key, source] as const],
  );
  const settings = absolutePaths(parsed, configurationOutline, dirname(resolve(file)), read.marks) as Configuration;
  return {
    ...settings,
    tenants: settings.tenants.map((tenant, index) => tenantOf(tenant, ["tenants", index, "mapping"], read)),
    origin: { file: resolve(file), written, sources: new Map(sources) },
  };
}

function tenantOf(tenant: Configuration["tenants"][number], path: Path, read: Read): TenantSettings {
  const { mapping, destinations, ...rest } = tenant;
  return {
    ...rest,
    destinations: destinations.map(destinationEntry),
    ...(mapping === undefined
      ? {}
      : { mapping: loadMapping(mapping, { path: formatPath(path), place: placeOf(path, read) }) }),
  };
}

function readConfiguration(file: string, env: Environment): Read {
  const document = readDocument(readText(file), file);
  if (document.problems.length > 0) throw new BadConfiguration(document.problems);
  const { marks } = document;
  const problems: Problem[] = [];
  const overridden = applyOverrides(document.value, marks, env, problems);
  const value = resolveReferences(overridden, marks, { env, directory: dirname(resolve(file)) }, problems);
  if (problems.length > 0) throw new BadConfiguration(problems);
  return { value, marks, outline: configurationOutline, file };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const place = { kind: "file", file, line: 1, column: 1 } as const;
    throw new BadConfiguration([
      {
        place,
        path: "",
        found: `a file that cannot be read (${code})`,
        expected: "a readable configuration file; --config FILE names another",
      },
    ]);
  }
}

function parseConfiguration(read: Read): { readonly parsed: Configuration; readonly written: unknown } {
  const first = configuration.safeParse(read.value);
  if (first.success) return { parsed: first.data, written: read.value };
  // References and variables are always text; where the schema wants something else, the text is read as the YAML it stands for.
  const coerced = { ...read, value: readAsYaml(read.value, first.error.issues, read.marks) };
  const second = configuration.safeParse(coerced.value);
  if (second.success) return { parsed: second.data, written: coerced.value };
  throw new BadConfiguration(problemsOf(second.error.issues, coerced));
}

function readAsYaml(value: unknown, issues: readonly z.core.$ZodIssue[], marks: Marks): unknown {
  const copy = structuredClone(value);
  for (const issue of issues) {
    const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
    const last = path.at(-1);
    const text = valueAt(copy, path);
    const isTextFromElsewhere = typeof text === "string" && marks.get(pathKey(path))?.source !== undefined;
    if (!isTextFromElsewhere || last === undefined || (issue.code !== "invalid_type" && issue.code !== "invalid_union"))
      continue;
    Reflect.set(Object(valueAt(copy, path.slice(0, -1))), last, yamlOf(text) ?? text);
  }
  return copy;
}

/** Undefined when the text is no YAML, or is only text in YAML too. */
function yamlOf(text: string): unknown {
  try {
    const value: unknown = parseYaml(text, { logLevel: "silent" });
    return value === null || typeof value === "string" ? undefined : value;
  } catch {
    return undefined;
  }
}

function placeOf(path: Path, read: Read): Problem["place"] {
  return read.marks.get(pathKey(path))?.value ?? { kind: "file", file: read.file, line: 1, column: 1 };
}

/** What the schema marks with `path`: relative ones are taken from the folder of the file that names them, or from here for a variable. */
function absolutePaths(value: unknown, outline: Outline, directory: string, marks: Marks, path: Path = []): unknown {
  if (typeof value === "string" && outline.path === true) {
    return marks.get(pathKey(path))?.value.kind === "variable" ? resolve(value) : resolve(directory, value);
  }
  if (typeof value !== "object" || value === null) return value;
  const step = (item: unknown, part: string | number): unknown =>
    below(outline, value, part).reduce((at, next) => absolutePaths(at, next, directory, marks, [...path, part]), item);
  if (Array.isArray(value)) return value.map(step);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, step(item, key)]));
}

function destinationEntry(entry: { readonly id: string; readonly type: string }): DestinationEntry {
  const { id, type, ...settings } = entry;
  return { id, type, settings };
}
