/** Brings one folder up to date: what the server has and the ledger does not know is taken in, and the cursor says so. */
import type { FolderState, PassedUid, UidRange, WaitingUid } from "../../model/imap.ts";
import { actOn } from "./acting.ts";
import { type Answers, askFacts } from "./asking.ts";
import { pauseAfter } from "./backoff.ts";
import type { Client, MessageFacts } from "./client.ts";
import { BegunAnew, Busy, type Context, leaseOf, type Work, windowMessages } from "./context.ts";
import { isOld, labelsOf, presentState } from "./generation.ts";
import { failed, type Item, longestDelayMs, pass, takeAll } from "./taking.ts";
import { ImapTrouble, isRefusal } from "./trouble.ts";

/** All UIDs are held against the ledger at least so often: one may come up below the cursor. */
const sweepMs = 3600_000;
const lastUid = 0xffff_ffff;

/** `reopen`: the folder is selected anew, which alone tells of new UIDs; else it is looked at as it is open. */
async function catchUp(
  client: Client,
  work: Work,
  listed: ReadonlySet<string>,
  reopen: boolean,
  context: Context,
): Promise<void> {
  const { path } = work.chosen;
  const box =
    reopen || !client.isOpen(path, true) || work.state === undefined ? await client.open(path, true) : undefined;
  if (box !== undefined) {
    const state = await presentState(client, box, work, listed, context);
    if (state.id !== work.state?.id) {
      work.sweptAt = Number.NEGATIVE_INFINITY;
      work.waiting = new Map();
    }
    work.state = state;
  }
  const { state } = work;
  if (state === undefined) throw new BegunAnew("the folder is not known");
  const highest = await takeMissing(client, work, state, context);
  const news = {
    folder: state.id,
    at: context.ports.clock.now(),
    uidNext: Math.max(box?.uidNext ?? state.uidNext, highest + 1),
    modSeq: box?.modSeq ?? state.modSeq,
    lastUid: highest,
    complete: true,
  };
  if (!(await context.ports.ledger.folderNews({ ...leaseOf(context), ...news })))
    throw new BegunAnew("the folder has begun anew");
  work.state = { ...state, ...news, lastUid: Math.max(state.lastUid, highest), doneAt: news.at, id: state.id };
  context.suspects.delete(path);
  await actOn(client, work, work.state, listed, context);
}

/** Until the next of those that failed is to be tried, or the folder itself where it was refused. */
export const msToNextTry = ({ waiting, refusals, retryAt }: Work, { time, ports }: Context): number => {
  if (refusals > 0) return retryAt - time();
  const now = ports.clock.now();
  return Math.min(...[...waiting.values()].map((one) => msLeft(one, now)));
};

/** None waits for longer than that: the clock was set back meanwhile. */
const msLeft = ({ dueAt }: WaitingUid, now: number): number => (dueAt - now > longestDelayMs ? 0 : dueAt - now);

/**
 * As `catchUp`, and where the server refuses this folder, by an ACL or for a fault of its own, the others go on: it is tried again after a
 * while. Rejects where it refuses all of them, for then another connection may be better off.
 */
export async function lookAt(
  client: Client,
  work: Work,
  all: readonly Work[],
  listed: ReadonlySet<string>,
  reopen: boolean,
  context: Context,
): Promise<void> {
  const { time } = context;
  const { log, metrics, random } = context.ports;
  if (work.refusals > 0 && work.retryAt > time()) return;
  try {
    await catchUp(client, work, listed, reopen || work.refusals > 0, context);
    work.refusals = 0;
  } catch (error) {
    const asked = context.asked.get(work.chosen.path);
    if (asked !== undefined && work.state === undefined) asked.late = true;
    if (!isRefusal(error)) throw error;
    work.refusals += 1;
    work.retryAt = time() + pauseAfter(error.kind, work.refusals, random.unit());
    metrics.count("imap_folder_refused_total", labelsOf(context));
    const said = { account: context.held.account, reason: error.kind, times: work.refusals };
    if (work.refusals === 1)
      log.warn(said, "imap: the server refuses a folder; the others are read, it is tried again");
    else log.debug(said, "imap: a folder is refused again");
    if (all.every(({ refusals }) => refusals > 0)) throw error;
  }
}

