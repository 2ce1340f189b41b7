/** Which tenants' stores do not answer at present: they are left alone for a while, and whose fault a failure is can be told. */
import type { Clock, Log, Metrics, Random } from "../model/ports.ts";
import { retryDelayMs } from "./backoff.ts";
import { asError } from "./faults.ts";

export interface StoreTrouble {
  /** Those of them whose store may be asked. */
  open(tenants: readonly string[]): readonly string[];
  /** The earliest time at which one may be asked again; null where all may be. */
  nextAt(): number | null;
  succeeded(tenant: string): void;
  /**
   * When to come back; and whether it is the fault of this one: its store has taken others since it failed last. A store that is down is nobody's
   * fault.
   */
  failed(tenant: string, one: string, error: unknown): { readonly dueAt: number; readonly blameless: boolean };
}

const firstRetryMs = 5_000;
/** Files should not wait much longer than their store was away. */
const longestMs = 10 * 60_000;
const mostRemembered = 10_000;

interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

export function openStoreTrouble(operation: "put" | "open" | "delete", ports: Ports): StoreTrouble {
  const { clock, random, log, metrics } = ports;
  const troubles = new Map<string, { tries: number; until: number }>();
  const successes = new Map<string, number>();
  /** What its store had taken when it failed last. */
  const failures = new Map<string, number>();

  return {
    open(tenants) {
      const now = clock.now();
      return tenants.filter((tenant) => (troubles.get(tenant)?.until ?? now) <= now);
    },
    nextAt() {
      const now = clock.now();
      const waiting = [...troubles.values()].flatMap(({ until }) => (until > now ? [until] : []));
      return waiting.length === 0 ? null : Math.min(...waiting);
    },
    succeeded(tenant) {
      if (troubles.delete(tenant)) log.info({ tenant }, "the store of a tenant answers again");
      successes.set(tenant, (successes.get(tenant) ?? 0) + 1);
    },
    failed(tenant, one, error) {
      metrics.count("attachment_store_failures_total", { operation });
      const taken = successes.get(tenant) ?? 0;
      const before = failures.get(one);
      if (failures.size >= mostRemembered) failures.clear();
      failures.set(one, taken);
      const tries = (troubles.get(tenant)?.tries ?? 0) + 1;
      const dueAt = clock.now() + Math.min(longestMs, retryDelayMs(tries, random.unit(), firstRetryMs));
      troubles.set(tenant, { tries, until: dueAt });
      log.warn(
        { tenant, attempt: tries, err: asError(error) },
        `a store failed to ${operation} a file; files wait for it`,
      );
      return { dueAt, blameless: before === undefined || taken === before };
    },
  };
}
