/** HANDS: what every CRM connector offers, and what it has to say of its vendor. */
import type { ZodType } from "zod";
import type { DayBudget, Limit, Told } from "./budget.ts";
import type { Failure } from "./outcome.ts";
import type { Clock, Log, Metrics } from "./ports.ts";
import type { LocalRecords } from "./records.ts";
import type { Step, StepKind } from "./step.ts";
import type { TokenStore } from "./tokens.ts";
import type { Wire, WireResponse } from "./wire.ts";

/** A record at the vendor. `id` is the vendor's own, always a string. */
export interface Ref {
  readonly id: string;
  /** Where a person can look at it, when the vendor has such a page. */
  readonly url?: string;
  /** True when it was already there: made by an earlier try, by a person, or by another program. */
  readonly adopted?: boolean;
  /** Something the operator should know: "body cut to 60,000 characters". */
  readonly note?: string;
  /** From `find`: it carries the key of this very step, so that a call of ours made it, whatever became of the answer. */
  readonly ours?: boolean;
}

/** The record of a confirmed step, with the kind of that step: an association is typed by what it joins. */
export interface KnownRef extends Ref {
  readonly kind: StepKind;
}

/** The refs of steps already confirmed for this message, by step key. */
export type Refs = ReadonlyMap<string, KnownRef>;

/**
 * How a second create is kept from doubling a record.
 * unique-key: the vendor refuses a second record with our key; a create may be repeated freely.
 * key-readback: our key is a field that can be read back, but not unique.
 * marker-readback: only a marker in the text can be read back.
 */
export type DedupeTier = "unique-key" | "key-readback" | "marker-readback";

export interface Dedupe {
  readonly tier: DedupeTier;
  /**
   * Whether `find` answering undefined proves absence: a complete read of a list without lag.
   * Where it does not, an ambiguous create is never repeated; it becomes the dead letter `outcome_unknown`.
   */
  readonly absenceProvable: boolean;
}

export type { DayBudget, Limit, Told } from "./budget.ts";

/** What the pipeline asks before it asks the vendor: what cannot be had there is a note or a review item, and no trick. */
export interface Can {
  /** A logged activity can be given to other records. */
  readonly moveActivity: boolean;
  readonly archive: boolean;
  readonly linkForeignActivity: boolean;
  /** The text of a logged activity can be changed: its list of files. */
  readonly changeActivity: boolean;
  /** An activity can stand on several people. */
  readonly severalPeople: boolean;
  /** On how many deals an activity can be put; none where it stands on the company, and so with all of its deals. */
  readonly activityDeals: "several" | "one" | "none";
}

export interface Facts {
  readonly vendor: string;
  /** The vendor's own page. */
  readonly docs: string;
  /** The day the facts were last checked, YYYY-MM-DD. */
  readonly checked: string;
  readonly apiVersion: string;
  readonly limits: readonly Limit[];
  /** Where the vendor counts by the day. */
  readonly day?: DayBudget;
  readonly maxBodyBytes: number;
  readonly batch?: { readonly size: number };
  /** The best tier the vendor offers per kind; a session may find less (Session.dedupe). */
  readonly dedupe: Partial<Record<StepKind, Dedupe>>;
  /** How long a search may not show a record that exists. */
  readonly searchLagMs: number;
  /** How long after a call's deadline the vendor may still commit it. */
  readonly lateCommitMs: number;
  readonly can: Can;
  /** Deliveries in flight at once. */
  readonly width: number;
}

/** What a check of the account found; doctor prints it. */
export interface AccountCheck {
  readonly account: string | undefined;
  readonly findings: readonly Finding[];
}
export interface Finding {
  readonly level: "ok" | "warning" | "problem";
  readonly what: string;
  /** How to mend it. */
  readonly mend?: string;
  /** True when `doctor --fix` can mend it (Session.fix). */
  readonly fixable?: boolean;
}

