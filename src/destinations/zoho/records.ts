/** Single records: read, looked for, created, changed and deleted, with Zoho's answers turned into refs. */
import { z } from "zod";
import type { Ref } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { StepKind } from "../../model/step.ts";
import type { WireResponse } from "../../model/wire.ts";
import { permanent } from "../shared/calls.ts";
import {
  type Api,
  type ModuleName,
  madeSchema,
  metricName,
  modules,
  paths,
  recordsSchema,
  textIn,
  type ZohoRecord,
} from "./api.ts";
import type { RecordBody } from "./bodies.ts";
import { duplicateField, duplicateOf, isDuplicate, isNoRecord, namesOwnField, reasonOf } from "./classify.ts";
import { type Account, ownFields } from "./fields.ts";

/** A record by its module: a person is a contact, or a lead. */
export interface Place {
  readonly module: ModuleName;
  readonly id: string;
}

/** A lead's id has its module with it, since a person is looked for among contacts else. */
const leadPrefix = "Leads/";
export const refIdOf = ({ module, id }: Place): string => (module === "Leads" ? `${leadPrefix}${id}` : id);

const modulesOf: Partial<Record<StepKind, ModuleName>> = { person: "Contacts", company: "Accounts", deal: "Deals" };

/** Throws Refused (permanent) for a kind that has no record of its own. */
export function placeOf(kind: StepKind, id: string): Place {
  if (kind === "person" && id.startsWith(leadPrefix)) return { module: "Leads", id: id.slice(leadPrefix.length) };
  const module = modulesOf[kind];
  if (module === undefined) throw permanent(`a step of kind ${kind} leaves no record at Zoho`);
  return { module, id };
}

export interface Records {
  refOf(place: Place, adopted: boolean, note?: string): Ref;
  /** Undefined where there is none, or where it is in the recycle bin. */
  get(place: Place, fields: readonly string[]): Promise<ZohoRecord | undefined>;
  isDeleted(place: Place): Promise<boolean>;
  /** By a condition in COQL, whose texts are plain words; the oldest first. */
  query(module: ModuleName, fields: readonly string[], where: string): Promise<readonly ZohoRecord[]>;
  searchEmail(module: ModuleName, email: string, fields: readonly string[]): Promise<readonly ZohoRecord[]>;
  related(place: Place, list: string, fields: readonly string[]): Promise<readonly ZohoRecord[]>;
  /** The new record's id, or the answer that says that it is there. */
  create(module: ModuleName, body: RecordBody): Promise<{ made: string } | { duplicate: WireResponse }>;
  update(place: Place, body: Readonly<Record<string, unknown>>): Promise<void>;
  remove(place: Place): Promise<void>;
  role(deal: string, contact: string, there: boolean): Promise<void>;
}

/** Deleted records are listed the latest first; one that went longer ago than these is not looked for. */
const deletedPages = 5;
const deletedSchema = z.object({
  data: z.array(z.object({ id: z.string() })),
  info: z.object({ more_records: z.boolean().optional() }).optional(),
});

