/** Keeps the leases of what a lane works alive, so that a slow turn is not given out again under the hands that work it. */
import type { Claim, Ledger } from "../model/ledger.ts";
import type { Clock, Log } from "../model/ports.ts";
import { asError } from "./faults.ts";

export interface Leases {
  /** Renews the claim's lease for as long as the work goes on. */
  during(claim: Claim, work: () => Promise<void>): Promise<void>;
}

export interface LeasePorts {
  readonly ledger: Pick<Ledger, "renew">;
  readonly clock: Clock;
  readonly log: Log;
}

export function openLeases(lane: string, leaseMs: number, { ledger, clock, log }: LeasePorts): Leases {
  const held = new Set<Claim>();
  let timer: AbortController | undefined;

  async function renewing(signal: AbortSignal): Promise<void> {
    for (;;) {
      // Twice within a lease, so that one failure costs none.
      await clock.sleep(Math.floor(leaseMs / 3), signal);
      if (signal.aborted) return;
      const claims = [...held].map(({ id, lease }) => ({ id, lease }));
      try {
        await ledger.renew(claims, clock.now() + leaseMs);
      } catch (error) {
        log.warn(
          { lane, err: asError(error) },
          "the ledger did not prolong the leases of work under way; asking again",
        );
      }
    }
  }

  return {
    async during(claim, work) {
      held.add(claim);
      if (timer === undefined) {
        timer = new AbortController();
        void renewing(timer.signal);
      }
      try {
        await work();
      } finally {
        held.delete(claim);
        if (held.size === 0) {
          timer.abort();
          timer = undefined;
        }
      }
    },
  };
}
