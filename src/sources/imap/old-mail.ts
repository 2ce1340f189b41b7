/** Takes messages of a folder in that the reader of new mail does not: old mail that is asked for, and what was found to be missing. */
import type { FolderState, Imap, UidState } from "../../model/imap.ts";
import type { Clock } from "../../model/ports.ts";
import { Fenced, type Intake, NotAccepted } from "../../model/source.ts";
import { askFacts } from "./asking.ts";
import { type Client, type MessageFacts, pieceBytes } from "./client.ts";
import { afterIn, type ImapAccount } from "./context.ts";
import { openFlights } from "./flights.ts";
import { isAnother, isOld } from "./generation.ts";
import type { Chosen } from "./selecting.ts";
import { openSteady } from "./steady.ts";
import { ImapTrouble, isRefusal } from "./trouble.ts";

export interface OpenFolder {
  readonly chosen: Chosen;
  readonly state: FolderState;
}

export interface TakePorts {
  readonly account: ImapAccount;
  readonly ledger: Imap;
  readonly intake: Intake;
  readonly clock: Clock;
  readonly stop: AbortSignal;
  /** Messages a second at most. */
  readonly rate: number;
  /** Marked as old mail for the mapping. What was only missed is not. */
  readonly backfilled: boolean;
  /** After each message: what became of it. */
  told(outcome: TakenAs): void;
}

export type TakenAs =
  | { readonly kind: "new" | "duplicate" | "gone"; readonly uid: number }
  /** It is not taken; why. given_up: and it is quarantined. failed: neither it nor its server was to blame, or nobody can say which. */
  | { readonly kind: "refused" | "failed" | "given_up"; readonly uid: number; readonly reason: string };

/** What whoever goes through with it is told beside that. */
export interface PassPorts extends TakePorts {
  /** It is asked for by itself, so that it alone is to blame for what happens then. */
  isAlone(uid: number): boolean;
  /** These are asked for from now on: who may be to blame. */
  asking(uids: readonly number[]): void;
  /** It did not come, and may the next time. `ours`: the fault is here. */
  missed(uid: number, reason: string, ours: boolean): void;
}

const windowMessages = 500;
const inFlight = 256;
const bytesInFlight = 4 * 1024 * 1024;
const busyMs = 2_000;
const leastPauseMs = 20;

/** What the ledger knows of a folder as the server has it now; undefined where nobody has looked at it yet. */
export async function stateOf(
  client: Client,
  chosen: Chosen,
  account: string,
  ledger: Imap,
): Promise<FolderState | undefined> {
  const box = await client.open(chosen.path, true);
  const found = (await ledger.folders(account)).find(({ path }) => path === chosen.path);
  return found === undefined || isAnother(found, box) ? undefined : found;
}

/** Those that have landed. */
export const landedIn = (folder: number, ledger: Imap): Promise<ReadonlySet<number>> =>
  uidsThat("landed", folder, ledger);

/** Those that were given up, and are not tried again unless somebody asks for it. */
export const quarantinedIn = (folder: number, ledger: Imap): Promise<ReadonlySet<number>> =>
  uidsThat("quarantined", folder, ledger);

/** Those that the reader of new mail tries again itself. */
export const waitingIn = (folder: number, ledger: Imap): Promise<ReadonlySet<number>> =>
  uidsThat("waiting", folder, ledger);

async function uidsThat(state: UidState, folder: number, ledger: Imap): Promise<ReadonlySet<number>> {
  const found = new Set<number>();
  for (let after = 0; ; ) {
    const page = await ledger.uidsIn({ folder, states: [state], after, limit: 5_000 });
    for (const { uid } of page) found.add(uid);
    const last = page.at(-1)?.uid;
    if (last === undefined) return found;
    after = last;
  }
}

/**
 * Of those asked for, which the reader of new mail leaves alone: it has been past them, or passes them over as older than the watch. Under new
 * numbers it has been past none.
 */
