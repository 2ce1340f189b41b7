/**
 * MEMORY: what the ledger promises, in ledger words. Every method is one atomic, durable step: when its promise resolves, what it says
 * survives kill -9 and power loss; when it rejects, the change may be there (a failed commit can still reach the disk), and the caller must
 * be safe either way. Times are epoch ms handed in. No connection or transaction type is visible: a second engine runs the same contract.
 * The life of a message: accept -> attempt (a parse begins) -> prepare (event, and per lane a decision) -> claim (a lane works)
 * -> note (intents and outcomes of single steps) -> settle.
 */
import type { AcquaintanceQuestion, Acquainted, Lesson, Namesake, SenderDecision } from "./acquaintance.ts";
import type { LaneBudgets, OldMailPause, OldMailWaits } from "./budget.ts";
import type { Envelope } from "./envelope.ts";
import type { Files, NewFile } from "./files.ts";
import type { DeadLetter, EventRow, FindQuery, SkipCount, SkipQuery, StoryLine } from "./history.ts";
import type { Imap, Landing } from "./imap.ts";
import type { Mappings, ThreadDeal } from "./mappings.ts";
import type { Purged, PurgePolicy } from "./purge.ts";
import type { NewReview, Reviews, Verdict } from "./reviews.ts";
import type { AttemptOfRun, ByRun, Confirmed, RunOutcome, Runs, StepOfRun } from "./runs.ts";
import type { StepKind } from "./step.ts";
import type { Placed, Threads } from "./threads.ts";
import type { TokenRows } from "./tokens.ts";
import type { UnclearCalls } from "./unclear.ts";

/** A delivery is one event for one lane. `failed` is a dead letter; `held` waits in review. */
export const deliveryStates = ["pending", "processed", "failed", "skipped", "held"] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** `planned -> sent -> confirmed | unknown | refused`; `sent` is committed before the call. */
export const stepStates = ["planned", "sent", "confirmed", "unknown", "refused"] as const;
export type StepState = (typeof stepStates)[number];

/** Why a delivery is a dead letter. `outcome_unknown`: a person must look at the CRM, then confirm or replay. */
export const failureReasons = ["permanent", "outcome_unknown", "exhausted", "unparsable", "dropped", "defect"] as const;
export type FailureReason = (typeof failureReasons)[number];

/** Where the raw bytes are. `gone`: retention removed them. */
export type RawPlace =
  | { readonly kind: "inline" }
  | { readonly kind: "spool"; readonly name: string }
  | { readonly kind: "blob"; readonly key: string }
  | { readonly kind: "gone" };

export interface NewMessage {
  /** Identity of this ingest; kept when the message turns out to be new. */
  readonly eventId: string;
  readonly tenant: string;
  /** Normalised `<...>`, or null. */
  readonly messageId: string | null;
  /** Content digest, 64 hex. */
  readonly digest: string;
  readonly receivedAt: number;
  readonly envelope: Envelope;
  /** SHA-256 of the exact bytes, 64 hex, and their number. */
  readonly rawSha256: string;
  readonly rawSize: number;
  readonly raw:
    | { readonly kind: "inline"; readonly sealed: Uint8Array }
    | { readonly kind: "spool"; readonly name: string };
  /** Above 0: old mail, which has the room that live mail leaves, on its way to the CRM too. Among such, lower is sooner. */
  readonly priority?: number;
  readonly landing?: Landing;
}

export interface Accepted {
  /** The event that holds this mail now: the given id when new, else the one that was there. */
  readonly eventId: string;
  /**
   * conflict: the same Message-ID with other content is known; both are kept, the newer is flagged. fenced: its landing is not true any more
   * (another reads the account, the folder's UIDs mean something else), and nothing was written.
   */
  readonly outcome: "new" | "duplicate" | "conflict" | "fenced";
  /** A duplicate that brought a route not known before; the event will be planned again. */
  readonly routeAdded: boolean;
}

/** A fence: work done under a lease that was lost must not be committed. */
export interface Lease {
  readonly token: string;
  readonly until: number;
}

export interface AttemptRequest {
  /** In the order of turns; each gets an equal share of the room, so that one tenant's flood never starves another. */
  readonly tenants: readonly string[];
  readonly room: number;
  readonly now: number;
  readonly leaseMs: number;
}

