/** COQL, as far as anybody here asks: one module, one condition in brackets, an order and a limit. Whatever else is a syntax error. */

import { shown, type World } from "./records.ts";
import { empty, fieldsOf, ok, type Reply, refused } from "./reply.ts";
import { type ModuleName, moduleNamed } from "./schema.ts";
import type { Value, Values } from "./store.ts";

type Test = (values: Values) => boolean;

const word = /\s*(?:('(?:[^'\\]|\\.)*')|([A-Za-z_][\w.]*)|(\d+)|([(),=]))/y;

function tokensOf(query: string): string[] {
  const tokens: string[] = [];
  word.lastIndex = 0;
  while (query.slice(word.lastIndex).trim() !== "") {
    const from = word.lastIndex;
    const found = word.exec(query);
    if (found === null) throw syntaxError(query.slice(from, from + 20));
    tokens.push(found[0].trim());
  }
  return tokens;
}

const syntaxError = (near: string) => refused(400, "SYNTAX_ERROR", "error occured while parsing the query", { near });

class Parser {
  private at = 0;
  private readonly tokens: readonly string[];
  readonly used = new Set<string>();
  constructor(query: string) {
    this.tokens = tokensOf(query);
  }
  peek(): string {
    return this.tokens[this.at] ?? "";
  }
  next(): string {
    return this.tokens[this.at++] ?? "";
  }
  is(keyword: string): boolean {
    if (this.peek().toLowerCase() !== keyword) return false;
    this.at++;
    return true;
  }
  must(keyword: string): void {
    if (!this.is(keyword)) throw syntaxError(this.peek());
  }
  end(): void {
    if (this.at < this.tokens.length) throw syntaxError(this.peek());
  }
  name(): string {
    const token = this.next();
    if (!/^[A-Za-z_]/.test(token)) throw syntaxError(token);
    return token;
  }
  text(): string {
    const token = this.next();
    if (!token.startsWith("'")) throw syntaxError(token);
    return token.slice(1, -1).replace(/\\(.)/g, "$1").toLowerCase();
  }
  /** Two conditions at most without brackets of their own. */
  condition(): Test {
    const first = this.operand();
    if (this.is("and")) {
      const second = this.operand();
      return (values) => first(values) && second(values);
    }
    if (this.is("or")) {
      const second = this.operand();
      return (values) => first(values) || second(values);
    }
    return first;
  }
  private operand(): Test {
    if (this.is("(")) {
      const inner = this.condition();
      this.must(")");
      return inner;
    }
    const name = this.name();
    this.used.add(name);
    const held = (values: Values): string => textOf(values[name]).toLowerCase();
    if (this.is("=")) {
      const wanted = this.text();
      return (values) => held(values) === wanted;
    }
    if (this.is("in")) {
      this.must("(");
      const wanted = [this.text()];
      while (this.is(",")) wanted.push(this.text());
      this.must(")");
      if (wanted.length > 50) throw syntaxError("in");
      return (values) => wanted.includes(held(values));
    }
    this.must("like");
    const pattern = this.text();
    const inner = pattern.replace(/^%|%$/g, "");
    return (values) => {
      const value = held(values);
      if (pattern.startsWith("%") && pattern.endsWith("%")) return value.includes(inner);
      if (pattern.startsWith("%")) return value.endsWith(inner);
      return pattern.endsWith("%") ? value.startsWith(inner) : value === inner;
    };
  }
}

const textOf = (value: Value | undefined): string =>
  value === undefined || value === null ? "" : typeof value === "string" ? value : value.id;

export function coql(world: World, body: unknown, mayRead: (module: ModuleName) => void): Reply {
  const query = fieldsOf(body).select_query;
  if (typeof query !== "string")
    throw refused(400, "MANDATORY_NOT_FOUND", "required field not found", { api_name: "select_query" });
  const parser = new Parser(query);
  parser.must("select");
  const names = [parser.name()];
  while (parser.is(",")) names.push(parser.name());
  parser.must("from");
  const module = moduleNamed(parser.name());
  if (module === undefined) throw refused(400, "INVALID_QUERY", "the module name given seems to be invalid");
  mayRead(module);
  parser.must("where");
  const test = parser.condition();
  let limit = 200;
  if (parser.is("limit")) limit = Number(parser.next());
  parser.end();
  for (const name of [...names, ...parser.used]) {
    const isKnown = name === "id" || world.schema.field(module, name) !== undefined;
    if (!isKnown) throw refused(400, "INVALID_QUERY", "column given seems to be invalid", { column_name: name });
    if (parser.used.has(name) && world.schema.field(module, name)?.data_type === "textarea")
      throw refused(400, "INVALID_QUERY", "multi-line fields are not supported in criteria", { column_name: name });
  }
  return found(world, module, test, names, limit);
}

function found(world: World, module: ModuleName, test: Test, names: readonly string[], limit: number): Reply {
  const { store, options } = world;
  const data: object[] = [];
  for (const record of store.all(module)) {
    if (record.deletedAt !== undefined || record.converted || store.hidden.has(record.id)) continue;
    const values = options.coqlLags ? store.searchable(record) : record.values;
    if (values !== undefined && test(values)) data.push(shown(world, record, names, values));
  }
  if (data.length === 0) return empty();
  const rows = data.slice(0, limit);
  return ok(200, { data: rows, info: { count: rows.length, more_records: data.length > limit } });
}

/** GET {module}/search: by address, in the index. */
export function search(world: World, module: ModuleName, query: URLSearchParams): Reply {
  const email = query.get("email")?.toLowerCase();
  if (email === undefined) throw refused(400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing");
  const names = (query.get("fields") ?? "").split(",").filter((name) => name !== "");
  const data: object[] = [];
  for (const record of world.store.all(module)) {
    if (record.deletedAt !== undefined || record.converted || world.store.hidden.has(record.id)) continue;
    const values = world.store.searchable(record);
    if (values === undefined) continue;
    if (
      [values.Email, values.Secondary_Email].some((value) => typeof value === "string" && value.toLowerCase() === email)
    )
      data.push(shown(world, record, names, values));
  }
  if (data.length === 0) return empty();
  return ok(200, {
    data: data.slice(0, 200),
    info: { per_page: 200, count: data.length, page: 1, more_records: false },
  });
}
