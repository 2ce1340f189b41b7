/** Lists of what belongs to a record, which show a write at once, and the roles that contacts have in a deal. */
import { namesIn, page, shown, type World } from "./records.ts";
import { fieldsOf, invalidId, ok, type Reply, refused } from "./reply.ts";
import type { ModuleName } from "./schema.ts";
import type { Values, ZohoRecord } from "./store.ts";

const idIn = (values: Values, name: string): string | undefined => {
  const value = values[name];
  return typeof value === "object" && value !== null ? value.id : undefined;
};

/** `Contacts/{id}/Deals`, `Accounts/{id}/Deals`, `Accounts/{id}/Contacts`, `Deals/{id}/Contact_Roles`; undefined where there is no such list. */
export function relatedList(
  world: World,
  module: ModuleName,
  id: string,
  list: string,
  query: URLSearchParams,
): (() => Reply) | undefined {
  const of = (target: ModuleName, belongs: (record: ZohoRecord) => boolean) => (): Reply => {
    if (world.store.live(module, id) === undefined) throw invalidId();
    if (query.get("fields") === null)
      throw refused(400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", {
        param_name: "fields",
      });
    const rows = [...world.store.all(target)]
      .filter((record) => record.deletedAt === undefined && belongs(record))
      .reverse();
    return page(
      rows.map((record) => shown(world, record, namesIn(query))),
      query,
    );
  };
  switch (`${module}.${list}`) {
    case "Contacts.Deals":
      return of("Deals", (deal) => idIn(deal.values, "Contact_Name") === id || deal.roles.has(id));
    case "Accounts.Deals":
      return of("Deals", (deal) => idIn(deal.values, "Account_Name") === id);
    case "Accounts.Contacts":
      return of("Contacts", (contact) => idIn(contact.values, "Account_Name") === id);
    case "Deals.Contact_Roles":
      return of("Contacts", (contact) => {
        const deal = world.store.live(module, id);
        return deal !== undefined && (deal.roles.has(contact.id) || idIn(deal.values, "Contact_Name") === contact.id);
      });
    default:
      return undefined;
  }
}

/** PUT Deals/{id}/Contact_Roles/{contact}: repeating it changes nothing. */
export function putRole({ store }: World, deal: string, contact: string, body: unknown): Reply {
  const found = store.live("Deals", deal);
  if (found === undefined) throw invalidId();
  if (store.live("Contacts", contact) === undefined)
    throw refused(400, "INVALID_DATA", "the related id given seems to be invalid");
  if (!Array.isArray(fieldsOf(body).data))
    throw refused(400, "MANDATORY_NOT_FOUND", "required field not found", { api_name: "data" });
  found.roles.add(contact);
  return ok(200, {
    data: [{ code: "SUCCESS", details: { id: contact }, message: "contact role updated", status: "success" }],
  });
}

export function removeRole({ store }: World, deal: string, contact: string): Reply {
  const found = store.live("Deals", deal);
  if (found === undefined) throw invalidId();
  found.roles.delete(contact);
  return ok(200, {
    data: [{ code: "SUCCESS", details: { id: contact }, message: "contact role removed", status: "success" }],
  });
}
