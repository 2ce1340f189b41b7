/** Hop 7 of the road: drains one lane of the ledger through a bounded window. The ledger is the queue; p-queue is only the window. */
import PQueue from "p-queue";
import type { Facts, KnownRef, Session } from "../model/destination.ts";
import type { Claim, ClaimedStep, Forget, Ledger, Settlement, StepNote } from "../model/ledger.ts";
import { type Failure, failureOf } from "../model/outcome.ts";
import type { Clock, Log, Metrics, Random, Sealer } from "../model/ports.ts";
import type { Step } from "../model/step.ts";
import type { Ahead } from "./ahead.ts";
import { attemptsWithin, retryDelayMs } from "./backoff.ts";
import { openBinding } from "./binding.ts";
import type { Bucket } from "./bucket.ts";
import { type BudgetPorts, openBudget } from "./budget.ts";
import { defectIn, failureOfRead, type Turn } from "./ensure.ts";
import { asError, LedgerFailed, viaLedger } from "./faults.ts";
import { openLeases } from "./leases.ts";
import { openLocks } from "./locks.ts";
import { belongsTo } from "./moving.ts";
import { ensureOfRun } from "./run-steps.ts";
import { isSampled } from "./sample.ts";
import { readSteps } from "./stored.ts";
import { startTaking, type Taker } from "./taking.ts";

export interface LaneSettings {
  /** `tenant/destination`. */
  readonly lane: string;
  readonly tenant: string;
  readonly destination: string;
  readonly facts: Facts;
  readonly firstRetryMs: number;
  /** Retries span at least this. */
  readonly retryWindowMs: number;
  /** One in so many delivered mails is drawn for a person to look at; 0 or missing: none. */
  readonly sample?: number;
}

