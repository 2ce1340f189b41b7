/** SOQL in the shapes that a connector sends: SELECT, FROM, WHERE, ORDER BY, LIMIT. Anything else is MALFORMED_QUERY, as it is in an org for what it cannot read. */
import { bad, type Refusal } from "./reply.ts";

export type Value = string | number | boolean | null;
export type Condition =
  | { readonly kind: "and" | "or"; readonly parts: readonly Condition[] }
  | { readonly kind: "not"; readonly part: Condition }
  | { readonly kind: "compare"; readonly field: string; readonly operator: string; readonly value: Value }
  | { readonly kind: "in"; readonly field: string; readonly values: readonly Value[] }
  /** A pattern whose wildcards are told from escaped ones. */
  | { readonly kind: "like"; readonly field: string; readonly pattern: RegExp };

export interface Query {
  readonly fields: readonly string[];
  readonly object: string;
  readonly where: Condition | undefined;
  readonly order: readonly { readonly field: string; readonly descending: boolean }[];
  readonly limit: number | undefined;
}

export const malformed = (message: string): Refusal => bad("MALFORMED_QUERY", message);

type Token =
  | { readonly kind: "word" | "mark"; readonly text: string }
  | { readonly kind: "text"; readonly text: string; readonly raw: string }
  | { readonly kind: "number"; readonly text: string };

const mostChars = 100_000;

function tokensOf(soql: string): Token[] {
  if (soql.length > mostChars) throw bad("QUERY_TOO_COMPLICATED", "SOQL statement is too long");
  const tokens: Token[] = [];
  const pattern = /\s+|([A-Za-z_][\w.]*)|('(?:[^'\\]|\\[\s\S])*')|(\d[\w:.+-]*)|(<=|>=|!=|<>|[(),=<>])|([\s\S])/gy;
  for (const [, word, text, number, mark, other] of soql.matchAll(pattern)) {
    if (other !== undefined) throw malformed(`unexpected token: '${other}'`);
    if (word !== undefined) tokens.push({ kind: "word", text: word });
    else if (text !== undefined)
      tokens.push({ kind: "text", text: unescaped(text.slice(1, -1)), raw: text.slice(1, -1) });
    else if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (mark !== undefined) tokens.push({ kind: "mark", text: mark });
  }
  return tokens;
}

const escapes: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["b", "\b"],
  ["f", "\f"],
  ["'", "'"],
  ['"', '"'],
  ["\\", "\\"],
  ["_", "_"],
  ["%", "%"],
]);

function unescaped(raw: string): string {
  return raw.replace(/\\([\s\S])/g, (_whole, letter: string) => {
    const meant = escapes.get(letter);
    if (meant === undefined) throw malformed(`Invalid string literal: illegal escape \\${letter}`);
    return meant;
  });
}

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

/** `%` any characters, `_` one; escaped ones are themselves. Without regard to case. */
function likePattern(raw: string): RegExp {
  let pattern = "";
  for (const [piece] of raw.matchAll(/\\[\s\S]|[\s\S]/g)) {
    if (piece === "%") pattern += "[\\s\\S]*";
    else if (piece === "_") pattern += "[\\s\\S]";
    else pattern += literal(unescaped(piece));
  }
  return new RegExp(`^${pattern}$`, "i");
}