export function openRecords(api: Api, account: Account, pages: string, workflows: boolean): Records {
  const trigger = workflows ? {} : { trigger: [] };

  /** Without what it has not, a query would be refused whole. */
  const known = async (module: ModuleName, fields: readonly string[]): Promise<string[]> => {
    const there = await account.module(module);
    return fields.filter((name) => there.has(name));
  };

  return {
    refOf({ module, id }, adopted, note) {
      const url = `${pages}/crm/tab/${module}/${id}`;
      return { id: refIdOf({ module, id }), url, adopted, ...(note === undefined ? {} : { note }) };
    },
    async get(place, fields) {
      const query = { fields: ["id", ...fields].join(",") };
      const request = {
        method: "GET",
        path: paths.record(place.module, place.id, query),
        object: metricName[place.module],
      } as const;
      const answer = await api.call(request, false, isNoRecord);
      return isNoRecord(answer) ? undefined : api.shaped(recordsSchema, answer, false).data[0];
    },
    async isDeleted({ module, id }) {
      for (let page = 1; page <= deletedPages; page++) {
        const request = { method: "GET", path: paths.deleted(module, page), object: metricName[module] } as const;
        const answer = await api.call(request, false);
        if (answer.status === 204) return false;
        const { data, info } = api.shaped(deletedSchema, answer, false);
        if (data.some((one) => one.id === id)) return true;
        if (info?.more_records !== true) return false;
      }
      return false;
    },
    async query(module, fields, where) {
      const columns = ["id", ...(await known(module, fields))].join(", ");
      const select_query = `select ${columns} from ${module} where ${where} limit 200`;
      const request = { method: "POST", path: paths.coql, object: metricName[module], body: { select_query } } as const;
      const answer = await api.call(request, false, namesOwnField);
      if (namesOwnField(answer)) throw changed(account, answer);
      return answer.status === 204 ? [] : byAge(api.shaped(recordsSchema, answer, false).data);
    },
    async searchEmail(module, email, fields) {
      const query = { email, fields: ["id", ...(await known(module, fields))].join(",") };
      const request = {
        method: "GET",
        path: paths.search(module, query),
        object: metricName[module],
      } as const;
      const answer = await api.call(request, false);
      return answer.status === 204 ? [] : byAge(api.shaped(recordsSchema, answer, false).data);
    },
    async related({ module, id }, list, fields) {
      const query = { fields: ["id", ...fields].join(","), per_page: "200" };
      return await api.pages(
        (page) => paths.related(module, id, list, { ...query, page: String(page) }),
        metricName[module],
      );
    },
    async create(module, body) {
      const request = { method: "POST", path: paths.module(module), object: metricName[module] } as const;
      const answer = await api.call({ ...request, body: { data: [body], ...trigger } }, true, namesOwnField);
      if (namesOwnField(answer)) throw changed(account, answer);
      if (isDuplicate(answer)) return { duplicate: answer };
      return { made: api.shaped(madeSchema, answer, true).data[0].details.id };
    },
    async update({ module, id }, body) {
      const request = { method: "PUT", path: paths.record(module, id), object: metricName[module] } as const;
      const answer = await api.call({ ...request, body: { data: [body], ...trigger } }, true);
      if (isDuplicate(answer)) throw permanent(reasonOf(answer));
    },
    async remove({ module, id }) {
      // That it is gone is what was asked for.
      await api.call(
        { method: "DELETE", path: paths.record(module, id), object: metricName[module] },
        true,
        isNoRecord,
      );
    },
    async role(deal, contact, there) {
      const request = { path: paths.role(deal, contact), object: "association" } as const;
      if (there) await api.call({ ...request, method: "PUT", body: { data: [{}] } }, true, isDuplicate);
      else await api.call({ ...request, method: "DELETE" }, true, isNoRecord);
    },
  };
}

function changed(account: Account, answer: WireResponse): Refused {
  account.forget();
  return new Refused({ kind: "retryable", reason: `${reasonOf(answer)}; asking again which fields there are` });
}

/** The first one made wins, so that every reader of a doubled record agrees. Ids are decimal, longer than a double is exact. */
function byAge(records: readonly ZohoRecord[]): ZohoRecord[] {
  return records.toSorted((a, b) => a.id.length - b.id.length || (a.id < b.id ? -1 : 1));
}

/** By what a record that is in the way would be the step's own: our key, or what a search for it goes by. */
export interface Own {
  readonly key: string;
  readonly fields: readonly string[];
  isKnown(record: ZohoRecord): boolean;
}

const same = (duplicate: WireResponse): string => duplicateField(duplicate) || "value in a unique field";

/**
 * The record that Zoho says is in the way, read to be sure that it is the one meant: a customer may have made any field unique, and whoever
 * has the same phone is somebody else. One in the recycle bin holds its key, and no other can be made: a person has to restore it, or delete
 * it for good.
 */
export async function adopted(
  module: ModuleName,
  duplicate: WireResponse,
  own: Own,
  { records, account }: { readonly records: Records; readonly account: Account },
): Promise<(Place & { readonly ours: boolean }) | undefined> {
  const named = duplicateOf(duplicate);
  if (named === undefined) return undefined;
  const of = modules.find((one) => one === named.module) ?? module;
  const there = await account.look(of);
  const place = { module: of, id: named.id };
  const fields = [ownFields.key, ...own.fields].filter((name) => there.has(name));
  const record = await records.get(place, fields);
  if (record === undefined)
    throw permanent(
      `Zoho says that ${of} ${named.id} has the same ${same(duplicate)}, and it cannot be read: restore it from the recycle bin, or delete it there`,
    );
  const ours = textIn(record, ownFields.key) === own.key;
  if (ours || own.isKnown(record)) return { ...place, ours };
  throw permanent(`another record has the same ${same(duplicate)}: ${of} ${named.id}`);
}

/** Zoho says that there is one, does not name it, and none of ours can be read: an index may lag behind in its own fields only. */
export function unreadable(duplicate: WireResponse, own: Own): Refused {
  const field = duplicateField(duplicate);
  if (field !== "" && field !== ownFields.key && !own.fields.includes(field))
    return permanent(`another record has the same ${field}`);
  const reason = `${reasonOf(duplicate)}; but no record with this key can be read`;
  return new Refused({ kind: "ambiguous", reason });
}