export async function oldAmong(
  client: Client,
  state: FolderState,
  uids: readonly number[],
): Promise<readonly number[]> {
  const { lastUid, oldBelow } = state;
  const passed = uids.filter((uid) => uid <= lastUid);
  const ahead = uids.filter((uid) => uid > lastUid && uid < oldBelow);
  const old: number[] = [];
  for (let at = 0; at < ahead.length; at += windowMessages) {
    const { facts } = await askFacts(client, ahead.slice(at, at + windowMessages));
    for (const one of facts.values()) if (isOld(one, state)) old.push(one.uid);
  }
  return [...passed, ...old.sort((a, b) => a - b)];
}

/** In the order given, until all were asked for once or `stop` says so. Rejects where the connection or the folder's generation is lost. */
export async function takeOld(
  client: Client,
  folder: OpenFolder,
  uids: readonly number[],
  ports: PassPorts,
): Promise<void> {
  const pace = openPace(ports.clock, ports.rate, ports.stop);
  for (const window of windowsOf(uids, ports)) {
    if (ports.stop.aborted) return;
    ports.asking(window);
    const { facts, refused } = await askFacts(client, window);
    for (const [uid, reason] of refused) ports.missed(uid, reason, false);
    for (const uid of window) if (!facts.has(uid) && !refused.has(uid)) ports.told({ kind: "gone", uid });
    const found = window.flatMap((uid) => facts.get(uid) ?? []);
    const fitting = found.filter((one) => isFitting(one, ports));
    const isSmall = ({ uid, size }: MessageFacts): boolean => size <= pieceBytes && !ports.isAlone(uid);
    await takeSmall(client, folder, fitting.filter(isSmall), ports, pace);
    for (const one of fitting.filter((each) => !isSmall(each))) {
      if (ports.stop.aborted) return;
      await pace();
      await takeAlone(client, folder, one, ports);
    }
  }
}

function* windowsOf(uids: readonly number[], { isAlone }: PassPorts): Generator<readonly number[]> {
  const together = uids.filter((uid) => !isAlone(uid));
  for (let at = 0; at < together.length; at += windowMessages) yield together.slice(at, at + windowMessages);
  for (const uid of uids) if (isAlone(uid)) yield [uid];
}

function isFitting({ uid, size }: MessageFacts, { account: { settings }, intake, told }: TakePorts): boolean {
  const most = Math.min(settings.max_bytes ?? intake.maxBytes, intake.maxBytes);
  if (size <= most) return true;
  told({ kind: "refused", uid, reason: `it has ${size} bytes, more than the ${most} that are taken` });
  return false;
}

