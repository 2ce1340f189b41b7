/** Associations between records: listed from the primary store in pages, made by default type or by label, and taken away. */
import type { World } from "./objects.ts";
import { empty, ok, type Reply, validation } from "./reply.ts";
import { associationTypesOf, fields, type ObjectName } from "./schema.ts";

const maxPage = 500;

export function listAssociations(
  { store }: World,
  from: ObjectName,
  id: string,
  to: ObjectName,
  query: URLSearchParams,
): Reply {
  const record = store.live(from, id, null);
  const limit = Math.min(Number(query.get("limit") ?? maxPage) || maxPage, maxPage);
  const start = Number(query.get("after") ?? 0) || 0;
  const targets = [...(record.links.get(to) ?? [])].filter(
    ([target]) => store.get(to, target, null)?.archived === false,
  );
  const results = targets.slice(start, start + limit).map(([toObjectId, typeId]) => ({
    toObjectId,
    associationTypes: [{ category: "HUBSPOT_DEFINED", typeId, label: null }],
  }));
  const more = start + limit < targets.length;
  return ok(200, { results, ...(more ? { paging: { next: { after: String(start + limit) } } } : {}) });
}

/** Idempotent: a second call finds what the first one made. */
export function putDefault({ store }: World, from: ObjectName, id: string, to: ObjectName, toId: string): Reply {
  const [type] = associationTypesOf(from, to);
  if (type === undefined) throw validation(`No default association from ${from} to ${to}`);
  store.link(store.live(from, id, null), store.live(to, toId, null), type);
  return ok(200, {
    status: "COMPLETE",
    results: [
      {
        from: { id },
        to: { id: toId },
        associationSpec: { associationCategory: "HUBSPOT_DEFINED", associationTypeId: type },
      },
    ],
  });
}

export function putLabelled(
  { store }: World,
  from: ObjectName,
  id: string,
  to: ObjectName,
  toId: string,
  body: unknown,
): Reply {
  if (!Array.isArray(body) || body.length === 0)
    throw validation("Invalid input JSON: a list of association types is required");
  const types = body.map((given) => Number(fields(given).associationTypeId));
  const wrong = types.find((type) => !associationTypesOf(from, to).includes(type));
  if (wrong !== undefined) throw validation(`${wrong} is not a valid association type from ${from} to ${to}`);
  for (const type of types) store.link(store.live(from, id, null), store.live(to, toId, null), type);
  return ok(201, { fromObjectId: id, toObjectId: toId, labels: [] });
}

export function removeAssociation({ store }: World, from: ObjectName, id: string, to: ObjectName, toId: string): Reply {
  const [one, other] = [store.get(from, id, null), store.get(to, toId, null)];
  if (one !== undefined && other !== undefined) store.unlink(one, other);
  return empty(204);
}

export function labels(from: ObjectName, to: ObjectName): Reply {
  const results = associationTypesOf(from, to).map((typeId) => ({ category: "HUBSPOT_DEFINED", typeId, label: null }));
  return ok(200, { results });
}