export interface LanePorts {
  readonly ledger: Pick<Ledger, "claim" | "renew" | "bind" | "note" | "settle" | "pause" | "find" | "unclear"> &
    BudgetPorts["ledger"];
  /** Plans of a moment ago. */
  readonly ahead?: Ahead;
  readonly session: Session;
  readonly bucket: Bucket;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Lane extends Taker {
  readonly lane: string;
}

/** Renewed while the work goes on; a claim that a dead process left is freed at the next start, not by waiting. */
const leaseMs = 10 * 60_000;
/** A ledger that fails is asked again after this; nothing is lost meanwhile, it is all in there. */
const ledgerPauseMs = 1_000;
/** Refs of people and deals seen lately, so that a burst of mails from one new sender looks them up once. */
const recentRefs = 1_000;
/** What no other mail asks for. */
const perMail: ReadonlySet<Step["kind"]> = new Set(["activity", "file", "archive"]);

export function startLane(settings: LaneSettings, ports: LanePorts): Lane {
  const { clock, log } = ports;
  const window = new PQueue({ concurrency: settings.facts.width });
  const delivery = openDelivery(settings, ports);
  const leases = openLeases(settings.lane, leaseMs, ports);
  const budget = openBudget(settings, ports);
  let dueAt: number | null = null;
  /** Whether the last plans were at hand: then the next will be, and the ledger need not read their events. */
  let atHand = false;

  async function take(room: number) {
    // Read before the claim: what is claimed from here on belongs to this account, or is found to belong to none.
    const generation = delivery.generation();
    try {
      const request = { lane: settings.lane, room, now: clock.now(), leaseMs, bodies: !atHand };
      const { claims, nextDueAt } = await budget.claim(request, settings.facts.width);
      dueAt = nextDueAt;
      const taken = claims.map((claim) => ({ claim, generation, known: ports.ahead?.take(claim.sealedSteps) }));
      if (taken.length > 0) atHand = taken.every(({ known }) => known !== undefined);
      return taken;
    } catch (error) {
      log.error({ lane: settings.lane, err: asError(error) }, "the ledger gave no work; asking again");
      dueAt = clock.now() + ledgerPauseMs;
      return [];
    }
  }

  const taker = startTaking(clock, {
    width: () => settings.facts.width,
    take,
    dueAt: () => dueAt,
    work: (taken: Taken) => window.add(() => leases.during(taken.claim, () => delivery.deliver(taken))),
  });
  return { lane: settings.lane, ...taker, stop: () => taker.stop().then(budget.rest) };
}

interface Taken {
  readonly claim: Claim;
  readonly generation: number;
  /** Its plan, where that is at hand. */
  readonly known: readonly Step[] | undefined;
}

interface Delivery {
  /** Of the account that is worked now; read before a claim is made. */
  generation(): number;
  deliver(taken: Taken): Promise<void>;
}

/** Works one claim to its settlement. Never rejects: what it cannot settle keeps its lease, and is worked again after it. */
function openDelivery(settings: LaneSettings, ports: LanePorts): Delivery {
  const { clock, ledger, log, metrics, session } = ports;
  const locks = openLocks();
  const recent = new Map<string, string>();
  const binding = openBinding(settings.lane, { ledger, session, moved: () => recent.clear() });
  const mostAttempts = attemptsWithin(settings.retryWindowMs, settings.firstRetryMs);
  const labels = { tenant: settings.tenant, crm: settings.destination };

  return { generation: binding.generation, deliver };

  async function deliver(taken: Taken): Promise<void> {
    const { claim } = taken;
    const story = log.with({ event_id: claim.eventId, lane: claim.lane });
    try {
      const ended = tooOften(claim) ?? (await work(taken, story));
      if (ended === "lost") {
        story.warn({}, "the lease was lost; nothing more was sent");
        return;
      }
      await settle(claim, ended, story);
    } catch (error) {
      if (error instanceof LedgerFailed) {
        story.error(
          { err: asError(error.cause) },
          "the ledger could not write an outcome; the delivery is worked again when its lease ends",
        );
        return;
      }
      metrics.count("defects_total", { where: "deliver" });
      story.error({ err: asError(error) }, "defect: a delivery could not be worked");
      const detail = `Mailwright could not work this delivery: ${asError(error).message}`;
      await settle(claim, { settlement: { state: "failed", reason: "defect", detail }, notes: [] }, story).catch(
        () => undefined,
      );
    }
  }

  interface Ended {
    readonly settlement: Settlement;
    readonly notes: readonly StepNote[];
  }

  /** Its lease ran out again and again, whatever became of those turns: nothing of them was ever written down. */
  function tooOften(claim: Claim): Ended | undefined {
    if (claim.attempts < mostAttempts) return undefined;
    const unclear = claim.steps.some(({ state }) => state === "sent" || state === "unknown");
    const detail = `${claim.attempts} attempts; the last ended without an outcome that could be written down`;
    return { settlement: { state: "failed", reason: unclear ? "outcome_unknown" : "exhausted", detail }, notes: [] };
  }

  async function work({ claim, generation, known }: Taken, story: Log): Promise<Ended | "lost"> {
    const plan = decode(claim, known ?? (await unsealed(claim)));
    const refs = new Map<string, KnownRef>(claim.left.map(({ kind, key, ref }) => [key, { id: ref, kind }]));
    const steps = plan.map(({ step }) => step);
    let carried: StepNote[] = [];
    const held = holdOf(claim);
    const note = async (steps: readonly StepNote[], forget: readonly Forget[] = []) => {
      carried = [];
      return await viaLedger(ledger.note({ claim: held, steps, forget }));
    };
    for (const { step, row } of plan) {
      if (row.state === "confirmed" && row.ref !== null) {
        refs.set(step.key, { id: row.ref, kind: step.kind });
        continue;
      }
      const turn: Turn = { step, row, refs, carried };
      try {
        await binding.follow();
      } catch (error) {
        if (error instanceof LedgerFailed) throw error;
        const { defect } = defectIn(error);
        if (defect !== undefined) countDefect(defect, story);
        return await afterFailure(claim, turn, failureOfRead(error), carried, story);
      }
      if (binding.generation() !== generation) return moved();
      const outcome = await locks.with(`${step.kind}:${step.key}`, async () => {
        const ref = row.remembered ? row.ref : recent.get(step.key);
        if (ref !== undefined && ref !== null) return remembered(row, ref);
        const made = await ensureOfRun(turn, steps, {
          session,
          facts: settings.facts,
          clock,
          note,
          unclear: (kind, key) => viaLedger(ledger.unclear({ lane: claim.lane, kind, key, except: claim.id })),
          sealer: ports.sealer,
        });
        if (step.kind === "archive") recent.delete(step.target);
        // What was left alone ("none") is no record, and is tried again.
        const isKnown = made.kind === "confirmed" && made.ref.id !== "none" && !perMail.has(step.kind);
        if (isKnown && binding.generation() === generation) remember(step.key, made.ref.id);
        return made;
      });
      metrics.count("steps_total", { crm: settings.destination, kind: step.kind, outcome: outcome.kind });
      switch (outcome.kind) {
        case "confirmed":
          refs.set(step.key, { ...outcome.ref, kind: step.kind });
          carried = [...carried, outcome.note];
          story.info({ step: step.kind, ref: outcome.ref.id, adopted: outcome.ref.adopted ?? false }, "step confirmed");
          break;
        case "stop":
          return { settlement: outcome.settlement, notes: [...carried, ...outcome.notes] };
        case "failed":
          if (outcome.defect !== undefined) countDefect(outcome.defect, story);
          return await afterFailure(claim, turn, outcome.failure, [...carried, ...outcome.notes], story);
        case "lost":
          return "lost";
        default:
          outcome satisfies never;
      }
    }
    return { settlement: { state: "processed" }, notes: carried };
  }

  /** The event is read by itself where the claim came without it. Rejects with LedgerFailed. */
  async function unsealed({ eventId, sealedSteps, sealedEvent }: Claim): Promise<Step[]> {
    const bytes = sealedEvent ?? (await viaLedger(ledger.find({ event: eventId, limit: 1 })))[0]?.sealedEvent;
    const { sealer } = ports;
    return readSteps(sealer.open(sealedSteps).plain, () =>
      bytes === undefined ? undefined : sealer.open(bytes).plain,
    );
  }

  /** Nothing of this turn holds in another account. Its lease is gone with the old one, or is given back here. */
  function moved(): Ended {
    const detail = "the CRM is another account now; planned again";
    return { settlement: { state: "pending", dueAt: clock.now(), counted: false, detail }, notes: [] };
  }

  function countDefect(thrown: unknown, story: Log): void {
    metrics.count("defects_total", { where: "destination" });
    story.error(
      { err: asError(thrown) },
      "defect: a destination failed in a way that it does not know; its outcome counts as unclear",
    );
  }

  function remember(key: string, ref: string): void {
    recent.delete(key);
    recent.set(key, ref);
    const oldest = recent.size > recentRefs ? recent.keys().next().value : undefined;
    if (oldest !== undefined) recent.delete(oldest);
  }

  function remembered(row: ClaimedStep, id: string) {
    const note: StepNote = {
      step: row.id,
      state: "confirmed",
      at: clock.now(),
      ref: id,
      adopted: true,
      note: "known from an earlier message",
    };
    return { kind: "confirmed", ref: { id, adopted: true }, note } as const;
  }

  async function afterFailure(
    claim: Claim,
    turn: Turn,
    failure: Failure,
    notes: readonly StepNote[],
    story: Log,
  ): Promise<Ended> {
    const now = clock.now();
    const detail = failure.reason;
    story.warn({ step: turn.step.kind, failure: failure.kind, reason: detail }, "step not done");
    const again = (dueAt: number, counted: boolean): Ended => ({
      settlement: { state: "pending", dueAt, counted, detail },
      notes,
    });
    switch (failure.kind) {
      case "retryable":
      case "ambiguous": {
        const attempts = claim.attempts + 1;
        if (attempts < mostAttempts)
          return again(now + retryDelayMs(attempts, ports.random.unit(), settings.firstRetryMs), true);
        const unclear = failure.kind === "ambiguous" || isUnclear(turn, notes);
        return {
          settlement: {
            state: "failed",
            reason: unclear ? "outcome_unknown" : "exhausted",
            detail: `${attempts} attempts; last: ${detail}`,
          },
          notes,
        };
      }
      case "rate_limited":
        if (failure.standing !== true) ports.bucket.pause(failure.until, detail);
        await viaLedger(ledger.pause({ lane: settings.lane, kind: "until", until: failure.until, reason: detail }));
        return again(failure.until, false);
      case "blocked":
        await viaLedger(ledger.pause({ lane: settings.lane, kind: "blocked", at: now, reason: detail }));
        story.error({ reason: detail }, "the lane is blocked: nothing can pass until this is mended; no mail is lost");
        return again(now, false);
      case "permanent":
        if (isUnclear(turn, notes))
          return { settlement: { state: "failed", reason: "outcome_unknown", detail: unreadable(detail) }, notes };
        return (
          (await healed(claim, turn, notes)) ?? { settlement: { state: "failed", reason: "permanent", detail }, notes }
        );
      default:
        return failure satisfies never;
    }
  }

  /**
   * A refusal whose cause is that a record which the step belongs to has been deleted, or merged away: forgets it, and looks again. With
   * growing pauses, and counted, so that a CRM which finds a record that it then cannot read ends as a dead letter like any other.
   */
  async function healed(claim: Claim, turn: Turn, notes: readonly StepNote[]): Promise<Ended | undefined> {
    const attempts = claim.attempts + 1;
    if (attempts >= mostAttempts) return undefined;
    const gone = await vanished(turn);
    if (gone !== "unknown" && gone.length === 0) return undefined;
    const now = clock.now();
    const detail =
      gone === "unknown"
        ? "it was refused, and whether the records it belongs to are still there could not be read; trying again"
        : "a remembered record has vanished at the CRM; looking it up again";
    const replanned: StepNote = { step: turn.row.id, state: "planned", at: now, reason: detail };
    const kept = [...notes.filter(({ step }) => step !== turn.row.id), replanned];
    const forget = gone === "unknown" ? [] : gone;
    for (const { key } of forget) recent.delete(key);
    await viaLedger(ledger.note({ claim: holdOf(claim), steps: kept, forget }));
    const dueAt = now + retryDelayMs(attempts, ports.random.unit(), settings.firstRetryMs);
    return { settlement: { state: "pending", dueAt, counted: true, detail }, notes: [] };
  }

  /** Which of the records this step belongs to are no longer there: deleted, or merged away. One that may not be seen is there. */
  async function vanished({ step, refs }: Turn): Promise<Forget[] | "unknown"> {
    const gone: Forget[] = [];
    for (const key of belongsTo(step)) {
      const ref = refs.get(key);
      if (ref === undefined) continue;
      const { kind } = ref;
      try {
        const there = await session.read(kind, ref.id);
        if (there === undefined || there.archived || there.id !== ref.id)
          gone.push({ lane: settings.lane, kind, key, ref: ref.id });
      } catch (error) {
        if (failureOf(error).kind !== "permanent") return "unknown";
      }
    }
    return gone;
  }

  async function settle(claim: Claim, { settlement, notes }: Ended, story: Log): Promise<void> {
    const at = clock.now();
    const sampled = settlement.state === "processed" && isSampled(claim, settings.sample ?? 0);
    const became: Settlement = sampled ? { state: "processed", sampled } : settlement;
    const written = await viaLedger(ledger.settle({ claim: holdOf(claim), at, settlement: became, steps: notes }));
    if (!written) {
      story.warn({}, "the lease was lost before the outcome could be written");
      return;
    }
    metrics.count("deliveries_total", { ...labels, outcome: settlement.state });
    if (settlement.state === "processed") metrics.observe("parse_to_crm_latency_ms", at - claim.preparedAt, labels);
    if (settlement.state === "failed")
      story.error({ reason: settlement.reason, detail: settlement.detail }, "dead letter");
    else story.info({ state: settlement.state }, "delivery settled");
  }
}

/** All that the ledger is told of a claim: the sealed bytes in it are not carried back to it with every note. */
const holdOf = ({ id, lease }: Claim) => ({ id, lease });

/** A call of this step may have been carried out, and nothing of this turn has told. */
function isUnclear({ row }: Turn, notes: readonly StepNote[]): boolean {
  return (row.state === "unknown" || row.state === "sent") && !notes.some(({ step }) => step === row.id);
}

/** What a read-back would have been made through is gone: a contact deleted by hand, say. A second create could be a second record. */
const unreadable = (detail: string): string =>
  `the last call got no clear answer, and it cannot be read back: ${detail}; look at the CRM, then confirm or replay`;

/** The plan's steps beside their rows. A plan that does not fit its rows is a defect and must not be guessed at. */
function decode(claim: Claim, steps: readonly Step[]): { step: Step; row: ClaimedStep }[] {
  const rows = new Map(claim.steps.map((row) => [`${row.kind}:${row.key}`, row]));
  return steps.map((step) => {
    const row = rows.get(`${step.kind}:${step.key}`);
    if (row === undefined)
      throw new Error(`the plan of event ${claim.eventId} names a step that the ledger does not hold`);
    return { step, row };
  });
}
