/** Tryton's domains: lists of clauses, AND and OR, dotted names that lead to other records, and patterns. */
import { typeError } from "./reply.ts";
import type { Row } from "./store.ts";
import { fieldOf, fieldValue, modelOf, rowOf, rowsOf, type World } from "./world.ts";

type Fits = (row: Row) => boolean;

const isClause = (part: unknown): part is [string, string, unknown] =>
  Array.isArray(part) && part.length >= 3 && typeof part[0] === "string" && part[0] !== "OR" && part[0] !== "AND";

/** Deactivated records are left out of what does not speak of them. */
export function search(
  world: World,
  model: string,
  domain: unknown,
  context: Readonly<Record<string, unknown>>,
): Row[] {
  const { deactivable } = modelOf(world, model);
  const fits = compiled(world, model, domain);
  const all = deactivable === true && context.active_test !== false && !speaksOf(domain, "active");
  return rowsOf(world, model).filter((row) => (!all || row.values.active !== false) && fits(row));
}

const speaksOf = (domain: unknown, name: string): boolean =>
  Array.isArray(domain) && (isClause(domain) ? domain[0] === name : domain.some((part) => speaksOf(part, name)));

function compiled(world: World, model: string, domain: unknown): Fits {
  if (!Array.isArray(domain)) throw typeError("'NoneType' object is not iterable");
  if (isClause(domain)) return clause(world, model, domain);
  const [first] = domain;
  const parts = (first === "OR" || first === "AND" ? domain.slice(1) : domain).map((part) =>
    compiled(world, model, part),
  );
  return first === "OR" ? (row) => parts.some((fits) => fits(row)) : (row) => parts.every((fits) => fits(row));
}

function clause(world: World, model: string, [name, operator, value]: [string, string, unknown]): Fits {
  const [first = "", ...rest] = name.split(".");
  const field = fieldOf(world, model, first);
  if (rest.length > 0) {
    const inner = compiled(world, field.model ?? "", [rest.join("."), operator, value]);
    return (row) => related(world, field.model ?? "", fieldValue(world, model, row, first)).some(inner);
  }
  if (operator === "where") {
    const inner = compiled(world, field.model ?? "", value);
    return (row) => related(world, field.model ?? "", fieldValue(world, model, row, first)).some(inner);
  }
  const test = field.type === "text" && operator === "ilike" ? inFullText(String(value)) : undefined;
  const fits = test ?? comparison(operator, value);
  return (row) => fits(fieldValue(world, model, row, first));
}

function related(world: World, model: string, value: unknown): Row[] {
  const ids = Array.isArray(value) ? value : [value];
  return ids.map((id) => rowOf(world, model, id)).filter((row) => row !== undefined);
}

function comparison(operator: string, value: unknown): (found: unknown) => boolean {
  switch (operator) {
    case "=":
      return (found) => found === value;
    case "!=":
      return (found) => found !== value;
    case "in":
      if (!Array.isArray(value)) throw typeError("'NoneType' object is not iterable");
      return (found) => value.includes(found);
    case "like":
    case "ilike": {
      const pattern = likePattern(String(value), operator === "ilike" ? "isu" : "su");
      return (found) => typeof found === "string" && pattern.test(found);
    }
    default:
      throw typeError(`'${operator}'`);
  }
}

/** PostgreSQL counts no further: what stands behind that word is at this word for it, and no two words there are neighbours. */
const lastPlace = 16_383;

/**
 * `ilike` of a text field with a pattern that is `%words%`, or has no wildcard, is Tryton's full-text search, which looks for words. The real one misses
 * behind the last place what it takes for several words (a hex number that looks like 12e4, and more); here everything is missed there.
 */
function inFullText(pattern: string): ((found: unknown) => boolean) | undefined {
  const bare = pattern.replace(/^%+|%+$/g, "").replace(/\\[%_]/g, "");
  if (/[%_]/.test(bare) || pattern.startsWith("%") !== pattern.endsWith("%")) return undefined;
  const wanted = wordsOf(pattern);
  return (found) => {
    if (typeof found !== "string") return false;
    const there = new Set(wordsOf(found).slice(0, lastPlace));
    return wanted.every((word) => there.has(word));
  };
}

const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** `%` is anything, `_` is one character, and a backslash takes both as they are. */
function likePattern(like: string, flags: string): RegExp {
  const parts = [...like.matchAll(/\\(.)|([%_])|([^\\%_]+)/gsu)].map(([, escaped, wild, plain]) => {
    if (wild !== undefined) return wild === "%" ? ".*" : ".";
    return (escaped ?? plain ?? "").replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("")}$`, flags);
}
