/**
 * MEMORY: accounts that are read by IMAP. Who reads one, how far each folder was read, and what became of every message in it. Part of the
 * ledger. An account is named `tenant/account`. A folder has one generation for as long as its UIDs mean what they meant: where
 * UIDVALIDITY changes, or UIDNEXT goes back under the same one, a new generation begins and what was known of the old one is only history.
 */

/** Reads one account; nobody else does until the lease ends or is given up. */
export interface AccountLease {
  readonly account: string;
  readonly token: string;
}

export interface HoldAccount {
  readonly account: string;
  /** Of the lease that is to be kept; without it, or where that was lost, a new one is taken if the account is free. */
  readonly token?: string;
  readonly now: number;
  readonly until: number;
  /** Which folders the configuration asks for, in one text. */
  readonly selectors: string;
  /** All of them were opened: from now on, one that is new to us is new on the server. */
  readonly opened?: boolean;
}

export interface HeldAccount extends AccountLease {
  /** When it was held for the first time. */
  readonly firstAt: number;
  /** The same folders were asked for when all of them were opened last: one that is new to us is new on the server. */
  readonly sameSelectors: boolean;
}

export interface FolderState {
  /** Of this generation. */
  readonly id: number;
  readonly account: string;
  readonly path: string;
  /** The name that survives a renaming, where the server has the extension OBJECTID. */
  readonly mailboxId: string | null;
  readonly uidValidity: number;
  /** Messages from here on are ours. Of those below `oldBelow`, which were there before we were, only the ones that are younger than `since`. */
  readonly firstUid: number;
  readonly oldBelow: number;
  /** Epoch ms, by the server's clock. */
  readonly since: number;
  /** The cursor: of the messages that are ours, all at or below it are accounted for. */
  readonly lastUid: number;
  /** HIGHESTMODSEQ when all was accounted for, where the server has CONDSTORE. */
  readonly modSeq: string | null;
  /** What the server said last, and when that was. */
  readonly uidNext: number;
  readonly seenAt: number;
  /** When nothing was left to do. */
  readonly doneAt: number;
}

/** A folder that is read for the first time, or whose messages have new numbers. */
export interface OpenFolder extends AccountLease {
  readonly path: string;
  readonly mailboxId: string | null;
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly firstUid: number;
  readonly since: number;
  readonly now: number;
}

/** What is done to a message on the server once it is durable here. */
export const afterwards = ["none", "keyword", "seen", "move"] as const;
export type Afterwards = (typeof afterwards)[number];

/** Where a message lies on the server: written with the message itself, in one transaction, or neither is. */
export interface Landing {
  /** FolderState.id. */
  readonly folder: number;
  readonly uidValidity: number;
  readonly uid: number;
  /** Token of the account's lease. Only old mail that a command takes in beside the daemon comes without. */
  readonly lease?: string;
  readonly source: "live" | "backfill";
  /** The cursor moves from here to `uid`; where it stands elsewhere it stays, for something before is not accounted for. */
  readonly from?: number;
  /** An intent. Of a message that it was done to under an earlier generation, it is not done again. */
  readonly after: Afterwards;
}

/** landed: in the ledger, as an event. waiting: it failed, and is tried again. The others say why there is none. */
export const uidStates = ["landed", "waiting", "gone", "before", "quarantined"] as const;
export type UidState = (typeof uidStates)[number];

/** What became of a message that did not land. */
export interface PassedUid {
  readonly uid: number;
  readonly state: Exclude<UidState, "landed">;
  readonly reason: string;
  /** When a waiting one is tried again. Each time it is said to be waiting counts an attempt. */
  readonly dueAt?: number;
}

export interface FolderNews extends AccountLease {
  readonly folder: number;
  readonly at: number;
  readonly uidNext: number;
  readonly modSeq: string | null;
  readonly passed?: readonly PassedUid[];
  /** The cursor goes here, if that is forward. */
  readonly lastUid?: number;
  /** All that the server has is accounted for: landed, passed, or waiting for its next try. */
  readonly complete?: boolean;
}

/** From and to, both included. */
export type UidRange = readonly [from: number, to: number];

export interface WaitingUid {
  readonly uid: number;
  readonly attempts: number;
  readonly firstAt: number;
  readonly dueAt: number;
  readonly reason: string;
}

