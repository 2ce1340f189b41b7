/** What the configuration says of each tenant's plans and lanes, before any of them is opened. */
import { type BoundDestination, destinations } from "../destinations/index.ts";
import { compilePeople, noLists } from "../mail/people.ts";
import { compileMapping } from "../mapping/rules/compile.ts";
import type { LinkOf } from "../model/links.ts";
import type { TenantPlan } from "../pipeline/enrich.ts";
import type { DestinationEntry, Settings } from "../settings/index.ts";
import type { Versions } from "./mappings.ts";
import { peopleFor } from "./people.ts";

export const laneId = (tenant: string, destination: string): string => `${tenant}/${destination}`;

/** What is known beside the settings. */
export interface PlanPorts {
  /** What signs links to files (Ground.links); left out where nobody can reach us. */
  readonly linkOf?: LinkOf | undefined;
  /** The numbers of the tenants' mapping files in the ledger, each with those of its `else`. */
  readonly versions?: ReadonlyMap<string, Versions>;
}

export function tenantPlans(settings: Settings, { linkOf, versions }: PlanPorts = {}): TenantPlan[] {
  const people = peopleFor(settings);
  return settings.tenants.map((tenant) => ({
    tenant: tenant.id,
    mapping: {
      createContact: tenant.trust.create_contact,
      internal: tenant.people.internal,
      disposableContacts: tenant.people.disposable_contacts,
      ...(tenant.mapping === undefined
        ? {}
        : {
            rules: compileMapping(tenant.mapping.file, versions?.get(tenant.id)),
            version: versions?.get(tenant.id)?.[0],
          }),
      ...(linkOf === undefined ? {} : { linkOf }),
    },
    people: people.get(tenant.id) ?? compilePeople(noLists, () => false),
    threads: tenant.threads,
    arcSealers: tenant.trust.arc_sealers,
    lanes: tenant.destinations.map(({ id }) => laneId(tenant.id, id)),
    unmovable: new Set(
      tenant.destinations.filter((entry) => !bind(entry).facts.can.moveActivity).map(({ id }) => laneId(tenant.id, id)),
    ),
  }));
}

export function bind({ type, settings }: DestinationEntry): BoundDestination {
  const found = destinations.find(({ name }) => name === type);
  if (found === undefined)
    throw new TypeError(`the configuration was checked, and yet there is no destination type ${type}`);
  return found.bind(settings);
}
