/** What the parts of one account's reader share: its settings, its lease, its ports, and what is known of each folder while it is read. */
import type { AccountLease, Afterwards, FolderState, HeldAccount, Imap, WaitingUid } from "../../model/imap.ts";
import type { Clock, Log, Metrics, Random } from "../../model/ports.ts";
import type { Intake } from "../../model/source.ts";
import type { TokenStore } from "../../model/tokens.ts";
import { type Chosen, isNamed } from "./selecting.ts";
import type { ImapSettings } from "./settings.ts";
import type { Steady } from "./steady.ts";

export interface ImapAccount {
  readonly tenant: string;
  readonly settings: ImapSettings;
}

export interface ImapPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly ledger: Imap;
  readonly tokens: TokenStore;
}

/** `tenant/account`, as the ledger names it. */
export const accountName = ({ tenant, settings }: ImapAccount): string => `${tenant}/${settings.id}`;

/** When a folder that is not known yet came to be asked for. */
export interface Asked {
  /** What came since is new mail. Epoch ms, by our clock. */
  readonly from: number;
  /** The server did not let us look at it then: how far it went at that time, nobody knows. */
  late: boolean;
}

export interface Context {
  readonly account: ImapAccount;
  readonly intake: Intake;
  readonly ports: ImapPorts;
  readonly held: HeldAccount;
  readonly stop: AbortSignal;
  readonly time: Steady;
  /** Of the account, by the clock: a message that fails while others land is itself to blame. */
  landedAt: number;
  /**
   * By path, folders in which a batch broke the connection, and how many messages are asked for at once there: until it is known which one does it,
   * each is read alone, and half as many each time where already the question breaks it. Outlives a session.
   */
  readonly suspects: Map<string, number>;
  /** By path. Outlives a session, too. */
  readonly asked: Map<string, Asked>;
}

export const leaseOf = ({ held: { account, token } }: Context): AccountLease => ({ account, token });

/** What is done to the messages of a folder: none is moved to where it lies. */
export const afterIn = (chosen: Chosen, { after, move_to }: ImapSettings): Afterwards =>
  after === "move" && move_to !== undefined && isNamed(chosen, move_to) ? "none" : after;

/** Asked for at once; as many as a line of a server's answer may hold. */
export const windowMessages = 500;

/** One folder in the hands of one connection. */
export interface Work {
  readonly chosen: Chosen;
  state: FolderState | undefined;
  /** Those that failed, as the ledger has them. */
  waiting: Map<number, WaitingUid>;
  /** When all its UIDs were held against the ledger last; this and `retryAt` by the context's steady time. */
  sweptAt: number;
  /** How often in a row the server refused the folder itself, and when it is asked for it again. */
  refusals: number;
  retryAt: number;
}

export const workOn = (chosen: Chosen): Work => ({
  chosen,
  state: undefined,
  waiting: new Map(),
  sweptAt: Number.NEGATIVE_INFINITY,
  refusals: 0,
  retryAt: Number.NEGATIVE_INFINITY,
});

/** The lease was lost, or the folder's generation has ended under our hands: the account is begun anew. */
export class BegunAnew extends Error {
  override readonly name = "BegunAnew";
}

/** We cannot take mail now; the server is not to blame, and no message either. */
export class Busy extends Error {
  override readonly name = "Busy";
}
