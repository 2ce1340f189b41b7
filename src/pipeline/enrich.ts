/** Hops 5 and 6 of the road: what the parse found and what the ledger knows become the event, and the event a decision per lane. */
import { assembleEvent } from "../mail/event.ts";
import { participants } from "../mail/participants.ts";
import { planDecided } from "../mapping/decided.ts";
import { dealKey } from "../mapping/keys.ts";
import { type Mapping, mappingVersion } from "../mapping/plan.ts";
import type { CompiledMapping } from "../mapping/rules/compile.ts";
import { type CanonicalEvent, type ParsedMessage, schemaVersion } from "../model/event.ts";
import type { Attempt, Prepared, PreparedDelivery } from "../model/ledger.ts";
import type { ThreadDeal } from "../model/mappings.ts";
import type { People } from "../model/people.ts";
import type { Sealer } from "../model/ports.ts";
import type { NewReview, Verdict } from "../model/reviews.ts";
import type { Decision } from "../model/step.ts";
import type { ThreadMarks } from "../model/threads.ts";
import type { Ahead } from "./ahead.ts";
import { newFiles } from "./filed.ts";
import { asCopy, type Judgement } from "./judging.ts";
import { rawKey } from "./raw.ts";
import { writeMail, writeSteps } from "./stored.ts";

/** What a tenant wants done with its mail. */
export interface TenantPlan {
  readonly tenant: string;
  readonly mapping: Mapping;
  readonly people: People;
  readonly threads: ThreadMarks;
  /** Domains of forwarders whose ARC seal is believed. */
  readonly arcSealers: readonly string[];
  /** `tenant/destination`, in the order of the configuration. */
  readonly lanes: readonly string[];
  /** Lanes whose CRM cannot give a logged mail to other records. */
  readonly unmovable?: ReadonlySet<string>;
}

/** The mapping file of a number in the ledger, of this tenant, ready to be asked. Rejects with a sentence. */
export type RulesOf = (version: number, tenant: string) => Promise<CompiledMapping>;

export function eventOf(
  attempt: Omit<Attempt, "lease" | "attempts" | "raw" | "sealed" | "preparedBefore" | "verdict">,
  parsed: ParsedMessage,
  { auth, conflict }: Pick<Judgement, "auth" | "conflict">,
  people: People,
): CanonicalEvent {
  const who = participantsOf(parsed, attempt, people);
  return assembleEvent(parsed, { ...attempt, auth, conflict, rawRef: rawKey(attempt), participants: who });
}

/** Who takes part, by the lists of today. A merged message came by the routes of every copy. */
export const participantsOf = (
  parsed: Parameters<typeof participants>[0],
  { envelope, routes }: Pick<Attempt, "envelope" | "routes">,
  people: People,
): CanonicalEvent["participants"] => participants(parsed, { ...envelope, routes: [...routes] }, people);

export interface LaneDecision {
  readonly lane: string;
  readonly decision: Decision;
}

/** `verdict`: what a person said of this message, where one did. `copyOf`: the lanes that have the mail already, by its other way. */
export function decide(
  event: CanonicalEvent,
  digest: string,
  tenant: TenantPlan,
  {
    verdict,
    copyOf = null,
    deal,
  }: { readonly verdict?: Verdict | undefined; readonly deal?: ThreadDeal | undefined } & Partial<
    Pick<Judgement, "copyOf">
  > = {},
): LaneDecision[] {
  return tenant.lanes.map((lane) => {
    const decision = planDecided(event, tenant.mapping, { digest, deal }, verdict);
    return { lane, decision: asCopy(lane, decision, { copyOf }) };
  });
}

/** The deal that this message asks for by itself: the first one of its thread, where none is known. */
function dealAskedFor(
  event: CanonicalEvent,
  digest: string,
  decisions: readonly LaneDecision[],
): ThreadDeal | undefined {
  const own = dealKey(event.tenant, event.message.message_id, digest);
  const steps = decisions.flatMap(({ decision }) => (decision.kind === "steps" ? decision.steps : []));
  const found = steps.find((step) => step.kind === "deal" && step.key === own);
  return found?.kind === "deal" ? { key: found.key, pipeline: found.pipeline, stage: found.stage } : undefined;
}

/** What `ledger.prepare` commits for one message. */
export function preparedOf(
  attempt: Pick<Attempt, "eventId" | "lease" | "digest" | "run">,
  event: CanonicalEvent,
  decisions: readonly LaneDecision[],
  sealer: Sealer,
  now: number,
  {
    lesson,
    reviews,
    version = mappingVersion,
    ahead,
  }: Partial<Pick<Judgement, "lesson">> & {
    readonly reviews?: readonly NewReview[];
    readonly version?: number;
    readonly ahead?: Ahead | undefined;
  } = {},
): Prepared {
  const deal = dealAskedFor(event, attempt.digest, decisions);
  const files = newFiles(event, attempt.digest);
  return {
    eventId: attempt.eventId,
    lease: attempt.lease,
    now,
    sealedEvent: sealer.seal(writeMail(event), `event ${attempt.eventId}`),
    schemaVersion,
    mappingVersion: version,
    parseStatus: event.parse_status,
    threadKey: event.thread.thread_id,
    ...(attempt.run === undefined ? {} : { byRun: attempt.run.id }),
    ...(deal === undefined ? {} : { deal }),
    ...(files.length === 0 ? {} : { files }),
    ...(reviews === undefined ? {} : { reviews }),
    ...(lesson === undefined ? {} : { acquaintance: lesson }),
    deliveries: decisions.map(({ lane, decision }): PreparedDelivery => {
      if (decision.kind !== "steps") return { lane, decision };
      const { rule } = decision;
      const steps = decision.steps.map(({ kind, key, why }) => ({ kind, key, why }));
      const sealedSteps = sealer.seal(writeSteps(decision.steps, event), `steps ${attempt.eventId}`);
      ahead?.keep(sealedSteps, decision.steps);
      return { lane, decision: { kind: "steps", rule, steps, sealedSteps } };
    }),
  };
}