/** What a record looks like now at the vendor, for explain and audit. */
export interface Snapshot {
  readonly id: string;
  readonly archived: boolean;
  readonly fields: Readonly<Record<string, string | null>>;
  /** `person:12`: the live records that it is associated with; only where they were asked for. */
  readonly links?: readonly string[];
}

/** To compare it later: with its associations, all fields that we ever write, those that people write by hand, and these. */
export interface Whole {
  readonly fields: readonly string[];
}

/** Why a record is looked for. */
export interface Asked {
  /** The ledger knows of a create whose outcome is unclear: whatever the session remembers or not, it may be there. */
  readonly sent: boolean;
}

export interface Session {
  check(): Promise<AccountCheck>;
  /**
   * Which account of which vendor this is, as a word to compare: ids mean nothing in another. Asked once per session and remembered;
   * Refused when it could not be read.
   */
  account(): Promise<string>;
  /** Mends what check called fixable (missing custom properties). Idempotent. */
  fix?(): Promise<readonly Finding[]>;
  /** How creates of this kind are kept single in this very account. May ask the vendor once and remember. */
  dedupe(kind: StepKind): Promise<Dedupe>;
  /** The record this step asks for, if it is there. Never creates. Refused when the look-up itself failed. */
  find(step: Step, refs: Refs, asked?: Asked): Promise<Ref | undefined>;
  /**
   * Makes it so. "Already exists by our key or address" is success (adopted), read back by the key.
   * Never overwrites what a person changed. Refused with a failure kind otherwise.
   */
  put(step: Step, refs: Refs): Promise<Ref>;
  read(kind: StepKind, id: string, whole?: Whole): Promise<Snapshot | undefined>;
  /**
   * What `read` with `whole` tells of a record right after `put` has made it of this step; what is not named is empty. Left out where nobody can
   * say so beforehand: then a record whose creation got no answer is not taken back by an undo, but listed.
   */
  asMade?(step: Step, refs: Refs): Promise<Snapshot["fields"] | undefined>;
  /** Associates two records; repeating it changes nothing. */
  link(from: { kind: StepKind; id: string }, to: { kind: StepKind; id: string }): Promise<void>;
  unlink(from: { kind: StepKind; id: string }, to: { kind: StepKind; id: string }): Promise<void>;
  archive(kind: StepKind, id: string): Promise<void>;
  close?(): Promise<void>;
}

export interface DestinationPorts {
  readonly tenant: string;
  /** `acme/crm`: names the account in the store of tokens and in sentences. */
  readonly lane: string;
  readonly wire: Wire;
  /**
   * Another origin of the same vendor: its token endpoint, the instance that it named. On the lane's limits by the request's budget like
   * `wire`, without the headers of `reach`; one for each origin, closed with the lane. Throws TypeError for what is no http: or https: URL.
   */
  wireTo(baseUrl: string): Wire;
  readonly tokens: TokenStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The built-in CRM's tables. */
  readonly records: LocalRecords;
}

export interface Destination<S> {
  /** The `type:` in the configuration. */
  readonly name: string;
  readonly facts: Facts;
  /** The facts as this account's settings change them: a plan with higher limits, a measured search lag. */
  factsFor?(settings: S): Facts;
  readonly settings: ZodType<S>;
  /** Pure: what an answer means, undefined when it is not a failure. `write` false for reads: a 5xx on a read is retryable. */
  classify(answer: WireResponse, write: boolean, now: number): Failure | undefined;
  /** Pure: what an answer says of the vendor's limits; undefined where nothing. */
  tells?(answer: WireResponse): Told | undefined;
  /** How to reach the vendor: base URL and the headers that carry the credentials. Undefined for what needs no network. */
  reach(settings: S): { readonly baseUrl: string; readonly headers: Readonly<Record<string, string>> } | undefined;
  open(settings: S, ports: DestinationPorts): Session;
}
