/** Does to messages on the server what the configuration asks for, once they are durable, and again until it is seen to hold. */
import type { FolderState } from "../../model/imap.ts";
import type { Client } from "./client.ts";
import { afterIn, BegunAnew, type Context, leaseOf, type Work } from "./context.ts";
import { isAnother, labelsOf } from "./generation.ts";
import { pathsNamed } from "./selecting.ts";
import { ImapTrouble, isRefusal } from "./trouble.ts";

const atOnce = 500;

/** A server that refuses is asked again at the next look; nothing else waits for it. `listed`: all paths that the server has. */
export async function actOn(
  client: Client,
  work: Work,
  state: FolderState,
  listed: ReadonlySet<string>,
  context: Context,
): Promise<void> {
  const { ledger, log, metrics } = context.ports;
  const after = afterIn(work.chosen, context.account.settings);
  for (;;) {
    const asked = await ledger.uidsToAct(state.id, atOnce);
    if (asked.length === 0 || context.stop.aborted) return;
    const uids = asked.map(({ uid }) => uid);
    // What was asked for is not any more.
    const done = after === "none" ? uids : await attempt(client, work, state, uids, listed, context);
    if (done.length > 0) {
      const at = context.ports.clock.now();
      const written = await ledger.acted({ ...leaseOf(context), folder: state.id, uids: done, at });
      if (!written) throw new BegunAnew("the account is read by another process");
    }
    if (done.length === uids.length) continue;
    metrics.count("imap_actions_refused_total", { ...labelsOf(context), action: after }, uids.length - done.length);
    log.debug({ account: context.held.account, action: after, left: uids.length - done.length }, "imap: not done yet");
    return;
  }
}

/** Those of which it holds, and those that are gone. */
async function attempt(
  client: Client,
  { chosen }: Work,
  state: FolderState,
  uids: readonly number[],
  listed: ReadonlySet<string>,
  context: Context,
): Promise<readonly number[]> {
  const { settings } = context.account;
  const target = settings.after === "move" ? targetOf(settings.move_to ?? "", client.prefix, [...listed]) : undefined;
  // Named without the prefix, it is this folder: each move would give them new numbers, and so be the first of many.
  if (target === chosen.path) return uids;
  try {
    const box = await client.open(chosen.path, false);
    // Between the look and this, the UIDs may have come to mean something else.
    if (isAnother(state, box) || (await generationOf(chosen.path, context)) !== state.id)
      throw new BegunAnew("the folder has begun anew");
    if (target !== undefined) {
      // Without MOVE a copy is made first: after a broken connection there would be two (RFC 6851).
      if (!client.can("MOVE")) throw new ImapTrouble("refused", "the server cannot move messages (RFC 6851)");
      return await client.move(uids, target);
    }
    const flag = settings.after === "seen" ? "\\Seen" : settings.keyword;
    if (!client.keeps(flag)) throw new ImapTrouble("refused", `the folder keeps no ${flag}`);
    const held = await client.addFlag(uids, flag);
    return uids.filter((uid) => held.get(uid) !== false);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    context.ports.log.warn(
      { account: context.held.account, action: settings.after },
      "imap: the server does not do what `after` asks for; it is asked again",
    );
    return [];
  }
}

/** The path of the folder that is meant, as the server or we write it, and with the prefix of all folders or without; else what was written. */
function targetOf(wanted: string, prefix: string, listed: readonly string[]): string {
  const [found] = pathsNamed(listed, wanted);
  if (found !== undefined) return found;
  const below = listed.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
  const [named] = pathsNamed(below, wanted);
  return named === undefined ? wanted : prefix + named;
}

async function generationOf(path: string, { ports, held }: Context): Promise<number | undefined> {
  return (await ports.ledger.folders(held.account)).find((folder) => folder.path === path)?.id;
}
