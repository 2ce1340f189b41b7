/** Hops 4 to 6 of the road: takes accepted messages from the ledger, parses, enriches and plans each once, and commits what was decided. */

import type { CanonicalEvent, ParsedMessage } from "../model/event.ts";
import type { Attempt, Ledger, Prepared } from "../model/ledger.ts";
import type { Clock, Log, Metrics, Random } from "../model/ports.ts";
import { retryDelayMs } from "./backoff.ts";
import { decide, eventOf, preparedOf, type TenantPlan } from "./enrich.ts";
import { asError, viaLedger } from "./faults.ts";
import { openRaw, type RawPorts } from "./raw.ts";
import { openSignal } from "./signal.ts";

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
  readonly ledger: Pick<Ledger, "attempt" | "prepare" | "release" | "stats">;
  readonly pool: ParsePool;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Deliveries for this lane were made. */
  prepared(lane: string): void;
}

export interface Preparing {
  wake(): void;
  quiet(): Promise<void>;
  /** Something is in flight, or about to be looked for. */
  busy(): boolean;
  stop(): Promise<void>;
}

/** A parse takes 30 s at most and is tried twice; then headers only. */
const leaseMs = 5 * 60_000;
/**
 * A message whose parse was begun this often without an end was with us at as many crashes: it is read headers only from then on. Parsing
 * happens in children, so an honest message can be there by chance; three times by chance is rare, and it loses only its body.
 */
const mostWholeParses = 3;
/** Raw bytes that cannot be read are asked for this often; then the message goes on with its envelope alone, visibly. */
const mostReads = 8;
const firstRetryMs = 5_000;

/** `width`: messages in hand at once, over all tenants. */
export function startPreparing(tenants: readonly TenantPlan[], width: number, ports: PreparePorts): Preparing {
  const { clock, ledger, log } = ports;
  const signal = openSignal();
  const plans = new Map(tenants.map((tenant) => [tenant.tenant, tenant]));
  const inHand = new Set<Promise<void>>();
  let turn = 0;
  let stopped = false;
  let waiting = false;
  let retryAt: number | null = null;
  let quietWaiters: (() => void)[] = [];

  const busy = (): boolean => !waiting || signal.called() || inHand.size > 0;

  function announceQuiet(): void {
    if (busy()) return;
    for (const resolve of quietWaiters) resolve();
    quietWaiters = [];
  }

  async function loop(): Promise<void> {
    while (!stopped) {
      const room = width - inHand.size;
      const attempts = room > 0 ? await take(room) : [];
      for (const attempt of attempts) {
        const work = one(attempt).finally(() => {
          inHand.delete(work);
          signal.wake();
          announceQuiet();
        });
        inHand.add(work);
      }
      if (attempts.length > 0 && attempts.length < room) continue;
      waiting = attempts.length === 0;
      announceQuiet();
      await signal.wait(clock, retryAt);
      waiting = false;
    }
  }

  /** Each tenant in turn is asked first, so that one tenant's flood takes no more than its share. */
  async function take(room: number): Promise<readonly Attempt[]> {
    const ids = [...plans.keys()];
    const first = turn++ % Math.max(1, ids.length);
    try {
      const now = clock.now();
      if (retryAt !== null && retryAt <= now) retryAt = null;
      const attempts = await ledger.attempt({
        tenants: [...ids.slice(first), ...ids.slice(0, first)],
        room,
        now,
        leaseMs,
      });
      // Messages given back before a restart come due at a time that only the ledger knows.
      const nobodyKnows = attempts.length === 0 && inHand.size === 0 && retryAt === null;
      if (nobodyKnows && (await ledger.stats(now)).received > 0) comeBackAt(now + firstRetryMs);
      return attempts;
    } catch (error) {
      log.error({ err: asError(error) }, "the ledger gave no messages to parse; asking again");
      comeBackAt(clock.now() + 1_000);
      return [];
    }
  }

  function comeBackAt(at: number): void {
    retryAt = retryAt === null ? at : Math.min(retryAt, at);
  }

  async function one(attempt: Attempt): Promise<void> {
    const story = log.with({ event_id: attempt.eventId, message_id: attempt.messageId });
    try {
      const parsed = await parsedOf(attempt, story);
      if (parsed === "later") return;
      const event = eventOf(attempt, parsed);
      const prepared = decidedOf(attempt, event);
      const [written] = await viaLedger(ledger.prepare([prepared]));
      if (written !== true) {
        story.warn({}, "the lease of a parse was lost; its result is dropped");
        return;
      }
      ports.metrics.count("parse_total", { outcome: event.parse_status });
      for (const { lane, decision } of prepared.deliveries) {
        story.info({ lane, decision: decision.kind, rule: decision.rule }, "planned");
        ports.prepared(lane);
      }
    } catch (error) {
      // Whatever it was, the message is in the ledger: its lease ends and it is taken up again.
      ports.metrics.count("defects_total", { where: "prepare" });
      story.error({ err: asError(error) }, "a message could not be prepared; it is taken up again");
      await later(attempt, story);
    }
  }

  async function later(attempt: Attempt, story: Log): Promise<void> {
    const dueAt = clock.now() + retryDelayMs(attempt.attempts, ports.random.unit(), firstRetryMs);
    comeBackAt(dueAt);
    try {
      await ledger.release(attempt.eventId, attempt.lease, dueAt);
    } catch (error) {
      story.error({ err: asError(error) }, "the ledger could not take a message back; its lease ends by itself");
      comeBackAt(attempt.lease.until + 1);
    }
  }

  async function parsedOf(attempt: Attempt, story: Log): Promise<ParsedMessage | "later"> {
    const started = clock.now();
    try {
      const raw = () => openRaw(attempt.eventId, attempt.raw, attempt.sealed, ports);
      const whole = attempt.attempts <= mostWholeParses;
      const parsed = whole ? await ports.pool.parse(raw, attempt.rawSize) : await ports.pool.headersOnly(await raw());
      ports.metrics.observe("parse_seconds", (clock.now() - started) / 1000);
      return parsed;
    } catch (error) {
      story.error({ err: asError(error), attempt: attempt.attempts }, "the raw bytes of a message could not be read");
      if (attempt.attempts < mostReads) {
        await later(attempt, story);
        return "later";
      }
      const nothing = await ports.pool.headersOnly(noBytes());
      return {
        ...nothing,
        anomalies: [...nothing.anomalies, { code: "raw_unreadable", detail: asError(error).message.slice(0, 200) }],
      };
    }
  }

  function decidedOf(attempt: Attempt, event: CanonicalEvent): Prepared {
    const tenant = plans.get(attempt.tenant);
    if (tenant === undefined) throw new Error(`tenant ${attempt.tenant} is no longer in the configuration`);
    const decisions = decide(event, attempt.digest, tenant);
    return preparedOf(attempt, event, decisions, ports.sealer, clock.now());
  }

  const running = loop();
  return {
    wake: signal.wake,
    busy,
    async quiet() {
      if (!busy()) return;
      await new Promise<void>((resolve) => quietWaiters.push(resolve));
    },
    async stop() {
      stopped = true;
      signal.wake();
      await running;
      await Promise.all(inHand);
    },
  };
}

async function* noBytes(): AsyncIterable<Uint8Array> {}
