/** Reads a header value with parameters (RFC 2045 §5.1), as far as the structure of a message hangs on it. */

export interface Parameters {
  /** In lower case: `multipart/mixed`. */
  readonly value: string;
  /** By name in lower case; the first of a name counts. */
  readonly params: ReadonlyMap<string, string>;
}

const maxChars = 10_000;
const parameter = /;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/g;

/** `value` is unfolded. Comments are dropped where they stand alone. */
export function parameters(value: string): Parameters {
  const text = value.slice(0, maxChars);
  const first = text.indexOf(";");
  const params = new Map<string, string>();
  for (const [, name = "", quoted, token] of text.matchAll(parameter)) {
    const key = name.toLowerCase();
    if (!params.has(key)) params.set(key, quoted === undefined ? (token ?? "") : quoted.replace(/\\(.)/g, "$1"));
  }
  return { value: withoutComment(first === -1 ? text : text.slice(0, first)), params };
}

/** The first token of a value like `auto-replied (vacation); x=y`, in lower case (mail classes go by it). */
export function firstToken(value: string): string {
  return parameters(value).value;
}

const withoutComment = (text: string): string =>
  text
    .replace(/\([^()]*\)/g, " ")
    .trim()
    .toLowerCase();
