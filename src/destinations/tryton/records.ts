/** Records of one database under the user's own context: searched, made, changed, and read as they are. */
import { z } from "zod";
import type { KnownRef, Ref } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { StepKind } from "../../model/step.ts";
import { permanent } from "../shared/calls.ts";
import type { Account } from "./account.ts";
import { type Api, idSchema, isId, type Model, type Search, type Values } from "./api.ts";

const words = z.string().nullish();
const nothing = z.unknown();

export const partySchema = z.looseObject({
  id: idSchema,
  name: words,
  code: words,
  active: z.boolean().nullish(),
  replaced_by: idSchema.nullish(),
});
export type Party = z.infer<typeof partySchema>;
export const opportunitySchema = z.looseObject({
  id: idSchema,
  reference: words,
  description: words,
  state: z.string(),
  party: idSchema.nullish(),
  contact: idSchema.nullish(),
  "contact.": z.object({ party: idSchema }).nullish(),
  _timestamp: words,
});
export type Opportunity = z.infer<typeof opportunitySchema>;
export const opportunityFields = ["reference", "description", "state", "party", "contact", "contact.party"] as const;
export const noteSchema = z.object({ id: idSchema, message: words, resource: words, _timestamp: words });
export type Note = z.infer<typeof noteSchema>;
export const noteFields = ["message", "resource", "_timestamp"] as const;
export const idRow = z.object({ id: idSchema });

export interface Records {
  search<T>(model: Model, search: Search<T>): Promise<T[]>;
  all<T>(model: Model, search: Search<T>): Promise<T[]>;
  /** By its id, also what is deactivated; undefined where there is none. */
  get<T>(model: Model, id: string, row: z.ZodType<T>, fields: readonly string[]): Promise<T | undefined>;
  /** The id; or Tryton's refusal in its own words, which may be about a key that is taken. */
  tryCreate(model: Model, values: Values): Promise<string | Refused>;
  create(model: Model, values: Values): Promise<string>;
  /** `unchangedSince`: refused as retryable where somebody has changed the record since that `_timestamp`. */
  write(model: Model, id: string, values: Values, unchangedSince?: string): Promise<void>;
  /** A button or another method of records. */
  press(model: Model, method: "cancel" | "delete", id: string): Promise<void>;
  /** With the page of the web client, where the address is the API's own. */
  refOf(id: string, adopted: boolean, more?: Pick<Ref, "note" | "ours">): Ref;
}

const deactivable: readonly Model[] = ["party.party", "party.contact_mechanism"];

export function openRecords(api: Api, account: Account): Records {
  const records: Records = {
    search: async (model, search) => await api.search(model, search, await account.context()),
    all: async (model, search) => await api.all(model, search, await account.context()),
    async get(model, id, row, fields) {
      if (!isId(id)) return undefined;
      const any = deactivable.includes(model) ? [["active", "in", [true, false]]] : [];
      const domain = [["id", "=", Number(id)], ...any];
      return (await records.search(model, { row, domain, fields, limit: 1 }))[0];
    },
    tryCreate: async (model, values) => await api.create(model, values, await account.context()),
    async create(model, values) {
      const made = await records.tryCreate(model, values);
      if (made instanceof Refused) throw made;
      return made;
    },
    async write(model, id, values, unchangedSince) {
      const since = unchangedSince === undefined ? {} : { _timestamp: { [`${model},${id}`]: unchangedSince } };
      const context = { ...(await account.context()), ...since };
      await api.model(model, "write", [[numberOf(id)], values, context], nothing, true);
    },
    async press(model, method, id) {
      await api.model(model, method, [[numberOf(id)], await account.context()], nothing, true);
    },
    refOf: (id, adopted, more = {}) => ({ id, adopted, ...more }),
  };
  return records;
}

/** As a parameter. Refused for what no id of Tryton's looks like: a person may have confirmed a dead letter with anything. */
export function numberOf(id: string): number {
  if (!isId(id)) throw permanent(`${JSON.stringify(id.slice(0, 40))} is no record's number at Tryton`);
  return Number(id);
}

export const isParty = ({ kind }: Pick<KnownRef, "kind">): boolean => kind === "person" || kind === "company";

export function modelOf(kind: StepKind): Model {
  switch (kind) {
    case "person":
    case "company":
      return "party.party";
    case "deal":
      return "sale.opportunity";
    case "activity":
    case "file":
      return "ir.note";
    case "link":
    case "unlink":
    case "archive":
    case "event_copy":
      throw permanent(`a step of kind ${kind} leaves no record at Tryton`);
    default:
      return kind satisfies never;
  }
}

/** As a note names the record that it stands on. */
export const resourceOf = ({ kind, id }: Pick<KnownRef, "kind" | "id">): string => `${modelOf(kind)},${numberOf(id)}`;
