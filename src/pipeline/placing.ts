/** Gives messages their place in threads: all that are ready together are judged together, planned, and committed before the next are looked at. */
import { placeThreads, threadFacts } from "../mail/thread.ts";
import { type FoundToken, findThreadToken, type ThreadTokens } from "../mail/thread-token.ts";
import type { Before } from "../mapping/moves.ts";
import { versionFor, versionOf } from "../mapping/plan.ts";
import type { CanonicalEvent } from "../model/event.ts";
import type { Attempt, Ledger, Prepared } from "../model/ledger.ts";
import type { ThreadDeal } from "../model/mappings.ts";
import type { People } from "../model/people.ts";
import type { Clock, Hasher, Sealer } from "../model/ports.ts";
import type { Placed } from "../model/threads.ts";
import type { Ahead } from "./ahead.ts";
import { type BeforePorts, inLine, plannedBefore } from "./before.ts";
import { decide, preparedOf, type TenantPlan } from "./enrich.ts";
import { LedgerFailed, viaLedger } from "./faults.ts";
import { mostFiles, withFiles } from "./filed.ts";
import type { Judgement } from "./judging.ts";
import { threadReview } from "./thread-review.ts";

export interface PlacingPorts {
  readonly ledger: Pick<Ledger, "around" | "dealsOf" | "files" | "prepare"> & BeforePorts["ledger"];
  readonly hasher: Hasher;
  readonly threadTokens: ThreadTokens;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly ahead?: Ahead;
}

/** A message whose event is there, but for its thread. */
export interface Ready {
  readonly attempt: Attempt;
  readonly event: CanonicalEvent;
  readonly tenant: TenantPlan;
  readonly judgement: Pick<Judgement, "copyOf" | "lesson">;
}

export interface Committed {
  readonly prepared: Prepared;
  /** False when the lease was lost: nothing of it was written. */
  readonly written: boolean;
}

export interface Placing {
  /** Rejects with what is wrong with this message, or with LedgerFailed. */
  commit(ready: Ready): Promise<Committed>;
}

/** One of a batch is of a conversation too large to be read: the others are not to be judged by half of what is around them. */
class Crowded extends Error {
  override readonly name = "Crowded";
}

interface Waiting extends Ready {
  readonly resolve: (committed: Committed) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Nothing else may be placed between the look around and the commit, so that there is one batch at a time: whatever gathered while the last
 * one was committed. The one process that holds the data folder is the only one that places.
 */
export function openPlacing(ports: PlacingPorts): Placing {
  let waiting: Waiting[] = [];
  let isPumping = false;

  async function pump(): Promise<void> {
    // What gets ready in this turn goes along.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await together(batch);
    }
    isPumping = false;
  }

  /** One message that cannot be placed or planned must not hold up those beside it: then each goes alone. */
  async function together(batch: readonly Waiting[]): Promise<void> {
    let prepared: Prepared[];
    try {
      prepared = await preparedAll(batch, ports);
    } catch (error) {
      const [first, ...others] = batch;
      if (error instanceof LedgerFailed || others.length === 0) for (const { reject } of batch) reject(error);
      else for (const one of [first, ...others]) if (one !== undefined) await together([one]);
      return;
    }
    await Promise.all(batch.map((one, at) => commitOne(one, prepared[at])));
  }

  /** Calls of one turn share a transaction, and yet each of them fails by itself. */
  async function commitOne({ resolve, reject }: Waiting, prepared: Prepared | undefined): Promise<void> {
    try {
      if (prepared === undefined) throw new TypeError("a message was placed and not planned");
      const [written] = await viaLedger(ports.ledger.prepare([prepared]));
      resolve({ prepared, written: written === true });
    } catch (error) {
      reject(error);
    }
  }

  return {
    commit(ready) {
      return new Promise((resolve, reject) => {
        waiting.push({ ...ready, resolve, reject });
        if (isPumping) return;
        isPumping = true;
        void pump();
      });
    },
  };
}

