/** Companies: a domain is not unique at HubSpot, and HubSpot makes companies by itself, so a look at what is there comes first. */
import type { Refs } from "../../model/destination.ts";
import type { CompanyStep } from "../../model/step.ts";
import { type Api, type HubspotRecord, paths, recordsSchema, shaped } from "./api.ts";
import { oldest, type ReadBack } from "./readback.ts";

/** The contact's own company with this domain, else what search has; search lags behind, and finds nothing that is archived. */
export async function findByDomain(
  step: CompanyStep,
  refs: Refs,
  api: Api,
  readBack: ReadBack,
): Promise<HubspotRecord | undefined> {
  const domain = step.domain.toLowerCase();
  const fits = (record: HubspotRecord) => record.properties.domain?.toLowerCase() === domain;
  for (const ref of refs.values()) {
    if (ref.kind !== "person") continue;
    const own = await readBack.associated({ object: "contacts", id: ref.id }, "companies", ["domain"]);
    const found = oldest(own.filter(fits));
    if (found !== undefined) return found;
  }
  const request = {
    method: "POST",
    path: paths.search("companies"),
    object: "company",
    budget: "search",
    body: domainSearch(domain),
  } as const;
  return oldest(shaped(recordsSchema, await api.call(request, false), false).results.filter(fits));
}

/** All five fields are required in 2026-03, and an empty `query` would change the result. */
export function domainSearch(domain: string) {
  const filter = { propertyName: "domain", operator: "EQ", value: domain } as const;
  return {
    filterGroups: [{ filters: [filter] }],
    properties: ["domain"],
    sorts: [] as string[],
    limit: 100,
    after: "0",
  };
}
