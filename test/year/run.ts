/** A year of mail through the whole road, to the built-in CRM, a vendor's sandbox, or both at once; time is the story's. */
import type { Compared } from "./compare.ts";
import { compareAll, look, openStage, policyOf, type StageOptions, takeYear } from "./stage.ts";
import { truthOf } from "./truth.ts";

export interface YearRun {
  readonly mails: number;
  readonly lanes: readonly ({ readonly lane: string } & Compared)[];
  /** At the vendor's sandbox, by route. */
  readonly calls: ReadonlyMap<string, number>;
  readonly ms: number;
  readonly peakRssBytes: number;
  /** What the daemon's log says that is worse than information. */
  readonly complaints: readonly string[];
}

export async function runYear(options: StageOptions): Promise<YearRun> {
  const policy = policyOf(options.mapping);
  const began = performance.now();
  const stage = await openStage(options);
  try {
    const memory = watchMemory();
    try {
      await takeYear(stage, options);
    } finally {
      memory.end();
    }
    const truth = truthOf(stage.year, policy);
    return {
      mails: stage.year.mails.length,
      lanes: compareAll(stage, truth, await look(stage)),
      calls: stage.calls,
      ms: performance.now() - began,
      peakRssBytes: memory.peak(),
      complaints: stage.complaints,
    };
  } finally {
    await stage.close();
  }
}

function watchMemory(): { peak(): number; end(): void } {
  let most = process.memoryUsage.rss();
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 500);
  timer.unref();
  return {
    peak: () => most,
    end: () => clearInterval(timer),
  };
}
