/** Runs seeds one after the other, and says of the first that fails how to run it again. */
import { type Options, type Outcome, simulate } from "./world.ts";

export interface Runs {
  readonly seeds: number;
  readonly failures: readonly Outcome[];
  /** How often each thing happened, over all seeds. */
  readonly coverage: ReadonlyMap<string, number>;
}

export interface RunOptions extends Options {
  readonly from: number;
  readonly count: number;
  /** Called after each seed; false ends the run. */
  readonly progress?: (outcome: Outcome) => boolean;
}

export async function runSeeds({ from, count, progress, ...options }: RunOptions): Promise<Runs> {
  const failures: Outcome[] = [];
  const coverage = new Map<string, number>();
  let seeds = 0;
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await simulate(seed, options);
    seeds++;
    if (outcome.violations.length > 0) failures.push(outcome);
    for (const [what, times] of outcome.coverage) coverage.set(what, (coverage.get(what) ?? 0) + times);
    if (progress?.(outcome) === false) break;
  }
  return { seeds, failures, coverage };
}

export function told({ seed, vendor, violations }: Outcome): string {
  return [
    `${vendor} seed ${seed} (rerun: node scripts/simulate.ts --seed ${seed} --trace --vendor ${vendor})`,
    ...violations.map((line) => `  ${line}`),
  ].join("\n");
}

/** Every turn that the road can take, and has to have taken. */
export const turnsToTake = [
  "accepted_total smtp new",
  "accepted_total smtp duplicate",
  "accepted_total smtp conflict",
  "an unknown outcome was taken up",
  "an unknown call was found to have happened",
  "an unknown call was sent again",
  "a read-back found nothing",
  "dead letter outcome_unknown",
  "dead letter permanent",
  "settled held",
  "a lane was told: until",
  "a lane was told: blocked",
  "a blocked lane was resumed",
  "a vanished record was forgotten",
  "a lease was lost",
  "died before poison",
  "orderly stop",
  "ledger failed before its commit",
  "ledger failed after its commit",
  "the clock leapt ahead",
  "the clock was set back",
  "parse_total failed",
  "file stored",
  "file quarantined",
  "file stripped",
  "scans_total unscanned",
  "attachment_store_failures_total put",
  "attachment_store_failures_total open",
] as const;