/** What is known of a folder's messages. */
export interface KnownUids {
  /** Accounted for, one way or another; ascending, apart. Not what is gone: where the server lists it again it was not. */
  readonly settled: readonly UidRange[];
  readonly waiting: readonly WaitingUid[];
}

export interface UidFate {
  readonly uid: number;
  readonly state: UidState;
  readonly reason: string | null;
  readonly attempts: number;
  readonly at: number;
  readonly source: Landing["source"] | null;
  /** What is still to be done to it on the server. */
  readonly pending: Afterwards | null;
  readonly eventId: string | null;
  /** Of its event, one a lane: the state, why, and the id of the activity at the CRM. */
  readonly deliveries: readonly {
    readonly lane: string;
    readonly state: string;
    readonly reason: string | null;
    readonly activity: string | null;
  }[];
}

export interface RetriedUids {
  readonly live: number;
  readonly old: number;
}

/** One folder of one account, as commands and metrics show it. */
export interface FolderTally {
  readonly folder: FolderState;
  readonly waiting: number;
  readonly quarantined: number;
  /** Messages to which something is still to be done on the server. */
  readonly pending: number;
}

export interface AccountTally {
  readonly account: string;
  readonly firstAt: number;
  /** Set while nobody can log in. */
  readonly blockedReason: string | null;
  readonly blockedAt: number | null;
  readonly folders: readonly FolderTally[];
}

export interface Imap {
  /** Takes the account, or keeps it. Undefined while somebody else has it. */
  holdAccount(hold: HoldAccount): Promise<HeldAccount | undefined>;
  releaseAccount(lease: AccountLease): Promise<void>;
  /** Null: it is not blocked any more. */
  blockAccount(blocked: {
    readonly account: string;
    readonly at: number;
    readonly reason: string | null;
  }): Promise<void>;
  /** Those of the present generation, by path. */
  folders(account: string): Promise<readonly FolderState[]>;
  /**
   * Begins a generation; the one before, of the same path, ends. Where there was one, all UIDs from 1 on are looked at again, and `since`
   * stays what it was: `firstUid` and `since` are of a folder that was never seen. Undefined when the lease was lost.
   */
  openFolder(folder: OpenFolder): Promise<FolderState | undefined>;
  /** The folder has another name on the server now. False when the lease was lost or the name is taken. */
  renameFolder(folder: AccountLease & { readonly folder: number; readonly path: string }): Promise<boolean>;
  /** False, and nothing is written, when the lease was lost or the folder's generation has ended. */
  folderNews(news: FolderNews): Promise<boolean>;
  /** Of the UIDs in the range, both ends included. */
  knownUids(folder: number, range: UidRange): Promise<KnownUids>;
  /** Those to which something is to be done that was not seen to hold yet, ascending. */
  uidsToAct(folder: number, limit: number): Promise<readonly { readonly uid: number; readonly after: Afterwards }[]>;
  /** It holds on the server now, or the message is not there any more. False when the lease was lost. */
  acted(
    done: AccountLease & { readonly folder: number; readonly uids: readonly number[]; readonly at: number },
  ): Promise<boolean>;
  /** Of those asked for that are known, ascending. */
  fates(folder: number, uids: readonly number[]): Promise<readonly UidFate[]>;
  /** The next of these states after a UID, ascending: what waits or was given up, or all that is known. */
  uidsIn(query: {
    readonly folder: number;
    readonly states: readonly UidState[];
    readonly after: number;
    readonly limit: number;
  }): Promise<readonly UidFate[]>;
  /** All that wait for their next try, ascending. */
  waitingUids(folder: number): Promise<readonly WaitingUid[]>;
  /**
   * Given up by whoever takes old mail in beside the reader, and without its lease. False, and nothing is written, where the folder's generation
   * has ended or the message has landed.
   */
  giveUp(given: {
    readonly folder: number;
    readonly uid: number;
    readonly reason: string;
    readonly attempts: number;
    readonly at: number;
  }): Promise<boolean>;
  /**
   * What was given up is tried again; `uids`: only these. How many are the reader's, who tries them at its next look, and how many are older than
   * the watch: those are as if nobody had tried them, for whoever takes old mail in.
   */
  retryQuarantined(folder: number, now: number, uids?: readonly number[]): Promise<RetriedUids>;
  accountTally(): Promise<readonly AccountTally[]>;
}
