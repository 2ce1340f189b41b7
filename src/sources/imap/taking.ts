/** Takes messages of a folder in: small ones many at a time, large and doubtful ones alone and piece by piece, and names each that cannot be had. */
import type { FolderState, PassedUid } from "../../model/imap.ts";
import { Fenced, NotAccepted } from "../../model/source.ts";
import { type Client, type MessageFacts, pieceBytes } from "./client.ts";
import { afterIn, BegunAnew, Busy, type Context, leaseOf, type Work, windowMessages } from "./context.ts";
import { type Flights, openFlights } from "./flights.ts";
import { isRefusal, troubleOf } from "./trouble.ts";

/** One answer of the server holds at most so much; what is on its way into the ledger, too. */
const batchBytes = 4 * 1024 * 1024;
const batchMessages = 500;
/** A commit of the ledger takes what came while the one before was written: with 64 in flight it waited for us as often as we for it. */
const inFlight = 256;

export interface Item {
  readonly facts: MessageFacts;
  /** The cursor moves from there when this one lands. */
  readonly from: number | undefined;
}

/** Every item is in the ledger, or its failure is. Rejects where the connection, the lease or our own room is lost. */
export async function takeAll(
  client: Client,
  work: Work,
  state: FolderState,
  items: readonly Item[],
  context: Context,
): Promise<void> {
  // One that failed before is read piece by piece, too.
  const isSmall = ({ facts }: Item): boolean =>
    facts.size <= pieceBytes && !context.suspects.has(work.chosen.path) && !work.waiting.has(facts.uid);
  const small = items.filter(isSmall);
  const alone = new Set(items.filter((item) => !isSmall(item)));
  const flights = openFlights(inFlight, batchBytes);
  try {
    for (const batch of batchesOf(small)) {
      for (const item of await takeBatch(client, work, state, batch, flights, context)) alone.add(item);
    }
  } finally {
    // Also where we stop: the lease and the ledger outlast what is on its way.
    await flights.settled();
  }
  for (const item of [...alone].sort((a, b) => a.facts.uid - b.facts.uid)) {
    if (context.stop.aborted) throw new Busy("stopping");
    await takeAlone(client, work, state, item, context);
  }
}

function* batchesOf(items: readonly Item[]): Generator<Item[]> {
  let batch: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    if (batch.length > 0 && (batch.length >= batchMessages || bytes + item.facts.size > batchBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += item.facts.size;
  }
  if (batch.length > 0) yield batch;
}

/** Those that did not come as they should: they are read alone. The others are on their way when it resolves. */
async function takeBatch(
  client: Client,
  work: Work,
  state: FolderState,
  batch: readonly Item[],
  flights: Flights,
  context: Context,
): Promise<Item[]> {
  if (context.stop.aborted) throw new Busy("stopping");
  const left = new Map(batch.map((item) => [item.facts.uid, item]));
  try {
    for await (const { uid, bytes } of client.bodies([...left.keys()], 4 * batchBytes)) {
      const item = left.get(uid);
      // Either is wrong, the size or the body.
      if (item === undefined || item.facts.size !== bytes.length) continue;
      left.delete(uid);
      flights.launch(bytes.length, accept(once(bytes), state, item, work, context));
      await flights.room();
      if (flights.broken) break;
    }
  } catch (trouble) {
    await flights.settled();
    if (!isRefusal(trouble)) {
      // A limit is one of the session: no message of the folder is to blame.
      if (troubleOf(trouble, "FETCH").kind === "connection")
        context.suspects.set(work.chosen.path, context.suspects.get(work.chosen.path) ?? windowMessages);
      throw trouble;
    }
  }
  if (flights.broken) await flights.settled();
  return [...left.values()];
}

/** The number of bytes that came is not the one that the server had said. */
class OtherSize extends Error {
  override readonly name = "OtherSize";
  readonly size: number;
  constructor(size: number) {
    super(`${size} bytes came`);
    this.size = size;
  }
}

/** As often a message that is shorter than its server says is put off, for an answer may be cut; then its length is believed. */
const shortTries = 3;

/** Servers that reckon sizes exist (Exchange); so do answers that are cut. What comes twice in the same length is the message. */
async function takeAlone(client: Client, work: Work, state: FolderState, item: Item, context: Context): Promise<void> {
  const { uid, size } = item.facts;
  let expected = size;
  for (let turn = 0; turn < 3; turn++) {
    try {
      await accept(measured(client, uid, expected), state, item, work, context);
      return;
    } catch (error) {
      if (error instanceof OtherSize) {
        expected = error.size;
        if (expected >= size || (work.waiting.get(uid)?.attempts ?? 0) >= shortTries) continue;
        await failed(uid, "it is shorter than the server says", work, state, context);
        return;
      }
      if (error instanceof Busy || error instanceof BegunAnew) throw error;
      const trouble = troubleOf(error, "FETCH");
      if (trouble.kind !== "limit") await failed(uid, trouble.message, work, state, context);
      if (trouble.kind === "connection" || trouble.kind === "limit") throw trouble;
      return;
    }
  }
  await failed(uid, "it has another number of bytes each time", work, state, context);
}

async function* measured(client: Client, uid: number, expected: number): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const piece of client.pieces(uid, expected)) {
    total += piece.length;
    yield piece;
  }
  if (total !== expected) throw new OtherSize(total);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Resolves when the message is durable, or is written down as one that we do not take. */
