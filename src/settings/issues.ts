/** What the schema objects to, turned into problems that say where, what was found and what is expected. */
import type { z } from "zod";
import type { Mark, Marks } from "./document.ts";
import { nearest } from "./nearest.ts";
import { isSecretAt, knownKeysAt, type Outline, outlinesAt } from "./outline.ts";
import { describeValue, formatPath, type Path, type Place, type Problem, pathKey } from "./problems.ts";

type Issue = z.core.$ZodIssue;

/** The configuration as it was read, which the words of a problem are taken from. */
export interface Read {
  readonly value: unknown;
  readonly marks: Marks;
  readonly outline: Outline;
  readonly file: string;
}

export function problemsOf(issues: readonly Issue[], read: Read): readonly Problem[] {
  return issues
    .flatMap((issue) => (issue.code === "unrecognized_keys" ? unknownKeys(issue, read) : [otherProblem(issue, read)]))
    .toSorted(byPlace);
}

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, part) => (typeof at === "object" && at !== null ? Reflect.get(at, part) : undefined),
    value,
  );
}

/** The mark of a value, or of the nearest thing around it that was really written. */
function markAt(path: Path, read: Read): Mark {
  for (let length = path.length; length >= 0; length -= 1) {
    const mark = read.marks.get(pathKey(path.slice(0, length)));
    if (mark) return mark;
  }
  const start: Place = { kind: "file", file: read.file, line: 1, column: 1 };
  return { value: start, key: start };
}

function unknownKeys(issue: Issue & { code: "unrecognized_keys" }, read: Read): readonly Problem[] {
  const base = toPath(issue.path);
  const known = knownKeysAt(read.outline, read.value, base);
  const taken = Object.keys(Object(valueAt(read.value, base)));
  return issue.keys.map((key) => {
    const place = markAt([...base, key], read).key;
    // Of two keys equally close, the one that is there already is not what was meant.
    const likely = nearest(
      key,
      known.toSorted((a, b) => Number(taken.includes(a)) - Number(taken.includes(b))),
    );
    return {
      place,
      path: formatPath(base),
      found: `the unknown key ${JSON.stringify(key.slice(0, 60))}`,
      expected: known.length === 0 ? "no keys here" : `one of ${[...known].sort().join(", ")}`,
      ...(likely === undefined ? {} : { nearest: likely }),
    };
  });
}

function otherProblem(issue: Issue, read: Read): Problem {
  const path = toPath(issue.path);
  const value = valueAt(read.value, path);
  const mark = markAt(path, read);
  const isMissing = value === undefined;
  const options = optionsOf(issue, path, read);
  const likely =
    typeof value === "string" && !isSecretAt(read.outline, read.value, path) ? nearest(value, options) : undefined;
  return {
    // Something missing is told at the entry that lacks it.
    place: isMissing ? mark.key : mark.value,
    path: formatPath(path),
    found: found(issue, path, mark, read),
    expected: isMissing ? missing(issue, path, options, read) : expected(issue, options),
    ...(likely === undefined ? {} : { nearest: likely }),
  };
}

/** Values out of the environment or a file are shown only where they are a plain wrong word of a variable: anything else may hold a secret. */
function found(issue: Issue, path: Path, mark: Mark, read: Read): string {
  const value = valueAt(read.value, path);
  if (value === undefined) return "nothing";
  const source = read.marks.has(pathKey(path)) ? mark.source : undefined;
  const isReference = source?.includes("${") ?? false;
  const isHidden =
    isSecretAt(read.outline, read.value, path) ||
    isReference ||
    (source !== undefined && issue.code === "invalid_type");
  const what = !isHidden
    ? describeValue(value)
    : typeof value === "string"
      ? "a text (not shown)"
      : "a value (not shown)";
  return isReference ? `${what} from ${source}` : what;
}

function missing(issue: Issue, path: Path, options: readonly string[], read: Read): string {
  const description = outlinesAt(read.outline, read.value, path).find((outline) => outline.description)?.description;
  const kind = expected(issue, options);
  return description === undefined
    ? `the key \`${String(path.at(-1) ?? "")}\` with ${kind}`
    : `${kind}: ${description}`;
}

function optionsOf(issue: Issue, path: Path, read: Read): readonly string[] {
  if (issue.code === "invalid_value") return issue.values.map(String);
  if (issue.code !== "invalid_union" || issue.errors.length > 0) return [];
  return outlinesAt(read.outline, undefined, path).flatMap((outline) =>
    outline.const === undefined ? [] : [String(outline.const)],
  );
}

const kinds: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a mapping of keys to values",
  record: "a mapping of keys to values",
  array: "a list",
};
const units: Readonly<Record<string, string>> = { string: " characters", array: " entries" };

function expected(issue: Issue, options: readonly string[]): string {
  if (options.length > 0) return options.length === 1 ? `${options[0]}` : `one of ${options.join(", ")}`;
  switch (issue.code) {
    case "invalid_type":
      return kinds[issue.expected] ?? issue.expected;
    case "too_small":
      return `at least ${issue.minimum}${units[issue.origin] ?? ""}`;
    case "too_big":
      return `at most ${issue.maximum}${units[issue.origin] ?? ""}`;
    default:
      // The schemas give these a message that is worded as an expectation.
      return issue.message.replace(/^must be /, "");
  }
}

function toPath(path: readonly PropertyKey[]): Path {
  return path.map((part) => (typeof part === "number" ? part : String(part)));
}

/** In the order of the file, variables after it. */
function byPlace(a: Problem, b: Problem): number {
  if (a.place.kind === "file" && b.place.kind === "file")
    return a.place.line - b.place.line || a.place.column - b.place.column;
  return Number(a.place.kind === "variable") - Number(b.place.kind === "variable");
}