async function preparedAll(ready: readonly Ready[], ports: PlacingPorts): Promise<Prepared[]> {
  const batch = await Promise.all(ready.map((one) => withItsFiles(one, ports)));
  const places = new Map<Ready, Placed>();
  const tenants = new Set(batch.map(({ tenant }) => tenant));
  await Promise.all(
    [...tenants].map(async (tenant) => {
      const those = batch.filter((ready) => ready.tenant === tenant);
      const placed = await placedOf(those, tenant, ports);
      for (const [at, ready] of those.entries()) {
        const place = placed[at];
        if (place !== undefined) places.set(ready, place);
      }
    }),
  );
  const deals = await dealsFor(batch, places, ports);
  const befores = await Promise.all(
    batch.map(({ attempt }) => (attempt.preparedBefore ? plannedBefore(attempt.eventId, ports) : new Map())),
  );
  const prepared: Prepared[] = [];
  // One after the other: the deal that one asks for is the deal of the next one of its thread.
  for (const [at, ready] of batch.entries()) {
    const place = places.get(ready);
    if (place === undefined) throw new TypeError("a message was not placed");
    const thread = place.thread.thread_id;
    const one = planned(ready, place, befores[at] ?? new Map(), deals.get(thread), ports);
    if (one.deal !== undefined && !deals.has(thread)) deals.set(thread, one.deal);
    prepared.push(one);
  }
  return prepared;
}

/** What became of its files so far is part of the event; of one that was never prepared there is nothing yet. */
async function withItsFiles(ready: Ready, { ledger }: PlacingPorts): Promise<Ready> {
  const { event, attempt } = ready;
  const known = attempt.preparedBefore && event.message.attachments.length > 0;
  const rows = known ? await viaLedger(ledger.files({ event: attempt.eventId, limit: mostFiles })) : [];
  return { ...ready, event: withFiles(event, attempt.digest, rows) };
}

/** By thread. Nobody is asked for tenants without rules: nothing that is built in makes deals. */
async function dealsFor(
  batch: readonly Ready[],
  places: ReadonlyMap<Ready, Placed>,
  { ledger }: PlacingPorts,
): Promise<Map<string, ThreadDeal>> {
  const threads = new Set(
    batch.flatMap((ready) => {
      const thread = ready.tenant.mapping.rules === undefined ? undefined : places.get(ready)?.thread.thread_id;
      return thread === undefined ? [] : [thread];
    }),
  );
  if (threads.size === 0) return new Map();
  const asked = [...threads];
  const found = await viaLedger(ledger.dealsOf(asked));
  return new Map(asked.flatMap((thread, at) => (found[at] == null ? [] : [[thread, found[at]] as const])));
}

async function placedOf(
  ready: readonly Ready[],
  { tenant, threads }: TenantPlan,
  { ledger, hasher, threadTokens }: PlacingPorts,
): Promise<Placed[]> {
  const facts = ready.map(({ event, attempt, tenant: { people } }) => {
    const { threadId } = tokenIn(event, people, threadTokens);
    return threadFacts(event, { digest: attempt.digest, hasher, token: threadId });
  });
  const around = await viaLedger(ledger.around({ tenant, facts, window: threads.window }));
  if (around.cut && facts.length > 1) throw new Crowded();
  return placeThreads(facts, around, threads);
}

/** In the addresses that the mail came by, and in those that it says it was sent to. */
function tokenIn(
  { tenant, routes, source, message }: CanonicalEvent,
  people: People,
  tokens: ThreadTokens,
): FoundToken {
  const written = [...message.to, ...message.cc].flatMap(({ email }) => email ?? []);
  const addresses = [...routes, ...(source.smtp?.rcpt_to ?? []), ...written];
  return findThreadToken(
    tenant,
    addresses.filter((address) => people.isInbound(address)),
    tokens,
  );
}

function planned(
  { attempt, event, tenant, judgement }: Ready,
  place: Placed,
  before: ReadonlyMap<string, Before>,
  deal: ThreadDeal | undefined,
  ports: PlacingPorts,
): Prepared {
  const { anomalies } = tokenIn(event, tenant.people, ports.threadTokens);
  // Of an event that was read back, they are there already.
  const found = anomalies.filter(
    ({ code, detail }) => !event.anomalies.some((a) => a.code === code && a.detail === detail),
  );
  const whole = { ...event, thread: place.thread, anomalies: [...event.anomalies, ...found] };
  const { eventId, digest, verdict } = attempt;
  const { copyOf, lesson } = judgement;
  const { decisions, reviews } = inLine(
    eventId,
    decide(whole, digest, tenant, { verdict, copyOf, deal }),
    before,
    tenant,
  );
  const asked = [...reviews, ...threadReview(whole, tenant.threads)];
  const prepared = preparedOf(attempt, whole, decisions, ports.sealer, ports.clock.now(), {
    lesson,
    reviews: asked,
    version: versionFor(whole, tenant.mapping) ?? versionOf(tenant.mapping),
    ahead: ports.ahead,
  });
  return { ...prepared, thread: place };
}
