/** Reading and writing records: up to 100 rows a call, each with a result of its own, in their order. */
import type { Clock } from "../../model/ports.ts";
import type { Mails } from "./emails.ts";
import type { ZohoSandboxOptions } from "./options.ts";
import { empty, fieldsOf, invalidId, ok, type Reply, RowRefusal, refused, rowError } from "./reply.ts";
import type { ModuleName, Schema } from "./schema.ts";
import type { Store, Value, ZohoRecord } from "./store.ts";

export interface World {
  readonly store: Store;
  readonly schema: Schema;
  readonly mails: Mails;
  readonly options: ZohoSandboxOptions;
  readonly clock: Pick<Clock, "now">;
}

const mostRows = 100;
const perPage = 200;

/** As Zoho writes times: with an offset. */
export const timeOf = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}+00:00`;

export function shownValue({ store, options }: World, value: Value | undefined): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return value;
  for (const module of ["Accounts", "Contacts"] as const) {
    const found = store.get(module, value.id);
    if (found === undefined) continue;
    const { Account_Name: account, First_Name: first, Last_Name: last } = found.values;
    return { id: value.id, name: module === "Accounts" ? account : [first, last].filter(Boolean).join(" ") };
  }
  return { id: value.id, name: options.users.find(({ id }) => id === value.id)?.name ?? "" };
}

/** Only what was asked for, and the id. */
export function shown(world: World, record: ZohoRecord, names: readonly string[], values = record.values): object {
  const picked: Record<string, unknown> = { id: record.id };
  for (const name of names) {
    if (name === "Created_Time") picked[name] = timeOf(record.createdAt);
    else if (name === "Modified_Time") picked[name] = timeOf(record.modifiedAt);
    else if (world.schema.field(record.module, name) !== undefined) picked[name] = shownValue(world, values[name]);
  }
  if (record.module === "Leads") picked.$converted = record.converted;
  return picked;
}

export const namesIn = (query: URLSearchParams): string[] =>
  (query.get("fields") ?? "").split(",").filter((name) => name !== "" && name !== "id");

/** The rows of a page, with `info`; 204 where there are none. */
export function page(rows: readonly object[], query: URLSearchParams): Reply {
  const size = Math.min(Number(query.get("per_page") ?? perPage) || perPage, perPage);
  const at = Math.max(1, Number(query.get("page") ?? 1) || 1);
  const data = rows.slice((at - 1) * size, at * size);
  if (data.length === 0) return empty();
  return ok(200, {
    data,
    info: { per_page: size, count: data.length, page: at, more_records: rows.length > at * size },
  });
}

export function getOne(world: World, module: ModuleName, id: string, query: URLSearchParams): Reply {
  const record = world.store.live(module, id);
  if (record === undefined) throw invalidId();
  const asked = namesIn(query);
  const names = asked.length === 0 ? world.schema.list(module).map(({ api_name }) => api_name) : asked;
  return ok(200, { data: [shown(world, record, names)] });
}

export function listSome(world: World, module: ModuleName, query: URLSearchParams): Reply {
  if (query.get("fields") === null)
    throw refused(400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", { param_name: "fields" });
  const live = [...world.store.all(module)].filter(({ deletedAt }) => deletedAt === undefined).reverse();
  return page(
    live.map((record) => shown(world, record, namesIn(query))),
    query,
  );
}

export function listDeleted({ store }: World, module: ModuleName, query: URLSearchParams): Reply {
  const gone = [...store.all(module)].filter(({ deletedAt }) => deletedAt !== undefined);
  gone.sort((a, b) => (b.deletedAt ?? 0) - (a.deletedAt ?? 0));
  const rows = gone.map(({ id, deletedAt }) => ({
    id,
    type: "recycle",
    display_name: "",
    deleted_time: timeOf(deletedAt ?? 0),
  }));
  return page(rows, query);
}

function rowsOf(body: unknown): Readonly<Record<string, unknown>>[] {
  const { data } = fieldsOf(body);
  if (!Array.isArray(data) || data.length === 0)
    throw refused(400, "MANDATORY_NOT_FOUND", "required field not found", { api_name: "data", json_path: "$.data" });
  if (data.length > mostRows)
    throw refused(400, "INVALID_DATA", "invalid data", {
      maximum_length: mostRows,
      api_name: "data",
      json_path: "$.data",
    });
  return data.map(fieldsOf);
}

function done(record: ZohoRecord, message: string, more: object = {}): object {
  const times = { Created_Time: timeOf(record.createdAt), Modified_Time: timeOf(record.modifiedAt) };
  return { code: "SUCCESS", details: { id: record.id, ...times }, message, status: "success", ...more };
}

/** A row's refusal is its own; whatever else is thrown is the call's. */
function each(
  rows: readonly Readonly<Record<string, unknown>>[],
  work: (row: Readonly<Record<string, unknown>>, at: number) => object,
) {
  let refusedRows = 0;
  const data = rows.map((row, at) => {
    try {
      return work(row, at);
    } catch (error) {
      if (!(error instanceof RowRefusal)) throw error;
      refusedRows++;
      return error.error;
    }
  });
  return { data, refusedRows };
}

export function createSome(world: World, module: ModuleName, body: unknown): Reply {
  const { data, refusedRows } = each(rowsOf(body), (row, at) => {
    const record = world.store.create(module, row, at);
    if (fieldsOf(body).trigger === undefined) world.store.workflows.push(`${module} ${record.id} created`);
    return done(record, "record added");
  });
  return ok(refusedRows === 0 ? 201 : refusedRows < data.length ? 207 : world.options.refusedStatus, { data });
}

export function updateSome(world: World, module: ModuleName, body: unknown, id?: string): Reply {
  const { data, refusedRows } = each(rowsOf(body), (row, at) => {
    const record = world.store.live(module, id ?? String(row.id));
    if (record === undefined)
      throw new RowRefusal(rowError("INVALID_DATA", "the id given seems to be invalid", { api_name: "id" }));
    world.store.update(record, row, at);
    return done(record, "record updated");
  });
  return ok(refusedRows === 0 ? 200 : refusedRows < data.length ? 207 : world.options.refusedStatus, { data });
}

const systemChecks: Readonly<Record<ModuleName, string>> = {
  Contacts: "Email",
  Leads: "Email",
  Accounts: "Account_Name",
  Deals: "Deal_Name",
};

/** Overwrites what is there: by the fields listed, then by all others that are unique. A system field counts only where it is listed, or none is. */
export function upsertSome(world: World, module: ModuleName, body: unknown): Reply {
  const listed = fieldsOf(body).duplicate_check_fields;
  const named = Array.isArray(listed) ? listed.map(String) : [systemChecks[module]];
  for (const name of named) {
    const isCheck = name === systemChecks[module] || world.schema.field(module, name)?.unique === true;
    if (!isCheck) throw refused(400, "INVALID_DATA", "invalid data", { api_name: "duplicate_check_fields" });
  }
  const others = world.schema.list(module).flatMap(({ api_name, unique }) => (unique ? [api_name] : []));
  const { data, refusedRows } = each(rowsOf(body), (row, at) => {
    for (const name of [...named, ...others]) {
      const value = row[name];
      const found = typeof value === "string" && value !== "" ? world.store.holder(module, name, value) : undefined;
      if (found === undefined) continue;
      world.store.update(found, row, at);
      return done(found, "record updated", { action: "update", duplicate_field: name });
    }
    return done(world.store.create(module, row, at), "record added", {
      action: "insert",
      duplicate_field: null,
    });
  });
  return ok(refusedRows === 0 ? 200 : refusedRows < data.length ? 207 : world.options.refusedStatus, { data });
}

export function removeOne({ store }: World, module: ModuleName, id: string): Reply {
  const record = store.live(module, id);
  if (record === undefined) throw refused(400, "INVALID_DATA", "invalid record id", { resource_path_index: 1 });
  store.remove(record);
  return ok(200, { data: [{ code: "SUCCESS", details: { id }, message: "record deleted", status: "success" }] });
}
