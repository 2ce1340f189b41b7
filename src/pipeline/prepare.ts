/** Hops 4 to 6 of the road: takes accepted messages from the ledger, parses, enriches and plans each once, and commits what was decided. */

import type { ThreadTokens } from "../mail/thread-token.ts";
import type { CanonicalEvent, Evidence, ParsedMessage } from "../model/event.ts";
import type { Attempt, Ledger, Unread } from "../model/ledger.ts";
import type { Clock, Hasher, Log, Metrics, Random } from "../model/ports.ts";
import type { Ahead } from "./ahead.ts";
import { retryDelayMs } from "./backoff.ts";
import type { BeforePorts } from "./before.ts";
import { eventOf, participantsOf, preparedOf, type RulesOf, type TenantPlan } from "./enrich.ts";
import { asError, LedgerFailed, viaLedger } from "./faults.ts";
import { copyOfStored, judge, unjudged } from "./judging.ts";
import { asKept, type Best, bestOf } from "./kept.ts";
import { type Committed, openPlacing } from "./placing.ts";
import { once, openRaw, RawMissing, type RawPorts } from "./raw.ts";
import { storedEvent, underRules } from "./replaying.ts";
import { evidenceFor, type Senders } from "./senders.ts";
import { startTaking, type Taker } from "./taking.ts";
import { undoPlan } from "./undoing.ts";

export interface ParsePool {
  /**
   * Never rejects for what the bytes are: they give an event, complete or degraded. Rejects when `raw` could not be read. It may be asked for
   * twice: a child that died is no judgement of the message.
   */
  parse(raw: () => Promise<AsyncIterable<Uint8Array>>, size: number): Promise<ParsedMessage>;
  /** The degraded parse, for a message that has already failed the whole one too often. */
  headersOnly(raw: AsyncIterable<Uint8Array>): Promise<ParsedMessage>;
}

export interface PreparePorts extends RawPorts {
  readonly ledger: Pick<
    Ledger,
    | "acquainted"
    | "around"
    | "attempt"
    | "dealsOf"
    | "files"
    | "find"
    | "giveUpInRun"
    | "namesakes"
    | "prepare"
    | "release"
    | "runMade"
    | "stats"
  > &
    BeforePorts["ledger"];
  readonly hasher: Hasher;
  readonly threadTokens: ThreadTokens;
  readonly pool: ParsePool;
  readonly senders: Senders;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly ahead?: Ahead;
  /** For messages that another mapping decides about than the one in force. */
  readonly rulesOf?: RulesOf;
  /** Deliveries for this lane were made. */
  prepared(lane: string): void;
  /** A message with files was. */
  listed?(): void;
}

export interface Preparing extends Taker {
  /** The next message of each of these tenants is decided by what is said here; those in hand by what was said before, or by this. */
  replan(changed: readonly TenantPlan[]): void;
}

/** A parse takes 30 s at most and is tried twice; then headers only. */
const leaseMs = 5 * 60_000;
/**
 * A message whose parse was begun this often without an end was with us at as many crashes: it is read headers only from then on. Parsing
 * happens in children, so an honest message can only be there by chance, in the few milliseconds of its parse; and it would lose its body.
 */
const mostWholeParses = 8;
/** A message that our own rules fail on is tried this often. Then it goes on visibly, held for review. */
const mostTries = 8;
/** A run has everything at hand that it plans from: what fails now and again fails for ever, and the run is not held up for it. */
const mostTriesOfRun = 3;
/** Bytes that were missing this often in this process, over some ten minutes, are gone for a message that has an event already. */
const mostReads = 8;
const firstRetryMs = 5_000;
/** Mail that waits and is not handed out is looked for this often at most: it may be that of a tenant that nobody works for any more. */
const longestIdleMs = 5 * 60_000;

interface Made extends Committed {
  /** Found by this parse. */
  readonly attachments: number;
}

