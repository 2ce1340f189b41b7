/** Search: an index of its own that lags behind the primary store, hides archived records, and gives out no more than 10,000 results. */
import type { World } from "./objects.ts";
import { shown } from "./objects.ts";
import { ok, type Reply, validation } from "./reply.ts";
import { fields, type ObjectName } from "./schema.ts";
import type { SandboxRecord } from "./store.ts";

const maxResults = 10_000;
const maxPage = 200;
const maxBodyChars = 3_000;
const required = ["filterGroups", "properties", "sorts", "limit", "after"];

export function search(world: World, object: ObjectName, body: unknown, bodyChars: number): Reply {
  if (bodyChars > maxBodyChars) throw validation("The search request is too long");
  const given = fields(body);
  const missing = required.filter((name) => given[name] === undefined);
  if (missing.length > 0) throw validation(`Some required fields were not set: [${missing.join(", ")}]`);
  const limit = Number(given.limit);
  const after = Number(given.after);
  if (!(limit >= 1 && limit <= maxPage) || !(after >= 0)) throw validation(`limit must be 1 to ${maxPage}`);
  if (after + limit > maxResults) throw validation(`Paging beyond ${maxResults} results is not supported`);
  const groups = list(given.filterGroups).map((group) => list(fields(group).filters).map(filterOf));
  if (groups.length > 5 || groups.some((filters) => filters.length > 6) || groups.flat().length > 18)
    throw validation("Too many filters");
  const found = [...hits(world, object, groups)];
  const names = list(given.properties).filter((name) => typeof name === "string");
  const page = found.slice(after, after + limit).map(([record, values]) => shown(record, names, values));
  const more = after + limit < Math.min(found.length, maxResults);
  return ok(200, {
    total: found.length,
    results: page,
    ...(more ? { paging: { next: { after: String(after + limit) } } } : {}),
  });
}

type Filter = (values: Record<string, string>) => boolean;

function* hits(
  { store }: World,
  object: ObjectName,
  groups: readonly (readonly Filter[])[],
): Generator<[SandboxRecord, Record<string, string>]> {
  for (const record of store.all(object)) {
    const state = store.searchable(record);
    if (state === undefined || state.archived) continue;
    if (groups.length === 0 || groups.some((filters) => filters.every((filter) => filter(state.properties))))
      yield [record, state.properties];
  }
}

function filterOf(given: unknown): Filter {
  const { propertyName, operator, value, values } = fields(given);
  if (typeof propertyName !== "string") throw validation("propertyName is required");
  const same = (one: string | undefined, other: unknown) =>
    one !== undefined && one.toLowerCase() === String(other).toLowerCase();
  switch (operator) {
    case "EQ":
      return (have) => same(have[propertyName], value);
    case "NEQ":
      return (have) => !same(have[propertyName], value);
    case "IN":
      return (have) => list(values).some((candidate) => same(have[propertyName], candidate));
    case "HAS_PROPERTY":
      return (have) => (have[propertyName] ?? "") !== "";
    case "NOT_HAS_PROPERTY":
      return (have) => (have[propertyName] ?? "") === "";
    default:
      throw validation(`operator ${String(operator)} is not known`);
  }
}

function list(given: unknown): unknown[] {
  if (!Array.isArray(given)) throw validation("Invalid input JSON: an array is required");
  return given;
}
