/** Finds work that nobody does any more: the ledger holds it for a tenant or a destination that has left the configuration. */
import type { Ledger } from "../model/ledger.ts";
import type { Settings } from "../settings/index.ts";
import { laneId } from "./plans.ts";

export interface Stranded {
  /** `tenant/destination`, or the tenant whose mail waits for its parse. */
  readonly of: string;
  readonly kind: "deliveries" | "messages";
  readonly waiting: number;
  /** There are more than were counted. */
  readonly more: boolean;
}

const mostCounted = 1_000;

/** What waits and is in nobody's queue. A tenant is known by its lanes, which stay in the ledger. */
export async function strandedWork(
  ledger: Pick<Ledger, "lanes" | "find">,
  { tenants }: Pick<Settings, "tenants">,
): Promise<Stranded[]> {
  const lanes = new Set(tenants.flatMap(({ id, destinations }) => destinations.map((each) => laneId(id, each.id))));
  const present = new Set(tenants.map(({ id }) => id));
  const known = await ledger.lanes();
  const stranded: Stranded[] = known
    .filter(({ lane, pending }) => pending > 0 && !lanes.has(lane))
    .map(({ lane, pending }) => ({ of: lane, kind: "deliveries", waiting: pending, more: false }));
  for (const tenant of new Set(known.map((lane) => lane.tenant))) {
    if (present.has(tenant)) continue;
    const rows = await ledger.find({ tenant, state: "received", limit: mostCounted });
    const more = rows.length === mostCounted;
    if (rows.length > 0) stranded.push({ of: tenant, kind: "messages", waiting: rows.length, more });
  }
  return stranded;
}