/** `width`: messages in hand at once, over all tenants. */
export function startPreparing(tenants: readonly TenantPlan[], width: number, ports: PreparePorts): Preparing {
  const { clock, ledger, log } = ports;
  const placing = openPlacing(ports);
  const plans = new Map(tenants.map((tenant) => [tenant.tenant, tenant]));
  const judging = { ...ports, settled: (eventId: string) => working.get(eventId) };
  /** What is in hand, by event: the copy of a mail waits for the one that came first. */
  const working = new Map<string, Promise<void>>();
  /**
   * Attempts of this process that ended because the bytes could not be read. They cost the message nothing in the ledger, and no number of
   * them ends it: a volume that is away comes back, and a mail that went on without its body would have lost it for good. So it waits,
   * hourly in the end, and each time says so in the log, in the figures and in its story.
   */
  const unread = new Map<string, number>();
  /**
   * After a start messages are taken one at a time: one of those that the last process had in hand may have been its end, and the others must
   * not be blamed for being near it.
   */
  let cautious = true;
  let firstTimers = 0;
  let turn = 0;
  let retryAt: number | null = null;
  /** When that was said: under a clock set back to before it, its time is worth nothing. */
  let retrySaidAt = Number.NEGATIVE_INFINITY;
  let idleMs = firstRetryMs;

  /** Each tenant in turn is asked first, so that one tenant's flood takes no more than its share. */
  async function take(room: number): Promise<readonly Attempt[]> {
    const ids = [...plans.keys()];
    const first = turn++ % Math.max(1, ids.length);
    try {
      const now = clock.now();
      if (retryAt !== null && (retryAt <= now || now < retrySaidAt)) retryAt = null;
      const attempts = await ledger.attempt({
        tenants: [...ids.slice(first), ...ids.slice(0, first)],
        room,
        now,
        leaseMs,
      });
      gainConfidence(attempts, ids.length);
      // Messages given back before a restart come due at a time that only the ledger knows.
      const nobodyKnows = attempts.length === 0 && working.size === 0 && retryAt === null;
      if (nobodyKnows && (await ledger.stats(now)).received > 0) {
        comeBackAt(now + idleMs);
        idleMs = Math.min(idleMs * 2, longestIdleMs);
      }
      if (attempts.length > 0) idleMs = firstRetryMs;
      return attempts;
    } catch (error) {
      log.error({ err: asError(error) }, "the ledger gave no messages to parse; asking again");
      comeBackAt(clock.now() + 1_000);
      return [];
    }
  }

  /** Every tenant in turn has given one that was never begun before, or nobody has any: what the last process left is worked off. */
  function gainConfidence(attempts: readonly Attempt[], tenantCount: number): void {
    firstTimers = attempts.some((attempt) => attempt.attempts > 1) ? 0 : firstTimers + 1;
    if (attempts.length === 0 || firstTimers >= tenantCount) cautious = false;
  }

  function comeBackAt(at: number): void {
    retryAt = retryAt === null ? at : Math.min(retryAt, at);
    retrySaidAt = clock.now();
  }

  async function one(attempt: Attempt): Promise<void> {
    const story = log.with({ event_id: attempt.eventId, message_id: attempt.messageId });
    try {
      // A run changes what is made of a mail, not what the mail is.
      const stored = attempt.run === undefined ? undefined : await storedEvent(attempt, ports);
      const made = stored === undefined ? await fromBytes(attempt, story) : await again(attempt, stored);
      if (made === "later") return;
      const { prepared, written, attachments } = made;
      unread.delete(attempt.eventId);
      if (!written) {
        story.warn({}, "the lease of a parse was lost; its result is dropped");
        return;
      }
      ports.metrics.count("parse_total", { outcome: prepared.parseStatus });
      if (attachments > 0) ports.metrics.count("attachments_processed_count", { outcome: "listed" }, attachments);
      if (prepared.files !== undefined) ports.listed?.();
      for (const { lane, decision } of prepared.deliveries) {
        story.info({ lane, decision: decision.kind, rule: decision.rule }, "planned");
        ports.prepared(lane);
      }
      // Others that stand elsewhere because of it wait to be planned again.
      if ((prepared.thread?.moved.length ?? 0) > 0 || prepared.deal !== undefined) taker.wake();
    } catch (error) {
      // Whatever it was, the message is in the ledger: it is given back, or its lease ends, and it is taken up again.
      if (!(error instanceof LedgerFailed)) ports.metrics.count("defects_total", { where: "prepare" });
      const cause = error instanceof LedgerFailed ? error.cause : error;
      story.error({ err: asError(cause) }, "a message could not be prepared; it is taken up again");
      if (await gaveUp(attempt, error, story)) return;
      await later(attempt, attempt.attempts, story, error instanceof LedgerFailed ? "ledger_failed" : undefined);
      // A commit that failed may be on disk all the same: then its deliveries and files wait, and nobody else would call for them.
      ports.listed?.();
      for (const lane of plans.get(attempt.tenant)?.lanes ?? []) ports.prepared(lane);
    }
  }

  /** What a run cannot plan stays at the CRM as it is. */
  async function gaveUp({ eventId, lease, run, attempts }: Attempt, error: unknown, story: Log): Promise<boolean> {
    if (run === undefined || error instanceof LedgerFailed || attempts < mostTriesOfRun) return false;
    const reason = `it could not be planned: ${asError(error).message.slice(0, 200)}`;
    try {
      await ledger.giveUpInRun({ eventId, token: lease.token, run: run.id, reason, now: clock.now() });
      story.warn({ run: run.id }, "a run cannot plan a message; it stays as it is");
      return true;
    } catch {
      // Tried once more, and given up then.
      return false;
    }
  }

  async function fromBytes(attempt: Attempt, story: Log): Promise<Made | "later"> {
    const raw = rawOf(attempt);
    const verified = evidenceFor(attempt, raw, ports, story);
    const [found, evidence] = await Promise.all([parsedOf(attempt, raw, story), verified]);
    if (found === "later") return "later";
    const parsed = await bestOf(attempt, found, ports);
    const committing = await committed(attempt, parsed, evidence, story);
    return { ...committing, attachments: parsed.message.attachments.length };
  }

  async function again(attempt: Attempt, event: CanonicalEvent): Promise<Made> {
    if (attempt.run?.kind === "undo") {
      const prepared = await undoPlan(attempt, attempt.run, event, ports);
      const [written] = await viaLedger(ledger.prepare([prepared]));
      return { prepared, written: written === true, attachments: 0 };
    }
    const tenant = await tenantOf(attempt);
    const copyOf = await copyOfStored(attempt, event, judging);
    const judgement = { copyOf, lesson: undefined };
    const people = participantsOf(event, attempt, tenant.people);
    const ready = { attempt, event: { ...event, participants: people }, tenant, judgement };
    return { ...(await placing.commit(ready)), attachments: 0 };
  }

  async function tenantOf(attempt: Attempt): Promise<TenantPlan> {
    const tenant = plans.get(attempt.tenant);
    if (tenant === undefined) throw new Error(`tenant ${attempt.tenant} is no longer in the configuration`);
    return await underRules(tenant, attempt.pinned, ports.rulesOf);
  }

  async function later(attempt: Attempt, tries: number, story: Log, why?: Unread | "ledger_failed"): Promise<void> {
    const dueAt = clock.now() + retryDelayMs(tries, ports.random.unit(), firstRetryMs);
    comeBackAt(dueAt);
    try {
      await ledger.release(attempt.eventId, attempt.lease, dueAt, why);
    } catch (error) {
      story.error({ err: asError(error) }, "the ledger could not take a message back; its lease ends by itself");
      comeBackAt(attempt.lease.until + 1);
    }
  }

  /** For the parse and for the verifier; what the ledger holds is unsealed once for both. */
  function rawOf(attempt: Attempt): () => Promise<AsyncIterable<Uint8Array>> {
    const { raw, sealed } = attempt;
    if (sealed === undefined) return () => openRaw(attempt, raw, undefined, ports);
    let plain: Uint8Array | undefined;
    return async () => {
      plain ??= ports.sealer.open(sealed).plain;
      return once(plain);
    };
  }

  async function parsedOf(
    attempt: Attempt,
    raw: () => Promise<AsyncIterable<Uint8Array>>,
    story: Log,
  ): Promise<ParsedMessage | "later"> {
    const started = clock.now();
    try {
      const whole = attempt.attempts <= mostWholeParses;
      const parsed = whole ? await ports.pool.parse(raw, attempt.rawSize) : await ports.pool.headersOnly(await raw());
      ports.metrics.observe("parse_seconds", (clock.now() - started) / 1000);
      return parsed;
    } catch (error) {
      const tries = (unread.get(attempt.eventId) ?? 0) + 1;
      unread.set(attempt.eventId, tries);
      ports.metrics.count("raw_unread_total");
      const gone = attempt.raw.kind === "gone";
      // Deleted by retention, or lost with a damaged ledger: nothing will bring them. A person sees what there is.
      if (gone && !attempt.preparedBefore) return await withoutBytes(asError(error));
      const lost = attempt.preparedBefore && (gone || (error instanceof RawMissing && tries >= mostReads));
      if (lost) unread.delete(attempt.eventId);
      story.error(
        { err: asError(error), attempt: tries },
        lost
          ? "the raw bytes of a message are gone; it cannot be planned again and stays as it was"
          : "the raw bytes of a message could not be read; it waits for them",
      );
      await later(attempt, tries, story, { at: clock.now(), lost });
      return "later";
    }
  }

  async function withoutBytes(why: Error): Promise<ParsedMessage> {
    const nothing = await ports.pool.headersOnly(noBytes());
    return {
      ...nothing,
      anomalies: [...nothing.anomalies, { code: "raw_unreadable", detail: why.message.slice(0, 200) }],
    };
  }

  /** A message that no rule can be applied to, however often, is held where a person sees it. */
  async function committed(attempt: Attempt, parsed: Best, evidence: Evidence, story: Log): Promise<Committed> {
    const tenant = plans.get(attempt.tenant);
    if (tenant === undefined) throw new Error(`tenant ${attempt.tenant} is no longer in the configuration`);
    try {
      const judgement = await judge(attempt, parsed, evidence, tenant, judging);
      const event = asKept(eventOf(attempt, parsed, judgement, tenant.people), parsed);
      return await placing.commit({ attempt, event, tenant: await tenantOf(attempt), judgement });
    } catch (error) {
      if (error instanceof LedgerFailed || attempt.run !== undefined || attempt.attempts < mostTries) throw error;
      ports.metrics.count("defects_total", { where: "prepare" });
      story.error({ err: asError(error) }, "a message cannot be prepared; it is held for review");
      const reason = `Mailwright could not decide about this mail: ${asError(error).message.slice(0, 200)}`;
      const event = await undecided(attempt, evidence, tenant);
      const held = tenant.lanes.map((lane) => ({
        lane,
        decision: { kind: "hold", rule: "defect.prepare", reason } as const,
      }));
      const prepared = preparedOf(attempt, event, held, ports.sealer, clock.now());
      const [written] = await viaLedger(ledger.prepare([prepared]));
      return { prepared, written: written === true };
    }
  }

  /** With what an earlier parse found, unless it is that which our rules fail on. */
  async function undecided(attempt: Attempt, evidence: Evidence, { people }: TenantPlan): Promise<CanonicalEvent> {
    const nothing = await ports.pool.headersOnly(noBytes());
    const best = await bestOf(attempt, nothing, ports);
    const judged = unjudged(evidence, attempt.conflict);
    try {
      return asKept(eventOf(attempt, best, judged, people), best);
    } catch {
      return eventOf(attempt, nothing, judged, people);
    }
  }

  function work(attempt: Attempt): Promise<void> {
    const done = one(attempt).finally(() => working.delete(attempt.eventId));
    working.set(attempt.eventId, done);
    return done;
  }

  const taker: Taker = startTaking(clock, { width: () => (cautious ? 1 : width), take, dueAt: () => retryAt, work });
  return {
    ...taker,
    replan(changed) {
      for (const plan of changed) plans.set(plan.tenant, plan);
    },
  };
}

async function* noBytes(): AsyncIterable<Uint8Array> {}
