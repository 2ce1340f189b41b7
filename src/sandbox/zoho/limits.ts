/** Zoho's two limits: credits of the organisation in a rolling day, and calls in flight at once. */
import type { Clock } from "../../model/ports.ts";
import type { ZohoSandboxOptions } from "./options.ts";
import { Refusal, rowError } from "./reply.ts";

export interface RateLimits {
  /** Takes the credits of a call, or refuses it. */
  spend(credits: number): void;
  /** A call begins; refused where too many are in flight. Call what is answered when it is over. */
  enter(): () => void;
  /** Credits spent since the beginning, whatever the limit. */
  readonly spent: number;
}

const dayMs = 86_400_000;
const never = (): void => undefined;

export function openLimits({ limits }: ZohoSandboxOptions, clock: Pick<Clock, "now">): RateLimits {
  const window: { at: number; credits: number }[] = [];
  let inWindow = 0;
  let spent = 0;
  let flying = 0;

  return {
    spend(credits) {
      if (limits !== "off") {
        const now = clock.now();
        while (window[0] !== undefined && window[0].at <= now - dayMs) inWindow -= window.shift()?.credits ?? 0;
        if (inWindow + credits > limits.credits) {
          const error = rowError("LIMIT_EXCEEDED", "API credits limit exceeded for the last 24 hours");
          throw new Refusal(429, error);
        }
        window.push({ at: now, credits });
        inWindow += credits;
      }
      spent += credits;
    },
    enter() {
      if (limits === "off") return never;
      if (flying >= limits.concurrent) {
        const error = rowError("TOO_MANY_REQUESTS", "You have crossed the limit of concurrent API calls", {
          limit: limits.concurrent,
        });
        throw new Refusal(429, error);
      }
      flying++;
      return () => {
        flying--;
      };
    },
    get spent() {
      return spent;
    },
  };
}
