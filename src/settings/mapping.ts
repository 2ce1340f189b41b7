/** Reads a tenant's mapping file: YAML, checked against its schema, with every problem told by line and column. */
import { readFileSync } from "node:fs";
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
  readonly text: string;
  readonly file: MappingFile;
  /** The line, from 1, on which a rule begins; rules are counted from 0. */
  lineOf(rule: number): number;
}

/** Where the file's name was written. */
type NamedAt = Pick<Problem, "path" | "place">;
const startOf = (file: string): Problem["place"] => ({ kind: "file", file, line: 1, column: 1 });

/** Of a file that has far more rules than anybody reads; a longer one is something else. */
const mostBytes = 4 * 1024 * 1024;

/** Throws BadConfiguration with every problem found; nothing else. */
export function loadMapping(path: string, namedAt: NamedAt = { path: "", place: startOf(path) }): LoadedMapping {
  const text = readText(path, namedAt);
  return { path, text, ...parsed(text, path) };
}

/** Throws BadConfiguration. `path` is for the words of problems alone. */
export const parseMapping = (text: string, path: string): MappingFile => parsed(text, path).file;

function parsed(text: string, path: string): Pick<LoadedMapping, "file" | "lineOf"> {
  const { value, marks, problems } = readDocument(text, path);
  if (problems.length > 0) throw new BadConfiguration(problems);
  const read = mappingSchema.safeParse(value);
  if (!read.success) {
    throw new BadConfiguration(problemsOf(read.error.issues, { value, marks, outline: mappingOutline, file: path }));
  }
  const lineOf = (rule: number): number => {
    const place = marks.get(pathKey(["rules", rule]))?.value;
    return place?.kind === "file" ? place.line : 1;
  };
  return { file: read.data, lineOf };
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