/** The highest UID up to which all is accounted for. */
async function takeMissing(client: Client, work: Work, state: FolderState, context: Context): Promise<number> {
  const { clock, ledger } = context.ports;
  const now = clock.now();
  const begunAt = context.time();
  const sweep = begunAt - work.sweptAt >= sweepMs;
  // As the ledger has them: what a command took in beside us does not wait any more, and what a person lets be tried again does.
  const waiting = await ledger.waitingUids(state.id);
  work.waiting = new Map(waiting.map((one) => [one.uid, one]));
  const due = waiting.filter((one) => msLeft(one, now) <= 0).map(({ uid }) => uid);
  const from = sweep ? state.firstUid : Math.min(state.lastUid + 1, ...due);
  const server = await client.uids(from);
  const known = await ledger.knownUids(state.id, [from, lastUid]);
  const there = new Set(server);
  const gone = waiting.filter(({ uid }) => uid >= from && !there.has(uid));
  await pass(
    gone.map(({ uid }): PassedUid => ({ uid, state: "gone", reason: "it was deleted before it could be read" })),
    work,
    state,
    context,
  );
  const isSettled = within(known.settled);
  const missing = server.filter((uid) => !isSettled(uid));
  // First those that may well be fine: one that breaks connections must not stand before them.
  const fresh = missing.filter((uid) => !work.waiting.has(uid));
  for (let at = 0; at < fresh.length; ) {
    const size = context.suspects.get(work.chosen.path) ?? windowMessages;
    await takeWindow(client, work, state, fresh.slice(at, at + size), context);
    at += size;
  }
  const again = missing.filter((uid) => {
    const one = work.waiting.get(uid);
    return one !== undefined && msLeft(one, now) <= 0;
  });
  for (const uid of again) await takeWindow(client, work, state, [uid], context);
  if (sweep) work.sweptAt = begunAt;
  return server.at(-1) ?? 0;
}

/** Ranges are ascending and apart. */
function within(ranges: readonly UidRange[]): (uid: number) => boolean {
  let at = 0;
  // UIDs are asked for in ascending order, so one walk serves all.
  return (uid) => {
    while (at < ranges.length && (ranges[at]?.[1] ?? 0) < uid) at += 1;
    const range = ranges[at];
    return range !== undefined && range[0] <= uid;
  };
}

async function takeWindow(
  client: Client,
  work: Work,
  state: FolderState,
  uids: readonly number[],
  context: Context,
): Promise<void> {
  const refusal = await context.intake.pressure();
  if (refusal !== undefined) throw new Busy(refusal.reason);
  if (context.stop.aborted) throw new Busy("stopping");
  const { facts, refused } = await askNarrowing(client, work, state, uids, context);
  for (const [uid, reason] of refused) await failed(uid, reason, work, state, context);
  const silent = uids.filter((uid) => !facts.has(uid) && !refused.has(uid));
  if (silent.length > 0) await passSilent(client, work, state, silent, context);
  const passed: PassedUid[] = [];
  const items: Item[] = [];
  // From the work, not from its start: each window moves the cursor.
  let from = work.state?.lastUid ?? state.lastUid;
  for (const uid of uids) {
    const found = facts.get(uid);
    if (found === undefined) continue;
    const why = notOurs(found, state, context);
    if (why !== undefined) {
      passed.push(why);
      continue;
    }
    const isAhead = uid > from;
    items.push({ facts: found, from: isAhead ? from : undefined });
    if (isAhead) from = uid;
  }
  await pass(passed, work, state, context);
  await takeAll(client, work, state, items, context);
  await moveCursor(work, state, uids, context);
}

/** Where the question itself breaks the connection, half as many are asked for the next time, until the one to blame stands alone. */
async function askNarrowing(
  client: Client,
  work: Work,
  state: FolderState,
  uids: readonly number[],
  context: Context,
): Promise<Answers> {
  try {
    return await askFacts(client, uids);
  } catch (error) {
    const [first] = uids;
    if (!(error instanceof ImapTrouble) || error.kind !== "connection" || first === undefined) throw error;
    context.suspects.set(work.chosen.path, uids.length === 1 ? windowMessages : Math.ceil(uids.length / 2));
    if (uids.length === 1) await failed(first, error.message, work, state, context);
    throw error;
  }
}

/** All of the window are landed, passed, or written down as waiting. */
async function moveCursor(work: Work, state: FolderState, uids: readonly number[], context: Context): Promise<void> {
  const highest = uids.at(-1) ?? 0;
  const before = work.state?.lastUid ?? state.lastUid;
  if (highest <= before) return;
  const { ledger, clock } = context.ports;
  const uidNext = Math.max(state.uidNext, highest + 1);
  const news = { folder: state.id, at: clock.now(), uidNext, modSeq: null, lastUid: highest };
  if (!(await ledger.folderNews({ ...leaseOf(context), ...news }))) throw new BegunAnew("the folder has begun anew");
  work.state = { ...(work.state ?? state), lastUid: highest, uidNext };
}

/** The server lists them and says nothing of them: deleted this moment, or it is at fault. */
async function passSilent(
  client: Client,
  work: Work,
  state: FolderState,
  silent: readonly number[],
  context: Context,
): Promise<void> {
  const still = new Set(await client.uids(Math.min(...silent)));
  for (const uid of silent) {
    if (still.has(uid)) await failed(uid, "the server lists it and says nothing of it", work, state, context);
    else {
      const reason = "it was deleted before it could be read";
      await pass([{ uid, state: "gone", reason }], work, state, context);
    }
  }
}

function notOurs(facts: MessageFacts, state: FolderState, { account, intake }: Context): PassedUid | undefined {
  const { uid, size } = facts;
  if (isOld(facts, state)) return { uid, state: "before", reason: "it was there before the mailbox was watched" };
  const most = Math.min(account.settings.max_bytes ?? intake.maxBytes, intake.maxBytes);
  if (size > most)
    return { uid, state: "quarantined", reason: `it has ${size} bytes, more than the ${most} that are taken` };
  return undefined;
}