/** A message whose parse begins now. `attempts` counts this one; it was committed before this was returned. */
export interface Attempt extends ByRun {
  readonly lease: Lease;
  readonly eventId: string;
  readonly tenant: string;
  readonly attempts: number;
  readonly receivedAt: number;
  readonly messageId: string | null;
  readonly digest: string;
  readonly conflict: boolean;
  readonly rawSha256: string;
  readonly rawSize: number;
  readonly raw: RawPlace;
  /** The sealed bytes when they are inline. */
  readonly sealed?: Uint8Array;
  readonly envelope: Envelope;
  /** All routes known by now, merged duplicates included. */
  readonly routes: readonly string[];
  /** It was prepared once already, and what came of that is there: it is to be planned once more. */
  readonly preparedBefore: boolean;
  /** What a person said of it, where one did. */
  readonly verdict?: Verdict;
}

/** Why a parse is given back with its attempt: its bytes could not be read. */
export interface Unread {
  readonly at: number;
  /** They will not come back. */
  readonly lost: boolean;
}

export interface PreparedStep {
  readonly kind: StepKind;
  readonly key: string;
  readonly why: string;
}

export interface PreparedDelivery {
  /** Lane id: `tenant/destination`. */
  readonly lane: string;
  readonly decision:
    | {
        readonly kind: "steps";
        readonly rule: string;
        readonly steps: readonly PreparedStep[] /** JSON of Step[], sealed. */;
        readonly sealedSteps: Uint8Array;
        /** What an undo leaves alone, and why. */
        readonly kept?: RunOutcome["kept"];
      }
    | { readonly kind: "skip" | "hold"; readonly rule: string; readonly reason: string };
}

export interface Prepared extends AttemptOfRun {
  readonly eventId: string;
  readonly lease: Lease;
  readonly now: number;
  /** JSON of the canonical event, sealed. */
  readonly sealedEvent: Uint8Array;
  readonly schemaVersion: number;
  readonly mappingVersion: number;
  readonly parseStatus: "ok" | "partial" | "failed";
  /** Deliveries of one thread to one lane go in the order of arrival. */
  readonly threadKey: string;
  /** Where it stands, and who stands elsewhere because of it. Missing where nothing could be read of it. */
  readonly thread?: Placed;
  readonly deliveries: readonly PreparedDelivery[];
  /** What its sender teaches for later ones; committed with the rest. */
  readonly acquaintance?: Lesson;
  /**
   * What a person should look at. Held deliveries are listed by themselves. An open review of kind `thread` that is not asked for any more
   * closes; without this list nothing does.
   */
  readonly reviews?: readonly NewReview[];
  /** The deal that it asked for, where none of its thread did before. */
  readonly deal?: ThreadDeal;
  /** Its attachments. Rows that are there already stay as they are. */
  readonly files?: readonly NewFile[];
}

export interface ClaimRequest {
  readonly lane: string;
  readonly room: number;
  readonly now: number;
  readonly leaseMs: number;
  readonly bodies?: boolean;
}

/** Which account of its CRM a lane works now, in the words of Session.account. */
export interface Bind {
  readonly lane: string;
  readonly account: string;
}

export interface ClaimedStep extends StepOfRun {
  readonly id: number;
  readonly kind: StepKind;
  readonly key: string;
  readonly state: StepState;
  /** Creates sent so far that may have been carried out. */
  readonly sends: number;
  /** Complete, empty read-backs since the last send. */
  readonly emptyReads: number;
  /** When the last call's deadline ended, or the call itself where that was later (epoch ms); read-backs before it prove nothing. */
  readonly deadline: number | null;
  /** The vendor's id once confirmed, or remembered for this lane and key from another message. */
  readonly ref: string | null;
  readonly remembered: boolean;
}

export interface Claim {
  readonly lease: Lease;
  readonly id: number;
  readonly lane: string;
  readonly tenant: string;
  readonly eventId: string;
  readonly attempts: number;
  readonly receivedAt: number;
  /** When prepare committed, for parse_to_crm_latency_ms. */
  readonly preparedAt: number;
  readonly sealedSteps: Uint8Array;
  /** As prepared last; undefined after retention, and without `bodies`. Plans may speak of it instead of holding long texts themselves. */
  readonly sealedEvent: Uint8Array | undefined;
  /** In the order of the plan. */
  readonly steps: readonly ClaimedStep[];
  /** What earlier plans of this delivery have left at the CRM, and this one holds no more. */
  readonly left: readonly { readonly kind: StepKind; readonly key: string; readonly ref: string }[];
}

export interface Claims {
  readonly claims: readonly Claim[];
  /** The earliest time at which a pending delivery of this lane comes due, or the lease on one ends; null when there is none. */
  readonly nextDueAt: number | null;
}

