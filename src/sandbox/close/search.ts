/** POST /data/search/: conditions on an index that lags; words match more than they should, exact values do not. */

import type { Reply } from "../sandbox.ts";
import { badRequest, ok } from "./reply.ts";
import type { Fields, SandboxRecord } from "./store.ts";
import { objectIn, picked, shown, type World } from "./world.ts";

const maxPage = 200;

export function search(world: World, body: unknown): Reply {
  const given = objectIn(body);
  const limit = Number(given.results_limit ?? 100);
  if (!(limit >= 1 && limit <= maxPage)) throw badRequest("results_limit is out of range");
  const query = objectIn(given.query);
  if (query.type !== "and" || !Array.isArray(query.queries)) throw badRequest("query.type must be and, with queries");
  const queries = query.queries.map(objectIn);
  const object = queries.find(({ type }) => type === "object_type")?.object_type;
  if (object !== "lead" && object !== "contact")
    throw badRequest("an object_type query of lead or contact is required");
  const conditions = queries.filter(({ type }) => type !== "object_type").map((one) => conditionOf(world, one));
  const found = world.store.searchable(object).filter((record) => conditions.every((fits) => fits(record)));
  const start = typeof given.cursor === "string" ? Number(given.cursor) : 0;
  const page = found.slice(start, start + limit);
  const names = objectIn(given._fields ?? {})[object];
  const fields = Array.isArray(names) ? names.join(",") : "id";
  return ok({
    data: page.map((record) => ({ __object_type: object, ...picked(shown(world, record), fields) })),
    cursor: start + limit < found.length ? String(start + limit) : null,
  });
}

type Condition = (record: SandboxRecord) => boolean;

function conditionOf(world: World, query: Fields): Condition {
  if (query.type === "has_related") {
    if (query.related_object_type !== "contact_email") throw badRequest("related_object_type is not known here");
    const related = objectIn(query.related_query);
    const field = objectIn(related.field);
    if (field.type !== "regular_field" || field.field_name !== "email") throw badRequest("field is not known");
    const matches = textOf(related.condition);
    return ({ fields }) =>
      (fields.emails as { email: string }[] | undefined)?.some(({ email }) => matches(email)) === true;
  }
  if (query.type !== "field_condition") throw badRequest(`query type ${String(query.type)} is not known`);
  const field = objectIn(query.field);
  if (field.type !== "custom_field" || !world.options.customFieldSearch) throw badRequest("field is not known");
  const name = `custom.${String(field.custom_field_id)}`;
  const matches = textOf(query.condition);
  return ({ fields }) => typeof fields[name] === "string" && matches(fields[name]);
}

const wordsOf = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);

function textOf(given: unknown): (value: string) => boolean {
  const { type, mode, value } = objectIn(given);
  if (type !== "text" || typeof value !== "string") throw badRequest("condition must be text with a value");
  switch (mode) {
    case "exact_value":
      return (text) => text.toLowerCase() === value.toLowerCase();
    case "full_words":
    case "phrase": {
      // Any word is enough: ada@example.test is found for bob@example.test.
      const wanted = wordsOf(value);
      return (text) => wordsOf(text).some((word) => wanted.includes(word));
    }
    default:
      throw badRequest("condition.mode is not known");
  }
}
