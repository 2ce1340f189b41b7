/** What commands do at a mailbox: look whether the login works, sign in, take old mail in, and hold all that is there against the ledger. */
import type { Clock } from "../model/ports.ts";
import type { Intake } from "../model/source.ts";
import type { ImapAccount, ImapPorts } from "../sources/imap/context.ts";
import { type Covered, coverageOf } from "../sources/imap/coverage.ts";
import { signInOptions } from "../sources/imap/credentials.ts";
import { takeThrough } from "../sources/imap/going-through.ts";
import {
  landedIn,
  type OpenFolder,
  oldAmong,
  quarantinedIn,
  type TakenAs,
  waitingIn,
} from "../sources/imap/old-mail.ts";
import { type Chosen, isNamed } from "../sources/imap/selecting.ts";
import { signInByDevice } from "../sources/imap/sign-in.ts";
import { ImapTrouble, isRefusal, OtherNumbers } from "../sources/imap/trouble.ts";
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

/** Rejects with ImapTrouble where one cannot log in. A folder that the server refuses is named, and the others are looked at. */
export async function lookAt(ground: Ground, account: ImapAccount) {
  const here = await visit(account, portsOf(ground));
  try {
    const folders: { name: string; messages: number }[] = [];
    const refused: Refused[] = [];
    for (const { path, name } of here.chosen) {
      try {
        const { exists } = await here.client.open(path, true);
        folders.push({ name, messages: exists });
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refused.push({ name, reason: error.message });
      }
    }
    return { folders, missing: here.missing, refused };
  } finally {
    await here.close();
  }
}

interface Refused {
  readonly name: string;
  readonly reason: string;
}

export interface Looked {
  readonly account: ImapAccount;
  readonly folders: readonly FolderLooked[];
  /** What the configuration asks for and the server has not; none where folders were asked for by name. */
  readonly missing: readonly string[];
  /** What was asked for by name and is not among the folders that the configuration asks for. */
  readonly unknown: readonly string[];
  /** Folders of which somebody else has the account, and has not looked at them yet. */
  readonly unopened: readonly string[];
  /** Folders that the server does not let us open, and why. */
  readonly refused: readonly Refused[];
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
  /** Takes in what is named, oldest first. Rejects with OtherNumbers where they mean other messages by now. */
  take(uids: readonly number[], how: TakeHow): Promise<void>;
  /** Under the numbers that its messages have now; undefined where `stop` came first. Rejects with OtherNumbers where whoever reads the account does not come to it. */
  again(how: Pick<TakeHow, "clock" | "stop">): Promise<FolderLooked | undefined>;
}
export interface TakeHow {
  readonly clock: Clock;
  readonly stop: AbortSignal;
  readonly rate: number;
  readonly backfilled: boolean;
  told(outcome: TakenAs): void;
}

/** `since`: epoch ms, by the day and the server's clock. `only`: folders by their names, as we or the server write them, among those that the configuration asks for. */
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
    const refused: Refused[] = [];
    const isAsked = (one: Chosen): boolean => only === undefined || only.some((name) => isNamed(one, name));
    for (const chosen of here.chosen.filter(isAsked)) {
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
    const missing = only === undefined ? here.missing : [];
    const unknown = (only ?? []).filter((name) => !here.chosen.some((one) => isNamed(one, name)));
    return { account, folders, missing, unknown, unopened, refused, close: here.close };
  } catch (error) {
    await here.close();
    throw error;
  }
}

/** The daemon looks at each folder once a minute, if nobody has asked it for less. */
const lookMs = 5_000;
const mostLooks = 36;

/** Undefined also where the connection broke: the next look is at another one. */
async function openAgain(
  here: Visit,
  chosen: Chosen,
  account: ImapAccount,
  intake: Intake,
  ports: ImapPorts,
): Promise<OpenFolder | undefined> {
  try {
    if (here.client.lost !== undefined) await here.reconnect();
    return await openFor(here, chosen, account, intake, ports);
  } catch (error) {
    if (error instanceof ImapTrouble && (error.kind === "connection" || error.kind === "limit")) return undefined;
    throw error;
  }
}

async function looked(
  here: Visit,
  open: OpenFolder,
  account: ImapAccount,
  intake: Intake,
  ports: ImapPorts,
  since: number | undefined,
): Promise<FolderLooked> {
  const { client } = here;
  const { ledger } = ports;
  const uids = since === undefined ? await client.uids(1) : await client.uidsSince(since);
  // The cursor was read before the UIDs: what came since is new.
  const waiting = await waitingIn(open.state.id, ledger);
  return {
    name: open.chosen.name,
    uids,
    old: (await oldAmong(client, open.state, uids)).filter((uid) => !waiting.has(uid)),
    landed: await landedIn(open.state.id, ledger),
    quarantined: await quarantinedIn(open.state.id, ledger),
    coverage: () => coverageOf(open.state, uids, ledger),
    async take(wanted, how) {
      await takeThrough(here, open, wanted, { account, ledger, intake, ...how });
    },
    async again({ clock, stop }) {
      for (let tries = 1; tries <= mostLooks && !stop.aborted; tries++) {
        const anew = await openAgain(here, open.chosen, account, intake, ports);
        if (anew !== undefined) return await looked(here, anew, account, intake, ports, since);
        await clock.sleep(lookMs, stop);
      }
      if (stop.aborted) return undefined;
      throw new OtherNumbers(open.chosen.name);
    },
  };
}
