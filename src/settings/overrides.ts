/** `MAILWRIGHT__SECTION__KEY=value`: any key of the configuration set from the environment. */
import type { Marks } from "./document.ts";
import { formatPath, type Path, type Place, type Problem, pathKey } from "./problems.ts";
import type { Environment } from "./references.ts";

const prefix = "MAILWRIGHT__";

/**
 * Lays the environment's values over those of the file. List positions are numbers (`MAILWRIGHT__TENANTS__0__ID`) and may extend a list
 * by one. Values stay text here; `load` turns them into numbers, lists and the like where the schema wants those.
 */
export function applyOverrides(value: unknown, marks: Marks, env: Environment, problems: Problem[]): unknown {
  let result = value;
  // Sorted, so that `..__0` comes before `..__1` and the outcome does not hang on the order of the environment.
  for (const name of Object.keys(env)
    .filter((key) => key.startsWith(prefix))
    .sort(byPosition)) {
    const text = env[name];
    if (text === undefined) continue;
    const place: Place = { kind: "variable", name };
    const parts = name.slice(prefix.length).toLowerCase().split("__");
    if (parts.includes("")) {
      problems.push({ place, path: "", found: "an empty part in the name", expected: `${prefix}SECTION__KEY` });
      continue;
    }
    result = put(result, parts, [], text, { marks, place, problems });
  }
  return result;
}

interface Target {
  readonly marks: Marks;
  readonly place: Place;
  readonly problems: Problem[];
}

function put(value: unknown, parts: readonly string[], path: Path, text: string, target: Target): unknown {
  const [part, ...rest] = parts;
  const mark = {
    value: target.place,
    key: target.place,
    source: target.place.kind === "variable" ? target.place.name : "",
  };
  if (part === undefined) {
    for (const key of target.marks.keys()) if (isBelow(key, path)) target.marks.delete(key);
    target.marks.set(pathKey(path), mark);
    return text;
  }
  if (!target.marks.has(pathKey(path))) target.marks.set(pathKey(path), { value: target.place, key: target.place });
  const isPosition = /^\d{1,4}$/.test(part);
  if (Array.isArray(value) || (value === undefined && isPosition))
    return putInList(value ?? [], part, rest, path, text, target);
  const entries: Record<string, unknown> = Object.assign(
    Object.create(null),
    typeof value === "object" ? value : undefined,
  );
  entries[part] = put(entries[part], rest, [...path, part], text, target);
  return entries;
}

function putInList(
  list: readonly unknown[],
  part: string,
  rest: readonly string[],
  path: Path,
  text: string,
  target: Target,
): unknown {
  const index = /^\d{1,4}$/.test(part) ? Number(part) : -1;
  if (index < 0 || index > list.length) {
    target.problems.push({
      place: target.place,
      path: formatPath(path),
      found: `the position ${JSON.stringify(part)} in a list of ${list.length}`,
      expected: `a number from 0 to ${list.length}`,
    });
    return list;
  }
  const copy = [...list];
  copy[index] = put(copy[index], rest, [...path, index], text, target);
  return copy;
}

function isBelow(key: string, path: Path): boolean {
  const parent = pathKey(path).slice(0, -1);
  return key.startsWith(path.length === 0 ? parent : `${parent},`);
}

function byPosition(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
