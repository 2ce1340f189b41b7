/** HubSpot's CRM API as typed calls: paths, the one version constant, association types, and what is read out of its answers. */
import { z } from "zod";
import type { Clock, Metrics } from "../../model/ports.ts";
import type { Wire, WireRequest, WireResponse } from "../../model/wire.ts";
import { openCalls, shapedAs } from "../shared/calls.ts";
import { classify, isUnclassified } from "./classify.ts";

/**
 * Date-based versions live 18 months. Checked 2026-11-24.
 * https://developers.hubspot.com/docs/developer-tooling/platform/versioning
 */
export const apiVersion = "2026-03";

/** Plural names, as HubSpot's paths have them. */
export type ObjectName = "contacts" | "companies" | "deals" | "emails";

/** What calls are counted under. */
const metricNames: Readonly<Record<ObjectName, string>> = {
  contacts: "contact",
  companies: "company",
  deals: "deal",
  emails: "email",
};
export const metricName = (object: ObjectName): string => metricNames[object];

/** Paths of the pinned version; every value from outside is percent-encoded here. */
export const paths = {
  objects: (object: ObjectName) => `/crm/objects/${apiVersion}/${object}`,
  object: (object: ObjectName, id: string, query: Readonly<Record<string, string>> = {}) =>
    `/crm/objects/${apiVersion}/${object}/${encodeURIComponent(id)}${queryOf(query)}`,
  batchRead: (object: ObjectName) => `/crm/objects/${apiVersion}/${object}/batch/read`,
  search: (object: ObjectName) => `/crm/objects/${apiVersion}/${object}/search`,
  associations: (from: ObjectName, id: string, to: ObjectName, after: string | undefined) =>
    `/crm/objects/${apiVersion}/${from}/${encodeURIComponent(id)}/associations/${to}${queryOf({ limit: "500", ...(after === undefined ? {} : { after }) })}`,
  defaultAssociation: (from: ObjectName, id: string, to: ObjectName, toId: string) =>
    `/crm/objects/${apiVersion}/${from}/${encodeURIComponent(id)}/associations/default/${to}/${encodeURIComponent(toId)}`,
  association: (from: ObjectName, id: string, to: ObjectName, toId: string) =>
    `/crm/objects/${apiVersion}/${from}/${encodeURIComponent(id)}/associations/${to}/${encodeURIComponent(toId)}`,
  property: (object: ObjectName, name: string) => `/crm/properties/${apiVersion}/${object}/${encodeURIComponent(name)}`,
  properties: (object: ObjectName) => `/crm/properties/${apiVersion}/${object}`,
  propertyGroups: (object: ObjectName) => `/crm/properties/${apiVersion}/${object}/groups`,
  owners: (email: string) => `/crm/owners/${apiVersion}${queryOf({ email, limit: "100" })}`,
  pipelines: `/crm/pipelines/${apiVersion}/deals`,
  account: `/account-info/${apiVersion}/details`,
} as const;

function queryOf(query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

/**
 * Association type ids are directional: the first name is the record whose body carries them.
 * https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide
 */
const associationTypes: Partial<Record<ObjectName, Partial<Record<ObjectName, number>>>> = {
  emails: { contacts: 198, companies: 186, deals: 210 },
  deals: { contacts: 3, companies: 341 },
  contacts: { companies: 279, deals: 4 },
};

export interface Association {
  readonly to: { readonly id: string };
  readonly types: { readonly associationCategory: "HUBSPOT_DEFINED"; readonly associationTypeId: number }[];
}

/** Undefined where HubSpot has no such association. */
export function associationTo(from: ObjectName, to: ObjectName, id: string): Association | undefined {
  const associationTypeId = associationTypes[from]?.[to];
  if (associationTypeId === undefined) return undefined;
  return { to: { id }, types: [{ associationCategory: "HUBSPOT_DEFINED", associationTypeId }] };
}

const text = z.union([z.string(), z.number()]).transform(String);
/** HubSpot's are decimal. They become part of paths and of pages' addresses: what is no plain word is nobody's id. */
const id = text.pipe(z.string().regex(/^[\w-]{1,64}$/));

/** A record as HubSpot answers it. Values are strings whatever the property's type. */
export const recordSchema = z.object({
  id,
  properties: z
    .record(
      z.string(),
      z.union([z.string(), z.number(), z.boolean(), z.null()]).transform((v) => (v === null ? null : String(v))),
    )
    .catch({}),
  archived: z.boolean().optional().catch(undefined),
  createdAt: z.string().optional().catch(undefined),
});
export type HubspotRecord = z.infer<typeof recordSchema>;
export const recordsSchema = z.object({ results: z.array(recordSchema) });
export const associatedSchema = z.object({
  results: z.array(z.object({ toObjectId: id })),
  paging: z.object({ next: z.object({ after: text }).optional() }).nullish(),
});
export const propertySchema = z.object({
  name: z.string(),
  hasUniqueValue: z.boolean().optional(),
  options: z
    .array(z.object({ value: text }))
    .optional()
    .catch(undefined),
  modificationMetadata: z.object({ readOnlyValue: z.boolean().optional() }).optional(),
});
export const accountSchema = z.object({
  portalId: id,
  timeZone: z.string().optional(),
  uiDomain: z.string().optional(),
});

export interface ApiPorts {
  readonly wire: Wire;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

export interface Api {
  /** The account's time zone once it is known: a daily limit ends at its midnight. */
  timeZone: string | undefined;
  /** An answer that is no failure by `classify`: a success, a conflict, or a 404 on a read. Refused otherwise. */
  call(request: WireRequest, write: boolean, expected?: (answer: WireResponse) => boolean): Promise<WireResponse>;
}

export function openApi({ wire, clock, metrics }: ApiPorts): Api {
  const { call } = openCalls({
    vendor: "HubSpot",
    wire,
    clock,
    metrics,
    classify: (answer, write, now) => classify(answer, write, now, api.timeZone),
    isUnclassified,
  });
  const api: Api = { timeZone: undefined, call };
  return api;
}

/** Reads an answer by its schema. A success of another shape may have done its work: ambiguous for a write. */
export const shaped = <T>(schema: z.ZodType<T>, answer: WireResponse, write: boolean): T =>
  shapedAs("HubSpot", schema, answer, write);
