/** Holds what the server says of a folder against what the ledger knows of it: the same generation, another name, or a new beginning. */
import type { FolderState } from "../../model/imap.ts";
import { askFacts } from "./asking.ts";
import type { Client, Mailbox, MessageFacts } from "./client.ts";
import { BegunAnew, type Context, leaseOf, type Work } from "./context.ts";

/** `listed`: all paths that the server has. */
export async function presentState(
  client: Client,
  box: Mailbox,
  work: Work,
  listed: ReadonlySet<string>,
  context: Context,
): Promise<FolderState> {
  const { path } = work.chosen;
  const known = await context.ports.ledger.folders(context.held.account);
  const same = known.find((folder) => folder.path === path);
  if (same !== undefined && !isAnother(same, box)) return same;
  const renamed = same === undefined ? await underOldName(box, known, listed, path, context) : undefined;
  if (renamed !== undefined) return renamed;
  if (same !== undefined) {
    const { uidValidity, uidNext } = same;
    context.ports.log.warn(
      { account: context.held.account, was: uidValidity, is: box.uidValidity, uidNext, uidNextIs: box.uidNext },
      "the messages of a folder have new numbers; they are matched with the ledger by what they are",
    );
    context.ports.metrics.count("imap_renumbered_total", labelsOf(context));
  }
  return await begin(client, box, path, context);
}

export const labelsOf = ({ account: { tenant, settings } }: Pick<Context, "account">) => ({
  tenant,
  account: settings.id,
});

/** RFC 9051 §2.3.1.1: UIDs only grow. A server that was put back from a backup may give them out a second time under the same UIDVALIDITY. */
export function isAnother(known: FolderState, box: Mailbox): boolean {
  // RFC 8474: a folder that was deleted and made again under its name has another id, and may have the same UIDVALIDITY.
  if (known.mailboxId !== null && box.mailboxId !== null && known.mailboxId !== box.mailboxId) return true;
  return known.uidValidity !== box.uidValidity || (box.uidNext > 0 && box.uidNext < known.uidNext);
}

/** It was there before the mailbox was watched, by the server's own clock. */
export const isOld = (
  { uid, internalDate }: Pick<MessageFacts, "uid" | "internalDate">,
  { oldBelow, since }: Pick<FolderState, "oldBelow" | "since">,
): boolean => uid < oldBelow && internalDate !== null && internalDate <= since;

/** Only by the id that the server gives folders (RFC 8474): many servers give all folders one UIDVALIDITY. */
async function underOldName(
  box: Mailbox,
  known: readonly FolderState[],
  listed: ReadonlySet<string>,
  path: string,
  context: Context,
): Promise<FolderState | undefined> {
  if (box.mailboxId === null) return undefined;
  const old = known.find((one) => one.mailboxId === box.mailboxId && !listed.has(one.path) && !isAnother(one, box));
  if (old === undefined) return undefined;
  const renamed = await context.ports.ledger.renameFolder({ ...leaseOf(context), folder: old.id, path });
  return renamed ? { ...old, path } : undefined;
}

/** The server's clock and ours may differ by that. */
const clocksDifferMs = 3600_000;
const looksAt = 50;

/** When the newest of what is there already came, by the server's clock: what is older is not ours, whatever number it gets one day. */
async function newestDate(client: Client, uidNext: number, exists: number, now: number): Promise<number> {
  if (exists === 0) return 0;
  const last = (await client.uids(Math.max(1, uidNext - looksAt))).slice(-looksAt);
  const { facts } = await askFacts(client, last);
  const dates = [...facts.values()].map(({ internalDate }) => internalDate ?? 0);
  // A date in the future, which whoever puts a message there may give it, would make new mail old.
  return dates.length === 0 ? now - clocksDifferMs : Math.min(now, Math.max(...dates));
}

/** What is older is old, by the server's clock, though this is the first look at the folder; undefined where all that is there is old. */
function newSince(path: string, { held, asked }: Context, now: number): number | undefined {
  const known = asked.get(path);
  if (known?.late === true) {
    // What came since it was asked for is new mail. A connection that broke once must not make an hour of old mail new.
    const from = Math.min(known.from, now);
    return from - Math.min(clocksDifferMs, now - from);
  }
  // Where we know the account, a folder that appears is new itself: all that came since we watch is ours.
  return held.sameSelectors ? (known?.from ?? held.firstAt) - clocksDifferMs : undefined;
}

/** SINCE goes by the day of whatever zone the server writes its dates in (RFC 9051 §6.4.4). */
const zonesDifferMs = 24 * 3600_000;

/** From there on one may be new: a big folder is not gone through from its first message, with what came last at the end. */
async function firstSince(client: Client, since: number, uidNext: number): Promise<number> {
  const [first = uidNext] = await client.uidsSince(since - zonesDifferMs);
  return Math.min(first, uidNext);
}

async function begin(client: Client, box: Mailbox, path: string, context: Context): Promise<FolderState> {
  const { ports } = context;
  const now = ports.clock.now();
  // Some servers say no UIDNEXT at SELECT.
  const uidNext = box.uidNext > 0 ? box.uidNext : ((await client.uids(1)).at(-1) ?? 0) + 1;
  const from = newSince(path, context, now);
  const since = from ?? (await newestDate(client, uidNext, box.exists, now));
  const state = await ports.ledger.openFolder({
    ...leaseOf(context),
    path,
    mailboxId: box.mailboxId,
    uidValidity: box.uidValidity,
    uidNext,
    firstUid: from === undefined ? uidNext : await firstSince(client, from, uidNext),
    since,
    now,
  });
  if (state === undefined) throw new BegunAnew("the account is read by another process");
  return state;
}
