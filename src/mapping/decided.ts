/** What a person's word about a held message does to its plan: let through, it is planned as if its sender had shown enough; rejected, it goes nowhere. */
import { type CanonicalEvent, type TrustLevel, trustLevels } from "../model/event.ts";
import type { Verdict } from "../model/reviews.ts";
import type { Decision } from "../model/step.ts";
import { type Known, type Mapping, plan } from "./plan.ts";

/** On the activity, so that whoever reads it at the CRM knows. */
export const releasedFlag = "released_by_person";

/** The decision for one lane, with what a person said of the message. */
export function planDecided(event: CanonicalEvent, mapping: Mapping, known: Known, verdict?: Verdict): Decision {
  if (verdict === undefined) return plan(event, mapping, known);
  switch (verdict.kind) {
    case "reject":
      return { kind: "skip", rule: "review.rejected", reason: `rejected in review by ${verdict.by}` };
    case "trust":
      return released(event, plan(asTrusted(event, mapping, verdict), mapping, known), verdict);
    default:
      return verdict.kind satisfies never;
  }
}

/** A person vouches for this one message, and for no more than a sender of unknown trust may do: where that is enough, nothing changes. */
function asTrusted(event: CanonicalEvent, { createContact }: Mapping, { by }: Verdict): CanonicalEvent {
  const { auth } = event;
  if (atLeast(auth.trust, createContact)) return event;
  const reason = `let through in review by ${by}; as found: ${auth.trust}: ${auth.reason}`;
  return { ...event, auth: { ...auth, trust: createContact, reason } };
}

const atLeast = (level: TrustLevel, wanted: TrustLevel): boolean =>
  trustLevels.indexOf(level) >= trustLevels.indexOf(wanted);

function released({ auth }: CanonicalEvent, decision: Decision, { by }: Verdict): Decision {
  if (decision.kind !== "steps") return decision;
  const steps = decision.steps.map((step) => {
    if (step.kind !== "activity" && step.kind !== "person") return step;
    // The flags say what was found, not what was made of it.
    const found = auth.trust === "verified" ? [] : [auth.trust];
    const flags = [...new Set([...found, ...step.flags.filter((flag) => !isLevel(flag)), releasedFlag])];
    if (step.kind === "activity") return { ...step, flags };
    // Whatever kept the contact from being made: somebody has looked at it.
    return { ...step, flags, create: true, gate: null, why: `let through in review by ${by}; ${step.why}` };
  });
  return { ...decision, steps };
}

const isLevel = (flag: string): boolean => (trustLevels as readonly string[]).includes(flag);