async function takeSmall(
  client: Client,
  folder: OpenFolder,
  facts: readonly MessageFacts[],
  ports: PassPorts,
  pace: () => Promise<void>,
): Promise<void> {
  if (facts.length === 0) return;
  ports.asking(facts.map(({ uid }) => uid));
  const left = new Map(facts.map((one) => [one.uid, one]));
  const flights = openFlights(inFlight, bytesInFlight);
  let trouble: { readonly error: unknown } | undefined;
  const expected = facts.reduce((sum, { size }) => sum + size, 0);
  try {
    for await (const { uid, bytes } of client.bodies([...left.keys()], 2 * expected + bytesInFlight)) {
      const one = left.get(uid);
      // Either is wrong, the size or the body: it is read alone.
      if (one === undefined || one.size !== bytes.length) continue;
      left.delete(uid);
      await pace();
      flights.launch(bytes.length, accept(once(bytes), folder, one, ports));
      await flights.room();
      if (flights.broken || ports.stop.aborted) break;
    }
  } catch (error) {
    // `NO [EXPUNGEISSUED]` and its like: what did not come is read alone.
    if (!isRefusal(error)) trouble = { error };
  }
  await flights.settled();
  if (trouble !== undefined) throw trouble.error;
  for (const one of left.values()) {
    if (ports.stop.aborted) return;
    await takeAlone(client, folder, one, ports);
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function takeAlone(client: Client, folder: OpenFolder, facts: MessageFacts, ports: PassPorts): Promise<void> {
  ports.asking([facts.uid]);
  // Servers that reckon sizes exist: what comes twice in the same length is the message.
  let expected = facts.size;
  for (let turn = 0; turn < 3; turn++) {
    let total = 0;
    async function* measured(): AsyncGenerator<Uint8Array> {
      for await (const piece of client.pieces(facts.uid, expected)) {
        total += piece.length;
        yield piece;
      }
      if (total !== expected) throw new ImapTrouble("protocol", "it has another number of bytes each time");
    }
    try {
      await accept(measured(), folder, facts, ports);
      return;
    } catch (error) {
      if (!(error instanceof ImapTrouble) || error.kind === "connection" || error.kind === "limit") throw error;
      if (error.kind === "protocol" && total !== expected && turn < 2) {
        expected = total;
        continue;
      }
      const isThere = (await askFacts(client, [facts.uid])).facts.has(facts.uid);
      if (isThere) ports.missed(facts.uid, error.message, false);
      else ports.told({ kind: "gone", uid: facts.uid });
      return;
    }
  }
}

/** Durable, or told of, when it resolves. Waits while there is no room for mail. */
async function accept(
  raw: AsyncGenerator<Uint8Array>,
  { chosen, state }: OpenFolder,
  facts: MessageFacts,
  ports: PassPorts,
): Promise<void> {
  const { intake, clock, stop, backfilled, told } = ports;
  const { tenant, settings } = ports.account;
  while (!stop.aborted && (await intake.pressure()) !== undefined) await clock.sleep(busyMs, stop);
  if (stop.aborted) return;
  const envelope = {
    kind: "imap" as const,
    tenant,
    routes: [chosen.name],
    received_at: clock.now(),
    imap: {
      account: settings.id,
      mailbox: chosen.name,
      uidvalidity: state.uidValidity,
      uid: facts.uid,
      flags: [...facts.flags],
      internaldate: facts.internalDate === null ? null : new Date(facts.internalDate).toISOString(),
      ...(chosen.sent ? { sent: true } : {}),
      ...(backfilled ? { backfilled: true } : {}),
      ...(facts.gmMsgid === null ? {} : { gm_msgid: facts.gmMsgid }),
      ...(facts.gmThrid === null ? {} : { gm_thrid: facts.gmThrid }),
    },
  };
  const landing = {
    folder: state.id,
    uidValidity: state.uidValidity,
    uid: facts.uid,
    source: "backfill",
    // Old mail stays as it is; what was only missed is treated as it would have been.
    after: backfilled ? "none" : afterIn(chosen, settings),
  } as const;
  let broken: unknown;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* raw;
    } catch (error) {
      broken = error;
      throw error;
    }
  }
  try {
    const [receipt] = await intake.accept(watched(), [envelope], { landing, ...(backfilled ? { priority: 1 } : {}) });
    told({ kind: receipt?.outcome === "duplicate" ? "duplicate" : "new", uid: facts.uid });
  } catch (error) {
    if (broken !== undefined) throw broken;
    if (error instanceof Fenced || !(error instanceof NotAccepted)) throw error;
    const { kind, reason } = error.refusal;
    if (kind === "busy" || kind === "store_failed") ports.missed(facts.uid, reason, true);
    else told({ kind: "refused", uid: facts.uid, reason });
  }
}

/** So many a second, evenly. */
function openPace(clock: Clock, rate: number, stop: AbortSignal): () => Promise<void> {
  const time = openSteady(clock);
  let next = time();
  return async () => {
    const now = time();
    next = Math.max(next, now - 1_000) + 1_000 / rate;
    // A timer for less costs more than it paces.
    if (next - now > leastPauseMs) await clock.sleep(next - now, stop);
  };
}
