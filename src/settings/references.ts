/** `${env:NAME}`, `${env:NAME:-default}` and `${file:PATH}` inside configuration values. */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Marks } from "./document.ts";
import { formatPath, type Path, type Problem, pathKey } from "./problems.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a value in the text may ask for. `directory` is that of the file that names the path. */
export interface Surroundings {
  readonly env: Environment;
  readonly directory: string;
}

/** A secret is a line or a key, not a disk image. */
const maxSecretFileBytes = 1_048_576;

type Resolved = { readonly text: string } | { readonly found: string; readonly expected: string };

/** Replaces every reference in every text below `value`; the marks of changed values get their expression as `source`. */
export function resolveReferences(
  value: unknown,
  marks: Marks,
  around: Surroundings,
  problems: Problem[],
  path: Path = [],
): unknown {
  if (typeof value === "string") return resolveText(value, path, marks, around, problems);
  if (Array.isArray(value))
    return value.map((item, index) => resolveReferences(item, marks, around, problems, [...path, index]));
  if (typeof value !== "object" || value === null) return value;
  const entries: Record<string, unknown> = Object.create(null);
  for (const [key, item] of Object.entries(value))
    entries[key] = resolveReferences(item, marks, around, problems, [...path, key]);
  return entries;
}

function resolveText(text: string, path: Path, marks: Marks, around: Surroundings, problems: Problem[]): string {
  if (!text.includes("${")) return text;
  const mark = marks.get(pathKey(path));
  const sources: string[] = [];
  const resolved = text.replace(
    /\$\$\{|\$\{([^}]*)(\}?)/g,
    (expression, inner: string | undefined, end: string | undefined) => {
      // "$${" stands for the two characters "${" themselves.
      if (expression === "$${") return "${";
      const answer = end === "" ? unended : inner?.includes("${") ? nested : resolveOne(inner ?? "", around);
      if ("text" in answer) {
        sources.push(withoutDefault(expression));
        return answer.text;
      }
      if (mark) problems.push({ place: mark.value, path: formatPath(path), ...answer });
      return "";
    },
  );
  if (mark && sources.length > 0) marks.set(pathKey(path), { ...mark, source: sources.join(" ") });
  return resolved;
}

const unended: Resolved = { found: "`${` without its `}`", expected: "${env:NAME} or ${file:PATH}" };
/** It would end at the inner one's brace, and the outer one's be part of the secret. */
const nested: Resolved = { found: "a reference within a reference", expected: "a default that is plain text" };

/** A default may itself be a secret, and a source is shown. */
function withoutDefault(expression: string): string {
  return expression.replace(/:-.*\}$/s, "}");
}

function resolveOne(inner: string, around: Surroundings): Resolved {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9-]*):(.*)$/s.exec(inner) ?? [];
  switch (scheme) {
    case "env":
      return resolveVariable(rest, around.env);
    case "file":
      return resolveFile(rest, around.directory);
    default:
      return {
        // What stands behind a name may be meant as its default, as a shell has it.
        found: `the reference \${${inner.replace(/:[-=+?].*$/s, "...")}}`,
        expected: "${env:NAME}, ${env:NAME:-default} or ${file:PATH} ($${ for the characters themselves)",
      };
  }
}

function resolveVariable(rest: string, env: Environment): Resolved {
  const [, name = "", fallback] = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(rest) ?? [];
  if (name === "")
    return {
      found: `the reference ${withoutDefault(`\${env:${rest}}`)}`,
      expected: "the name of an environment variable",
    };
  const value = env[name];
  // As in a shell, `:-` also stands in for a variable that is set but empty.
  if (value !== undefined && value !== "") return { text: value };
  if (fallback !== undefined) return { text: fallback };
  const state = value === "" ? "is set but empty" : "is not set";
  return {
    found: `\${env:${name}}, but the environment variable ${name} ${state}`,
    expected: `${name} in the environment, or a default: \${env:${name}:-...}`,
  };
}

function resolveFile(rest: string, directory: string): Resolved {
  if (rest === "") return { found: "the reference ${file:}", expected: "the path of a file" };
  const path = resolve(directory, rest);
  const wanted = { expected: `a readable text file of at most ${maxSecretFileBytes} bytes at ${path}` };
  try {
    const { size } = statSync(path);
    if (size > maxSecretFileBytes) return { found: `\${file:${rest}}, but the file has ${size} bytes`, ...wanted };
    // Editors and `echo` end a file with one line end, which is not part of the secret.
    return { text: readFileSync(path, "utf8").replace(/\r?\n$/, "") };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return { found: `\${file:${rest}}, but the file cannot be read (${code})`, ...wanted };
  }
}
