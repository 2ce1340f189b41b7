/** Asks CRMs what they hold already of a plan: reads only, in the order of the plan, as a lane does before it writes. */
import type { OpenLane } from "../main.ts";
import type { KnownRef } from "../model/destination.ts";
import { recordKinds } from "../model/runs.ts";
import type { Step } from "../model/step.ts";
import { sentenceOf } from "./exit.ts";

/** `found`, `absent`: what the CRM said now. `failed`: it could not be asked. */
export type Live =
  | { readonly live: "found"; readonly ref: string }
  | { readonly live: "absent" }
  | { readonly live: "failed"; readonly problem: string };

/** Of steps in their order, with the ids that the ledger remembers: those are not asked about, as the lane would not. */
export type AskLive = (
  lane: string,
  steps: readonly Step[],
  remembered: readonly (string | null)[],
) => Promise<readonly (Live | undefined)[]>;

export function askLive(lanes: readonly OpenLane[]): AskLive {
  return async (name, steps, remembered) => {
    const session = lanes.find(({ settings }) => settings.lane === name)?.session;
    const refs = new Map<string, KnownRef>();
    const found: (Live | undefined)[] = [];
    for (const [index, step] of steps.entries()) {
      const known = remembered[index] ?? null;
      if (known !== null) refs.set(step.key, { kind: step.kind, id: known });
      if (known !== null || session === undefined || !recordKinds.has(step.kind)) found.push(undefined);
      else {
        const live = await asked(session, step, refs);
        if (live.live === "found") refs.set(step.key, { kind: step.kind, id: live.ref });
        found.push(live);
      }
    }
    return found;
  };
}

async function asked(session: OpenLane["session"], step: Step, refs: ReadonlyMap<string, KnownRef>): Promise<Live> {
  try {
    const ref = await session.find(step, refs);
    return ref === undefined ? { live: "absent" } : { live: "found", ref: ref.id };
  } catch (error) {
    return { live: "failed", problem: sentenceOf(error) };
  }
}