/** What became of one step; committed with the notes beside it in one transaction. */
export type StepNote =
  /** Committed before the call leaves. Counts a send. `deadline`: when the call will have ended at the latest. */
  | { readonly step: number; readonly state: "sent"; readonly at: number; readonly deadline: number }
  /** Remembered for the lane under (kind, key) too. */
  | ({
      readonly step: number;
      readonly state: "confirmed";
      readonly at: number;
      readonly ref: string;
      readonly adopted: boolean;
      readonly note?: string;
    } & Confirmed)
  /** `emptyRead`: a complete read-back found nothing. `over`: when a call ended, which may be after its deadline (epoch ms). */
  | {
      readonly step: number;
      readonly state: "unknown";
      readonly at: number;
      readonly reason: string;
      readonly emptyRead?: boolean;
      readonly over?: number;
    }
  /** Certainly not executed: may be sent again. The send that was under way is not counted any more. */
  | { readonly step: number; readonly state: "planned"; readonly at: number; readonly reason: string }
  | { readonly step: number; readonly state: "refused"; readonly at: number; readonly reason: string };

/** A remembered record has vanished at the vendor: forget it, and plan the steps that hold it again. */
export interface Forget {
  readonly lane: string;
  readonly kind: StepKind;
  readonly key: string;
  readonly ref: string;
}

export interface Notes {
  readonly claim: { readonly id: number; readonly lease: Lease };
  readonly steps: readonly StepNote[];
  readonly forget?: readonly Forget[];
}

export type Settlement =
  | { readonly state: "processed"; readonly sampled?: boolean }
  | { readonly state: "failed"; readonly reason: FailureReason; readonly detail: string }
  | { readonly state: "held"; readonly rule: string; readonly detail: string }
  /** Back into the queue. `counted` false for rate limits and blocked lanes: they cost no attempt. */
  | { readonly state: "pending"; readonly dueAt: number; readonly counted: boolean; readonly detail: string };

export interface Settle {
  readonly claim: { readonly id: number; readonly lease: Lease };
  readonly at: number;
  readonly settlement: Settlement;
  /** Step notes of the same transaction. */
  readonly steps?: readonly StepNote[];
}

export interface LaneStatus {
  readonly lane: string;
  readonly tenant: string;
  readonly pausedUntil: number | null;
  readonly pauseReason: string | null;
  /** Set while blocked: nothing passes until an operator mends it and the lane is resumed. */
  readonly blockedReason: string | null;
  readonly blockedAt: number | null;
  readonly oldMail: OldMailWaits | null;
  readonly pending: number;
  readonly failed: number;
  readonly held: number;
  /** Epoch ms at which the oldest pending event was received. */
  readonly oldestPendingAt: number | null;
}

export type Pause =
  | { readonly lane: string; readonly kind: "until"; readonly until: number; readonly reason: string }
  | { readonly lane: string; readonly kind: "blocked"; readonly at: number; readonly reason: string }
  | OldMailPause
  /** Lifts the block. A pause until a time is the vendor's word, and stands. */
  | { readonly lane: string; readonly kind: "resume" };

export type Requeue =
  /** A dead letter again: attempts start anew, refused steps are planned again, an unknown one is read back first and may then be sent once more. */
  | { readonly kind: "replay"; readonly delivery: number; readonly now: number }
  /** A dead letter that a person looked up: the unknown step has this ref; goes on with what is left. */
  | { readonly kind: "confirm"; readonly delivery: number; readonly ref: string; readonly now: number }
  /** A dead letter that nobody wants: stays failed, with reason `dropped`, and leaves the list. */
  | { readonly kind: "drop"; readonly delivery: number; readonly now: number; readonly detail: string }
  /** Parse, plan and deliver again; confirmed steps stay as they are. */
  | { readonly kind: "reprocess"; readonly eventId: string; readonly now: number };

export interface LedgerStats {
  readonly messages: number;
  /** Waiting for their parse, and the oldest one's time of arrival. */
  readonly received: number;
  readonly oldestReceivedAt: number | null;
  /** Received plus pending deliveries: what the backlog cap is held against. */
  readonly backlog: number;
  readonly deliveries: Readonly<Record<DeliveryState, number>>;
  /** Settled messages whose raw bytes are still in the ledger. */
  readonly unarchived: number;
  /** Bytes of the ledger's files on disk. */
  readonly bytes: number;
}