async function accept(
  raw: AsyncGenerator<Uint8Array>,
  state: FolderState,
  { facts, from }: Item,
  work: Work,
  context: Context,
): Promise<void> {
  const { account, intake, ports, held } = context;
  const now = ports.clock.now();
  let broken: unknown;
  const watched = watchedBy(raw, (error) => {
    broken = error;
  });
  try {
    await intake.accept(
      watched,
      [
        {
          kind: "imap",
          tenant: account.tenant,
          routes: [work.chosen.name],
          received_at: now,
          imap: factsFor(facts, state, work, account.settings.id),
        },
      ],
      {
        landing: {
          folder: state.id,
          uidValidity: state.uidValidity,
          uid: facts.uid,
          lease: held.token,
          source: "live",
          after: afterIn(work.chosen, account.settings),
          ...(from === undefined ? {} : { from }),
        },
      },
    );
    work.waiting.delete(facts.uid);
    context.landedAt = ports.clock.now();
  } catch (error) {
    // What the connection said, and not what the intake made of it.
    if (broken !== undefined) throw broken;
    if (error instanceof Fenced) throw new BegunAnew(error.message, { cause: error });
    if (error instanceof NotAccepted && (error.refusal.kind === "too_large" || error.refusal.kind === "loop")) {
      await pass([{ uid: facts.uid, state: "quarantined", reason: error.refusal.reason }], work, state, context);
      return;
    }
    if (!(error instanceof NotAccepted))
      ports.log.error({ err: error as Error }, "imap: taking a message in failed; it is tried again");
    throw new Busy("the message could not be taken in now", { cause: error });
  }
}

async function* watchedBy(
  raw: AsyncGenerator<Uint8Array>,
  broke: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* raw;
  } catch (error) {
    broke(error);
    throw error;
  }
}

function factsFor(facts: MessageFacts, { uidValidity }: FolderState, { chosen }: Work, account: string) {
  return {
    account,
    mailbox: chosen.name,
    uidvalidity: uidValidity,
    uid: facts.uid,
    flags: [...facts.flags],
    internaldate: facts.internalDate === null ? null : new Date(facts.internalDate).toISOString(),
    ...(chosen.sent ? { sent: true } : {}),
    ...(facts.gmMsgid === null ? {} : { gm_msgid: facts.gmMsgid }),
    ...(facts.gmThrid === null ? {} : { gm_thrid: facts.gmThrid }),
  };
}

/** As often in a row before a message is given up, if meanwhile others came: then the server works, and this message does not. */
const mostAttempts = 8;
const longestDoubtMs = 24 * 3600_000;
const firstDelayMs = 5_000;
const usualDelayMs = 60_000;
const lateDelayMs = 600_000;
/** Between two tries of one message. */
export const longestDelayMs = lateDelayMs;

/** One more try of this message has failed: it waits for the next, or is given up, visibly. */
export async function failed(
  uid: number,
  reason: string,
  work: Work,
  state: FolderState,
  context: Context,
): Promise<void> {
  const now = context.ports.clock.now();
  const known = work.waiting.get(uid);
  const attempts = (known?.attempts ?? 0) + 1;
  const firstAt = known?.firstAt ?? now;
  // A first time that lies ahead is one of before the clock was set back: what landed in this session came after it.
  const since = firstAt > now ? Number.NEGATIVE_INFINITY : firstAt;
  const isItsFault = context.landedAt > since || now - firstAt > longestDoubtMs;
  if (attempts >= mostAttempts && isItsFault) {
    await pass([{ uid, state: "quarantined", reason }], work, state, context);
    return;
  }
  const delay = attempts > mostAttempts + 4 ? lateDelayMs : Math.min(usualDelayMs, firstDelayMs * 2 ** (attempts - 1));
  const dueAt = now + delay;
  await pass([{ uid, state: "waiting", reason, dueAt }], work, state, context);
  work.waiting.set(uid, { uid, attempts, firstAt, dueAt, reason });
}

/** Writes down what became of messages that did not land. */
export async function pass(
  passed: readonly PassedUid[],
  work: Work,
  state: FolderState,
  context: Context,
): Promise<void> {
  if (passed.length === 0) return;
  const { ports } = context;
  const news = { folder: state.id, at: ports.clock.now(), uidNext: state.uidNext, modSeq: null, passed };
  if (!(await ports.ledger.folderNews({ ...leaseOf(context), ...news }))) {
    throw new BegunAnew("the account is read by another process, or the folder has begun anew");
  }
  for (const { uid, state: became } of passed) {
    if (became !== "waiting") work.waiting.delete(uid);
    if (became !== "quarantined") continue;
    const { tenant, settings } = context.account;
    ports.metrics.count("imap_quarantined_total", { tenant, account: settings.id });
    ports.log.warn({ account: context.held.account, uid }, "imap: a message is given up; its reason is listed");
  }
}
