/** Plans as they were before they were sealed, for the lane that comes for them: most are delivered within a second of being made. */
import type { Step } from "../model/step.ts";

export interface Ahead {
  keep(sealed: Uint8Array, steps: readonly Step[]): void;
  /** The plan that was sealed to exactly these bytes; undefined when it is not at hand (any more). Once. */
  take(sealed: Uint8Array): readonly Step[] | undefined;
}

interface Kept {
  readonly sealed: Uint8Array;
  readonly steps: readonly Step[];
  readonly chars: number;
}

/** Some 16 MiB of text at most. Of a lane that is behind by more, nothing is at hand and everything is in the ledger. */
const mostChars = 8 * 1024 * 1024;
const mostPlans = 512;

/** Every value is sealed with a key of its own, whose wrapping stands in front: these bytes are never those of another. */
const nameOf = (sealed: Uint8Array): string =>
  Buffer.from(sealed.buffer, sealed.byteOffset, Math.min(sealed.length, namedBytes)).toString("latin1");
const namedBytes = 64;

/** A mail may list thousands of files, each with its names and its link. */
const charsOfFile = 500;
function charsOf(step: Step): number {
  if (step.kind === "file") return step.files.length * charsOfFile;
  if (step.kind !== "activity") return 0;
  return step.text.length + (step.html?.length ?? 0) + step.attachments.length * charsOfFile;
}

export function openAhead(
  most: { readonly chars: number; readonly plans: number } = { chars: mostChars, plans: mostPlans },
): Ahead {
  const plans = new Map<string, Kept>();
  let chars = 0;

  function drop(name: string, kept: Kept): void {
    plans.delete(name);
    chars -= kept.chars;
  }

  return {
    keep(sealed, steps) {
      const name = nameOf(sealed);
      const before = plans.get(name);
      if (before !== undefined) drop(name, before);
      const kept = { sealed, steps, chars: steps.reduce((sum, step) => sum + charsOf(step), 0) };
      plans.set(name, kept);
      chars += kept.chars;
      for (const [first, oldest] of plans) {
        if (plans.size <= most.plans && chars <= most.chars) break;
        drop(first, oldest);
      }
    },
    take(sealed) {
      const name = nameOf(sealed);
      const kept = plans.get(name);
      if (kept === undefined || Buffer.compare(kept.sealed, sealed) !== 0) return undefined;
      drop(name, kept);
      return kept.steps;
    },
  };
}