export interface Ledger extends Threads, Reviews, Mappings, Files, Runs, Imap, TokenRows, UnclearCalls, LaneBudgets {
  /**
   * One transaction for all items; identity is decided inside it. The order of the answers is that of the items. Sealed bytes are
   * read until the call is answered: the caller neither changes them nor gives their memory away before.
   */
  accept(items: readonly NewMessage[]): Promise<readonly Accepted[]>;
  attempt(request: AttemptRequest): Promise<readonly Attempt[]>;
  /** False for an item whose lease was lost: nothing of it was written. Merges with deliveries and steps already there, by (lane) and (kind, key). */
  prepare(items: readonly Prepared[]): Promise<readonly boolean[]>;
  /**
   * Gives a parse back without a result. `ledger_failed`: it came to its end and could not be written down, so its attempt is given back; that
   * is no sign of poison. With `unread` its attempt is given back too, since bytes that are away are no sign of poison, and the
   * story tells of it; and where they are lost, a message that was prepared before is prepared again as it stood: a plan made of nothing
   * would be worse than the one it has. One without any delivery, whose bytes are not known to be gone, goes on waiting for them.
   */
  release(eventId: string, lease: Lease, dueAt: number, why?: Unread | "ledger_failed"): Promise<void>;
  /** A lease that ran out is taken back first, which counts an attempt. */
  claim(request: ClaimRequest): Promise<Claims>;
  /** Prolongs the leases of work that goes on until then (epoch ms). False for one that was lost. In the order of the claims. */
  renew(claims: readonly { readonly id: number; readonly lease: Lease }[], until: number): Promise<readonly boolean[]>;
  /**
   * True when the lane worked another account before: all that it remembered is forgotten, every lease on its deliveries is taken back,
   * and what was confirmed of a delivery is planned again, with no ref, when it is claimed next. The first account is merely kept.
   */
  bind(bind: Bind): Promise<boolean>;
  /** False when the lease was lost: nothing was written, and the caller must not call the vendor. */
  note(notes: Notes): Promise<boolean>;
  settle(settle: Settle): Promise<boolean>;
  /** What is known of senders, in the order of the questions. */
  acquainted(questions: readonly AcquaintanceQuestion[]): Promise<readonly Acquainted[]>;
  /** The newest decision about an address and a domain stands. */
  decideSender(decisions: readonly SenderDecision[]): Promise<void>;
  /** The other messages of its tenant with its Message-ID, in the order of their arrival, a few at most. */
  namesakes(eventId: string): Promise<readonly Namesake[]>;
  lanes(): Promise<readonly LaneStatus[]>;
  /** Keeps the later of two `until`s. */
  pause(pause: Pause): Promise<void>;
  find(query: FindQuery): Promise<readonly EventRow[]>;
  story(eventId: string): Promise<readonly StoryLine[]>;
  /** The sealed plan of a delivery, for show and plan. */
  steps(delivery: number): Promise<Uint8Array | undefined>;
  /** The vendor's ids that a lane remembers for these records, from all messages; null where it remembers none. In their order. */
  remembered(
    lane: string,
    records: readonly { readonly kind: StepKind; readonly key: string }[],
  ): Promise<readonly (string | null)[]>;
  /** Skipped deliveries by lane, rule and reason, the most frequent first; a hundred reasons of a lane at most. Reads all that were skipped. */
  skips(query: SkipQuery): Promise<readonly SkipCount[]>;
  /** The sealed raw bytes when they are inline. */
  raw(eventId: string): Promise<Uint8Array | undefined>;
  deadLetters(query: {
    tenant?: string;
    lane?: string;
    limit: number;
    before?: number;
  }): Promise<readonly DeadLetter[]>;
  /** False when it does not apply (no such dead letter, not a failed delivery, no unknown step to confirm). */
  requeue(request: Requeue): Promise<boolean>;
  /** Settled messages whose raw bytes are not yet in the attic, oldest first; without those of these tenants. */
  archivable(
    limit: number,
    exceptTenants?: readonly string[],
  ): Promise<readonly { eventId: string; tenant: string; raw: RawPlace; sealed?: Uint8Array }[]>;
  /** `key`: what the attic said to write down. */
  archived(moves: readonly { eventId: string; key: string }[]): Promise<void>;
  purge(policy: PurgePolicy): Promise<Purged>;
  stats(now: number): Promise<LedgerStats>;
  /** Quick proof that a commit would succeed now; rejects within `ms` otherwise. After an I/O error: write, read back, compare. */
  probe(ms: number): Promise<void>;
  /** Takes back every lease a dead process left; for the one daemon that holds the data folder. Returns how many. */
  reclaim(now: number): Promise<number>;
  close(): Promise<void>;
}

export type * from "./history.ts";
export type { PurgeCursor, Purged, PurgePolicy } from "./purge.ts";