export function parseSoql(soql: string): Query {
  const tokens = tokensOf(soql);
  let at = 0;
  const peek = (): Token | undefined => tokens[at];
  const isWord = (word: string, token = peek()): boolean =>
    token?.kind === "word" && token.text.toUpperCase() === word.toUpperCase();
  const isMark = (mark: string): boolean => peek()?.kind === "mark" && peek()?.text === mark;
  const fail = (): Refusal => malformed(`unexpected token: '${peek()?.text ?? "<EOF>"}'`);

  function word(expected?: string): string {
    const token = peek();
    if (token?.kind !== "word" || (expected !== undefined && !isWord(expected))) throw fail();
    at++;
    return token.text;
  }
  function mark(expected: string): void {
    if (!isMark(expected)) throw fail();
    at++;
  }
  function list<T>(one: () => T): T[] {
    const found = [one()];
    while (isMark(",")) {
      at++;
      found.push(one());
    }
    return found;
  }
  function value(): Value {
    const token = peek();
    at++;
    if (token?.kind === "text") return token.text;
    if (token?.kind === "number") {
      if (/^\d+(\.\d+)?$/.test(token.text)) return Number(token.text);
      if (/^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d))?$/.test(token.text)) return token.text;
    }
    if (token?.kind === "word") {
      const text = token.text.toLowerCase();
      if (text === "true" || text === "false") return text === "true";
      if (text === "null") return null;
    }
    at--;
    throw fail();
  }
  function comparison(): Condition {
    if (isMark("(")) {
      at++;
      const inner = condition();
      mark(")");
      return inner;
    }
    if (isWord("NOT")) {
      at++;
      return { kind: "not", part: comparison() };
    }
    const field = word();
    if (isWord("IN")) {
      at++;
      mark("(");
      const values = list(value);
      mark(")");
      return { kind: "in", field, values };
    }
    if (isWord("LIKE")) {
      at++;
      const token = peek();
      if (token?.kind !== "text") throw fail();
      at++;
      return { kind: "like", field, pattern: likePattern(token.raw) };
    }
    const token = peek();
    if (token?.kind !== "mark" || !["=", "!=", "<>", "<", ">", "<=", ">="].includes(token.text)) throw fail();
    at++;
    return { kind: "compare", field, operator: token.text, value: value() };
  }
  /** An org refuses AND beside OR without brackets. */
  function condition(): Condition {
    const parts = [comparison()];
    let joined: "and" | "or" | undefined;
    while (isWord("AND") || isWord("OR")) {
      const next = isWord("AND") ? "and" : "or";
      if (joined !== undefined && joined !== next) throw fail();
      joined = next;
      at++;
      parts.push(comparison());
    }
    const [only] = parts;
    return joined === undefined && only !== undefined ? only : { kind: joined ?? "and", parts };
  }

  word("SELECT");
  const fields = list(() => word());
  word("FROM");
  const object = word();
  let where: Condition | undefined;
  if (isWord("WHERE")) {
    at++;
    where = condition();
  }
  let order: Query["order"] = [];
  if (isWord("ORDER")) {
    at++;
    word("BY");
    order = list(() => {
      const field = word();
      const descending = isWord("DESC");
      if (descending || isWord("ASC")) at++;
      return { field, descending };
    });
  }
  let limit: number | undefined;
  if (isWord("LIMIT")) {
    at++;
    const given = value();
    if (typeof given !== "number" || !Number.isInteger(given) || given < 0) throw fail();
    limit = given;
  }
  if (peek() !== undefined) throw fail();
  return { fields, object, where, order, limit };
}

/** Text compares without regard to case, as SOQL's `=` does. Null is only equal to null. */
export function holds(condition: Condition, of: (field: string) => Value): boolean {
  switch (condition.kind) {
    case "and":
      return condition.parts.every((part) => holds(part, of));
    case "or":
      return condition.parts.some((part) => holds(part, of));
    case "not":
      return !holds(condition.part, of);
    case "in":
      return condition.values.some((value) => compared(of(condition.field), value) === 0);
    case "like": {
      const value = of(condition.field);
      return typeof value === "string" && condition.pattern.test(value);
    }
    case "compare":
      return comparedBy(condition.operator, of(condition.field), condition.value);
    default:
      return condition satisfies never;
  }
}

function comparedBy(operator: string, one: Value, other: Value): boolean {
  const order = compared(one, other);
  switch (operator) {
    case "=":
      return order === 0;
    case "!=":
    case "<>":
      return order !== 0;
    case "<":
      return order !== undefined && order < 0;
    case ">":
      return order !== undefined && order > 0;
    case "<=":
      return order !== undefined && order <= 0;
    default:
      return order !== undefined && order >= 0;
  }
}

const isTime = (text: string): boolean => /^\d{4}-\d\d-\d\d(T|$)/.test(text);
/** Ids in both lengths are one, and their case counts. */
const isIdText = (text: string): boolean => /^0[0-9A-Za-z]{14}(?:[A-Z0-5]{3})?$/.test(text);
const form = (text: string): string => (isIdText(text) ? text.slice(0, 15) : text.toLowerCase());

/** Undefined where the two cannot be told apart by more or less. */
export function compared(one: Value, other: Value): number | undefined {
  if (one === null || other === null) return one === other ? 0 : undefined;
  if (typeof one === "string" && typeof other === "string") {
    if (isTime(one) && isTime(other)) return Date.parse(timeForm(one)) - Date.parse(timeForm(other));
    const [a, b] = [form(one), form(other)];
    return a === b ? 0 : a < b ? -1 : 1;
  }
  if (typeof one !== typeof other) return undefined;
  return Number(one) - Number(other);
}

const timeForm = (text: string): string => text.replace(/([+-]\d\d)(\d\d)$/, "$1:$2");
