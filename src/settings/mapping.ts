/** Reads a tenant's mapping file: YAML, checked against its schema, with every problem told by line and column. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { type MappingFile, mappingSchema } from "../model/mapping.ts";
import { readDocument } from "./document.ts";
import { problemsOf } from "./issues.ts";
import type { Outline } from "./outline.ts";
import { BadConfiguration, type Problem, pathKey } from "./problems.ts";

/** The JSON Schema of the file as written, for editors and for the words of problems. */
export const mappingOutline = z.toJSONSchema(mappingSchema, { io: "input" }) as Outline;

/** A mapping and the text it was read from, which the ledger keeps to replay with. */
export interface LoadedMapping {
  /** Absolute. */
  readonly path: string;
  /** With that of the file which its `else` names. */
  readonly text: string;
  readonly file: MappingFile;
  /** The file that its `else` names. */
  readonly otherwise?: LoadedMapping;
  /** The line, from 1, on which a rule begins; rules are counted from 0. */
  lineOf(rule: number): number;
}

/** Where the file's name was written. */
type NamedAt = Pick<Problem, "path" | "place">;
const startOf = (file: string): Problem["place"] => ({ kind: "file", file, line: 1, column: 1 });

/** Of a file that has far more rules than anybody reads; a longer one is something else. */
const mostBytes = 4 * 1024 * 1024;

/** Between a file and the one that its `else` names, in the text that is kept. A file may begin with such a line, so it is refused in one. */
const seamLine = "--- # else";
const seam = `\n${seamLine}\n`;
/** More files than this, each the `else` of another, are a circle. */
const mostFiles = 8;

/** Throws BadConfiguration with every problem found; nothing else. */
export function loadMapping(path: string, namedAt: NamedAt = { path: "", place: startOf(path) }): LoadedMapping {
  return loadOne(path, namedAt, 1);
}

function loadOne(path: string, namedAt: NamedAt, depth: number): LoadedMapping {
  const own = readText(path, namedAt);
  refuseSeam(own, path);
  const { file, lineOf, placeOfElse } = parsed(own, path);
  if (file.else === undefined) return { path, text: own, file, lineOf };
  const at = { path: "else", place: placeOfElse };
  const named = resolve(dirname(path), file.else);
  if (depth === mostFiles)
    throw new BadConfiguration([
      { ...at, found: "files that name each other in a circle", expected: "the version of before" },
    ]);
  const otherwise = loadOne(named, at, depth + 1);
  const text = `${own}${seam}${otherwise.text}`;
  return { path, text, file: { ...file, otherwise: otherwise.file }, otherwise, lineOf };
}

/** Of a text that is kept. Throws BadConfiguration. `path` is for the words of problems alone. */
export function parseMapping(text: string, path: string): MappingFile {
  const [own = "", ...others] = text.split(seam);
  const { file, placeOfElse } = parsed(own, path);
  if (others.length > 0) return { ...file, otherwise: parseMapping(others.join(seam), path) };
  if (file.else === undefined) return file;
  throw new BadConfiguration([{ path: "else", place: placeOfElse, found: file.else, expected: "its text" }]);
}

/**
 * The texts that a kept one holds: itself, and then that of each `else` with what follows it. Each is as `loadMapping` gives it for that file alone,
 * so that the version of before keeps its number where a newer one names it.
 */
export function mappingTexts(text: string): readonly [string, ...string[]] {
  const [, ...parts] = text.split(seam);
  return [text, ...parts.map((_, at) => parts.slice(at).join(seam))];
}

interface Parsed extends Pick<LoadedMapping, "file" | "lineOf"> {
  readonly placeOfElse: Problem["place"];
}

function parsed(text: string, path: string): Parsed {
  const { value, marks, problems } = readDocument(text, path);
  if (problems.length > 0) throw new BadConfiguration(problems);
  const read = mappingSchema.safeParse(value);
  if (!read.success) {
    throw new BadConfiguration(problemsOf(read.error.issues, { value, marks, outline: mappingOutline, file: path }));
  }
  const placeAt = (...where: (string | number)[]): Problem["place"] =>
    marks.get(pathKey(where))?.value ?? startOf(path);
  const lineOf = (rule: number): number => {
    const place = placeAt("rules", rule);
    return place.kind === "file" ? place.line : 1;
  };
  return { file: read.data, lineOf, placeOfElse: placeAt("else") };
}

/** What is kept would be cut there, and the ledger would hold other rules than those that decided. */
function refuseSeam(text: string, file: string): void {
  const line = text.split(/\r\n|\r|\n/).indexOf(seamLine) + 1;
  if (line === 0) return;
  const place = { kind: "file", file, line, column: 1 } as const;
  const [found, expected] = [
    `the line \`${seamLine}\``,
    "another comment, or none: by it the two files of `else` are told apart",
  ];
  throw new BadConfiguration([{ path: "", place, found, expected }]);
}

function readText(path: string, namedAt: NamedAt): string {
  const refuse = (found: string) => new BadConfiguration([{ ...namedAt, found, expected: "a readable mapping file" }]);
  try {
    const bytes = readFileSync(path);
    if (bytes.length > mostBytes) throw refuse(`${path}, which has more than ${mostBytes} bytes`);
    return bytes.toString("utf8");
  } catch (error) {
    if (error instanceof BadConfiguration) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw refuse(`${path}, which cannot be read (${code})`);
  }
}
