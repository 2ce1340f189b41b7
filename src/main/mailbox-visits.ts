/** What commands do at a mailbox: look whether the login works, sign in, take old mail in, and hold all that is there against the ledger. */
import type { Clock } from "../model/ports.ts";
import type { Intake } from "../model/source.ts";
import type { ImapAccount, ImapPorts } from "../sources/imap/context.ts";
import { type Covered, coverageOf } from "../sources/imap/coverage.ts";
import { signInOptions } from "../sources/imap/credentials.ts";
import { takeThrough } from "../sources/imap/going-through.ts";
import { landedIn, type OpenFolder, quarantinedIn, type TakenAs, waitingIn } from "../sources/imap/old-mail.ts";
import { signInByDevice } from "../sources/imap/sign-in.ts";
import { isRefusal } from "../sources/imap/trouble.ts";
import { openFor, type Visit, visit } from "../sources/imap/visit.ts";
import type { DeviceCode } from "../wire/oauth/device.ts";
import type { Ground } from "./ground.ts";

const portsOf = ({ clock, random, log, metrics, ledger, tokens }: Ground): ImapPorts => ({
  clock,
  random,
  log,
  metrics,
  ledger,
  tokens,
});

/** Rejects with Refused where nobody signed in. */
export async function signIn(
  ground: Ground,
  account: ImapAccount,
  show: (code: DeviceCode) => Promise<void>,
  stop: AbortSignal,
): Promise<void> {
  const options = signInOptions(account, ground);
  if (options === undefined) throw new TypeError("nobody signs in to a mailbox with a password");
  await signInByDevice({ ...options, show, stop });
}

/** Rejects with ImapTrouble where one cannot log in. */
export async function lookAt(ground: Ground, account: ImapAccount) {
  const here = await visit(account, portsOf(ground));
  try {
    const folders: { name: string; messages: number }[] = [];
    for (const { path, name } of here.chosen) {
      const { exists } = await here.client.open(path, true);
      folders.push({ name, messages: exists });
    }
    return { folders, missing: here.missing };
  } finally {
    await here.close();
  }
}

export interface Looked {
  readonly account: ImapAccount;
  readonly folders: readonly FolderLooked[];
  readonly missing: readonly string[];
  /** Folders of which somebody else has the account, and has not looked at them yet. */
  readonly unopened: readonly string[];
  /** Folders that the server does not let us open, and why. */
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
  close(): Promise<void>;
}

export interface FolderLooked {
  readonly name: string;
  /** All that are asked for, ascending. */
  readonly uids: readonly number[];
  /** Of them, those that are not new: the reader of new mail has been past them, and does not try them again. */
  readonly old: readonly number[];
  readonly landed: ReadonlySet<number>;
  /** Given up, and not tried again unless somebody asks for it. */
  readonly quarantined: ReadonlySet<number>;
  /** Newest of what is known of each, in their order. */
  coverage(): AsyncGenerator<Covered>;
  /** Takes in what is named, oldest first. */
  take(uids: readonly number[], how: TakeHow): Promise<void>;
}
export interface TakeHow {
  readonly clock: Clock;
  readonly stop: AbortSignal;
  readonly rate: number;
  readonly backfilled: boolean;
  told(outcome: TakenAs): void;
}

/** `since`: epoch ms, by the day and the server's clock. `only`: names of folders, among those that the configuration asks for. */
export async function lookThrough(
  ground: Ground,
  account: ImapAccount,
  intake: Intake,
  { since, only }: { readonly since?: number; readonly only?: readonly string[] },
): Promise<Looked> {
  const ports = portsOf(ground);
  const here = await visit(account, ports);
  try {
    const folders: FolderLooked[] = [];
    const unopened: string[] = [];
    const refused: { name: string; reason: string }[] = [];
    for (const chosen of here.chosen.filter(({ name }) => only === undefined || only.includes(name))) {
      try {
        const open = await openFor(here, chosen, account, intake, ports);
        if (open === undefined) unopened.push(chosen.name);
        else folders.push(await looked(here, open, account, intake, ports, since));
      } catch (error) {
        // By an ACL, or for a fault of its own: the others can be looked at.
        if (!isRefusal(error)) throw error;
        refused.push({ name: chosen.name, reason: error.message });
      }
    }
    return { account, folders, missing: here.missing, unopened, refused, close: here.close };
  } catch (error) {
    await here.close();
    throw error;
  }
}

async function looked(
  here: Visit,
  open: OpenFolder,
  account: ImapAccount,
  intake: Intake,
  { ledger }: ImapPorts,
  since: number | undefined,
): Promise<FolderLooked> {
  const { client } = here;
  const uids = since === undefined ? await client.uids(1) : await client.uidsSince(since);
  // The cursor was read before the UIDs: what came since is new.
  const waiting = await waitingIn(open.state.id, ledger);
  return {
    name: open.chosen.name,
    uids,
    old: uids.filter((uid) => uid <= open.state.lastUid && !waiting.has(uid)),
    landed: await landedIn(open.state.id, ledger),
    quarantined: await quarantinedIn(open.state.id, ledger),
    coverage: () => coverageOf(open.state, uids, ledger),
    async take(wanted, how) {
      // Folders are looked at one after the other, and taken from one after the other.
      if (!here.client.isOpen(open.chosen.path, true)) await here.client.open(open.chosen.path, true);
      await takeThrough(here, open, wanted, { account, ledger, intake, ...how });
    },
  };
}
