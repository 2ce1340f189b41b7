/** What can be wrong with a configuration, where it stands, and how it is told. */

/** Keys and list positions from the top of the configuration. */
export type Path = readonly (string | number)[];

/** Where a value was written: in a file (line and column from 1), or in an environment variable. */
export type Place =
  | { readonly kind: "file"; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: "variable"; readonly name: string };

export interface Problem {
  readonly place: Place;
  /** `tenants[0].recipients[1]`; empty for the whole file. */
  readonly path: string;
  readonly found: string;
  readonly expected: string;
  /** The known word nearest to what was found. */
  readonly nearest?: string;
}

/** The configuration is refused as a whole: every problem that was found, never only the first. */
export class BadConfiguration extends Error {
  override readonly name = "BadConfiguration";
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    const shown = problems.map((problem) => ({
      ...problem,
      found: withoutCredentials(problem.found),
      expected: withoutCredentials(problem.expected),
    }));
    super(shown.map(formatProblem).join("\n"));
    this.problems = shown;
  }
}

/**
 * A secret in the wrong place (`token:pat-...` without its blank, `*abc`, a URL with a password) is not known for one by its key: what looks
 * like one is blotted out. Names of files and addresses, with their slashes and dots, stay.
 */
export function withoutCredentials(words: string): string {
  return words
    .replace(/(:\/\/)[^\s/@"]{1,512}@/g, "$1***@")
    .replace(/([?&][\w.-]{1,64}=)[^\s&"]+/g, "$1***")
    .replace(/\bpat-[\w-]{6,}/g, "***")
    .replace(/(?<![\w+/=.@-])[\w+=-]{20,}(?![\w+/=.@-])/g, (word) =>
      /\d/.test(word) && /[A-Za-z]/.test(word) ? "***" : word,
    );
}

/** One line: `mailwright.yaml:12:5: tenants[0].recipient: found ...; expected ...; did you mean ...?` */
export function formatProblem(problem: Problem): string {
  const at =
    problem.place.kind === "file"
      ? `${problem.place.file}:${problem.place.line}:${problem.place.column}`
      : `environment variable ${problem.place.name}`;
  const what = problem.path === "" ? "" : `${problem.path}: `;
  const hint = problem.nearest === undefined ? "" : `; did you mean \`${problem.nearest}\`?`;
  return `${at}: ${what}found ${problem.found}; expected ${problem.expected}${hint}`;
}

/** `["tenants", 0, "id"]` as `tenants[0].id`. */
export function formatPath(path: Path): string {
  return path.map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`)).join("");
}

/** Two paths are the same when these are: a list position and a key that looks like one stay apart. */
export function pathKey(path: Path): string {
  return JSON.stringify(path);
}

/** A value as it may stand in an error message: its kind, and a bounded piece of it that no control character can leave. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "nothing (null)";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  switch (typeof value) {
    case "string":
      return `the text ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value)}`;
    case "number":
      return `the number ${value}`;
    case "boolean":
      return `${value}`;
    default:
      return "a mapping of keys to values";
  }
}
