/** Which tenants' stores do not answer at present: they are left alone for a while, and whose fault a failure is can be told. */
import type { Clock, Log, Metrics, Random } from "../model/ports.ts";
import { retryDelayMs } from "./backoff.ts";
import { asError } from "./faults.ts";

/** `store`: what references into it begin with; empty for the one that the tenant's files are put into. */
export interface Place {
  readonly tenant: string;
  readonly store: string;
}

/** A tenant may have several: one that files are put into, and those that were configured before. */
export const placeOf = (tenant: string, ref: string): Place => ({ tenant, store: ref.slice(0, ref.indexOf("/") + 1) });

export interface StoreTrouble {
  mayAsk(place: Place): boolean;
  /** Those that are not to be asked now. */
  away(): readonly Place[];
  /** The earliest time at which one may be asked again; null where all may be. */
  nextAt(): number | null;
  succeeded(place: Place): void;
  /**
   * When to come back; and whether it is the fault of this one: its store has taken others since it failed last. A store that is down is nobody's
   * fault.
   */
  failed(place: Place, one: string, error: unknown): { readonly dueAt: number; readonly blameless: boolean };
}

const firstRetryMs = 5_000;
/** Files should not wait much longer than their store was away. */
const longestMs = 10 * 60_000;
const mostRemembered = 10_000;

type Trouble = Place & { readonly tries: number; readonly since: number; readonly until: number };

interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

export function openStoreTrouble(operation: "put" | "open" | "delete", ports: Ports): StoreTrouble {
  const { clock, random, log, metrics } = ports;
  const troubles = new Map<string, Trouble>();
  const successes = new Map<string, number>();
  /** What its store had taken when it failed last. */
  const failures = new Map<string, number>();
  const keyOf = ({ tenant, store }: Place): string => `${tenant}\0${store}`;
  // Under a clock set back to before it failed, the time to come back is worth nothing.
  const waits = ({ since, until }: Trouble, now: number): boolean => now >= since && now < until;
  const waiting = () => {
    const now = clock.now();
    return [...troubles.values()].filter((trouble) => waits(trouble, now));
  };

  return {
    mayAsk(place) {
      const trouble = troubles.get(keyOf(place));
      return trouble === undefined || !waits(trouble, clock.now());
    },
    away: () => waiting().map(({ tenant, store }) => ({ tenant, store })),
    nextAt() {
      const times = waiting().map(({ until }) => until);
      return times.length === 0 ? null : Math.min(...times);
    },
    succeeded(place) {
      const key = keyOf(place);
      if (troubles.delete(key)) log.info({ ...place }, "the store of a tenant answers again");
      successes.set(key, (successes.get(key) ?? 0) + 1);
    },
    failed(place, one, error) {
      metrics.count("attachment_store_failures_total", { operation });
      const key = keyOf(place);
      const name = `${key}\0${one}`;
      const taken = successes.get(key) ?? 0;
      const before = failures.get(name);
      if (failures.size >= mostRemembered) failures.clear();
      failures.set(name, taken);
      const tries = (troubles.get(key)?.tries ?? 0) + 1;
      const now = clock.now();
      const dueAt = now + Math.min(longestMs, retryDelayMs(tries, random.unit(), firstRetryMs));
      troubles.set(key, { ...place, tries, since: now, until: dueAt });
      log.warn(
        { ...place, attempt: tries, err: asError(error) },
        `a store failed to ${operation} a file; files wait for it`,
      );
      return { dueAt, blameless: before === undefined || taken === before };
    },
  };
}
