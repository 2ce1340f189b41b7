/** The two searches: their index lags behind the primary store, and each has rules of its own about letters and lengths. */
import type { Reply } from "../sandbox.ts";
import { invalid, ok } from "./reply.ts";
import { type Fields, isFields, type ObjectName } from "./schema.ts";
import type { World } from "./world.ts";

const addressesIn = (own: Fields): string[] =>
  (Array.isArray(own.emails) ? own.emails : []).filter(isFields).map(({ value }) => String(value));

/** GET persons/search: letters do not count, custom fields come as values without their keys. */
export function searchPersons({ store }: World, query: URLSearchParams): Reply {
  const term = query.get("term") ?? "";
  const exact = query.get("exact_match") === "true";
  if (term.length < (exact ? 1 : 2)) throw invalid("Validation failed: term: at least 2 characters");
  const among = query.get("fields")?.split(",") ?? ["name", "email", "phone", "notes", "custom_fields"];
  const wanted = term.toLowerCase();
  const items: object[] = [];
  for (const record of store.all("persons")) {
    const version = store.searchable(record);
    if (version === undefined || version.deleted || store.hidden.has(`persons ${record.id}`)) continue;
    const emails = addressesIn(version.own);
    const texts = [
      ...(among.includes("email") ? emails : []),
      ...(among.includes("name") ? [String(version.own.name)] : []),
    ].map((text) => text.toLowerCase());
    if (!texts.some((text) => (exact ? text === wanted : text.includes(wanted)))) continue;
    const organization = typeof version.own.org_id === "number" ? { id: version.own.org_id } : null;
    const item = { id: record.id, type: "person", name: version.own.name, emails, phones: [], organization };
    items.push({ result_score: 1, item: { ...item, custom_fields: Object.values(version.custom), notes: [] } });
  }
  const limit = Number(query.get("limit") ?? 100);
  if (!(limit >= 1 && limit <= 100)) throw invalid("Validation failed: limit: 1 to 100");
  return ok({ items: items.slice(0, limit) }, { next_cursor: null });
}

const entities: Readonly<Record<string, ObjectName>> = {
  person: "persons",
  organization: "organizations",
  deal: "deals",
};

/** GET itemSearch/field: one field, and here letters count. */
export function searchField({ store, schema }: World, query: URLSearchParams): Reply {
  const [term, entity, code, match] = ["term", "entity_type", "field", "match"].map((name) => query.get(name) ?? "");
  const object = Object.hasOwn(entities, entity ?? "") ? entities[entity ?? ""] : undefined;
  if (object === undefined) throw invalid("Validation failed: entity_type: invalid value");
  if (term === undefined || term.length < (match === "exact" ? 1 : 2))
    throw invalid("Validation failed: term: at least 2 characters");
  const field = schema.fields.get(object)?.get(code ?? "");
  if (field === undefined || !/^(varchar|text|varchar_auto|double|monetary|phone|address)$/.test(field.type))
    throw invalid("Validation failed: field: no such searchable field");
  const found: object[] = [];
  for (const record of store.all(object)) {
    const version = store.searchable(record);
    if (version === undefined || version.deleted || store.hidden.has(`${object} ${record.id}`)) continue;
    const value = String(version.custom[field.code] ?? "");
    if (match === "exact" ? value === term : value.includes(term)) found.push({ id: record.id, [field.code]: value });
  }
  return ok(found.slice(0, 100), { next_cursor: null });
}
