/** Keeps a lane's day budget in the ledger, and tells it when old mail has to wait, so that what is left of the day is there for live mail. */
import type { OldMailWaits } from "../model/budget.ts";
import type { ClaimRequest, Claims, Ledger } from "../model/ledger.ts";
import type { Clock, Log, Metrics } from "../model/ports.ts";
import type { Bucket } from "./bucket.ts";
import { asError } from "./faults.ts";

export interface BudgetPorts {
  readonly ledger: Pick<Ledger, "claim" | "laneBudget" | "keepLaneBudget" | "pause">;
  readonly bucket: Bucket;
  readonly clock: Pick<Clock, "now">;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Budget {
  /** As the ledger's, with old mail held back first where what is left is for live mail. `inHand`: with the room that is asked for. */
  claim(request: ClaimRequest, inHand: number): Promise<Claims>;
  /** Nothing is in hand any more. */
  rest(): Promise<void>;
}

interface Of {
  readonly lane: string;
  readonly tenant: string;
  readonly destination: string;
}

export function openBudget(
  { lane, tenant, destination }: Of,
  { ledger, bucket, clock, log, metrics }: BudgetPorts,
): Budget {
  const { day } = bucket;
  const labels = { tenant, crm: destination };
  let isRestored = false;
  /** As the ledger has it; undefined before it was told. */
  let told: OldMailWaits | null | undefined;

  async function hold(waits: OldMailWaits | null): Promise<void> {
    // Each look may name a later time: the ledger needs another only when the one that it has is over.
    const isTold = waits === null ? told === null : told != null && told.until > clock.now();
    if (isTold) return;
    await ledger.pause({ lane, kind: "old_mail", waits });
    if (waits !== null && told == null) log.warn({ lane, reason: waits.reason }, "old mail waits; live mail goes on");
    if (waits === null && told != null) log.info({ lane }, "old mail goes on");
    told = waits;
  }

  /** Without it a kill would forget a few calls, which the vendor counts too: no reason to leave work undone that is in hand. */
  async function keep(budget: string | undefined): Promise<void> {
    if (budget === undefined) return;
    try {
      await ledger.keepLaneBudget({ lane, budget });
    } catch (error) {
      log.warn({ lane, err: asError(error) }, "what the lane has used of its day could not be kept");
    }
  }

  async function look(): Promise<void> {
    // What another vendor's lane of this name may have left ends at its own time.
    if (day === undefined) return;
    if (!isRestored) {
      const kept = await ledger.laneBudget(lane);
      if (kept !== null) day.restore(kept);
      isRestored = true;
    }
    const waits = day.oldMailWaits() ?? null;
    await hold(waits);
    metrics.gauge("lane_old_mail_waits", waits === null ? 0 : 1, labels);
    const standing = day.standing();
    if (standing === undefined) return;
    metrics.gauge("crm_day_budget", standing.most, labels);
    metrics.gauge("crm_day_budget_left", standing.left, labels);
  }

  return {
    async claim(request, inHand) {
      await look();
      const claimed = await ledger.claim(request);
      // Only where calls follow: a lane that finds nothing to do uses nothing of its day, however often it starts.
      if (claimed.claims.length > 0) await keep(day?.toKeep(inHand - request.room + claimed.claims.length));
      return claimed;
    },
    rest: () => keep(day?.atRest()),
  };
}
