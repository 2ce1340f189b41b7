/** A message that a run plans: from its stored event, under the mapping that was pinned to it. */
import type { CanonicalEvent } from "../model/event.ts";
import type { Attempt, Ledger } from "../model/ledger.ts";
import type { Sealer } from "../model/ports.ts";
import type { RulesOf, TenantPlan } from "./enrich.ts";
import { viaLedger } from "./faults.ts";
import { openEvent } from "./stored.ts";

interface StoredPorts {
  readonly ledger: Pick<Ledger, "find">;
  readonly sealer: Sealer;
}

/** Undefined where there is none, or none that can be read: then its bytes are read, where they are there. Rejects with LedgerFailed. */
export async function storedEvent(
  { eventId }: Pick<Attempt, "eventId">,
  { ledger, sealer }: StoredPorts,
): Promise<CanonicalEvent | undefined> {
  const [row] = await viaLedger(ledger.find({ event: eventId, limit: 1 }));
  return openEvent(row?.sealedEvent, sealer);
}

/** The tenant with the rules of the version that is pinned to a message. Rejects with a sentence where they cannot be had. */
export async function underRules(
  tenant: TenantPlan,
  pinned: number | undefined,
  rulesOf: RulesOf | undefined,
): Promise<TenantPlan> {
  const { mapping, tenant: id } = tenant;
  if (pinned === undefined || pinned === mapping.version) return tenant;
  if (rulesOf === undefined) throw new Error(`nothing can read mapping version ${pinned} here`);
  return { ...tenant, mapping: { ...mapping, rules: await rulesOf(pinned, id), version: pinned } };
}
