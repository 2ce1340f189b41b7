/**
 * MEMORY: runs of a mapping over stored messages, and what they made, so that one can be gone on with after its process died, and taken back.
 * Part of the second interface of the store (DESIGN section 5).
 */
import type { DeliveryState, StepState } from "./ledger.ts";
import type { StepKind } from "./step.ts";

/** Which stored messages a run is about: all of what is named has to apply, and of several words under one name one is enough. */
export interface Cohort {
  readonly domain?: readonly string[];
  readonly sender?: readonly string[];
  readonly recipient?: readonly string[];
  readonly mailbox?: readonly string[];
  /** Thread ids. */
  readonly thread?: readonly string[];
  /** When it was received, epoch ms. */
  readonly since?: number;
  readonly until?: number;
  /** Of threads; one is always on the same side. */
  readonly percent?: number;
}

/** How the note of an association ends that an undo left alone because its record has others by now: the ledger lets it be tried again. */
export const movedSince = "was moved since";

/** The rule of a delivery while what a run made of it is taken back, where nothing was at the CRM before. */
export const undoRule = "mapping.undo";

export type RunKind = "apply" | "undo";
/** choosing: its messages are not all written down yet. stopped: somebody ended it before its end. */
export type RunState = "choosing" | "running" | "stopped" | "done";

export interface NewRun {
  readonly tenant: string;
  readonly kind: RunKind;
  /** The run that an undo takes back. */
  readonly of: number | null;
  readonly mappingVersion: number;
  readonly cohort: Cohort;
  readonly by: string;
  readonly note: string | null;
  readonly now: number;
}

export interface RunRow extends Omit<NewRun, "now"> {
  readonly id: number;
  readonly at: number;
  readonly state: RunState;
  readonly endedAt: number | null;
}

/** The run that a message is planned by. */
export interface PlannedBy {
  readonly id: number;
  readonly kind: RunKind;
  readonly of: number | null;
}

export interface AttemptOfRun {
  /** The run whose attempt this was. */
  readonly byRun?: number;
}

export interface ByRun {
  /** The run that it is planned by now. */
  readonly run?: PlannedBy;
  /** The mapping that decides about it, whatever is in force. */
  readonly pinned?: number;
}

export interface GivenUp {
  readonly eventId: string;
  readonly token: string;
  readonly run: number;
  readonly reason: string;
  readonly now: number;
}

/** A step as a lane claims it. */
export interface StepOfRun {
  /** The run whose plan asked for it first. */
  readonly run?: number;
  /** How often a record of this key was taken back at this CRM; missing for never. */
  readonly generation?: number;
}

/** What is written down beside the confirmation of a run's step. */
export interface Confirmed {
  /** Sealed: what the CRM holds of it. */
  readonly snapshot?: Uint8Array;
  /** The record that it took back, and nobody goes by any more. `ours`: by our own call, so that its key is used up. */
  readonly tookBack?: { readonly kind: StepKind; readonly key: string; readonly ref: string; readonly ours: boolean };
}

/** Steps that leave a record of their own. */
export const recordKinds: ReadonlySet<StepKind> = new Set<StepKind>(["person", "company", "deal", "activity"]);

/** Moves, archives and lists of files say how something was to be once: that they are not asked for again leaves nothing behind. */
export const leavesNothing: ReadonlySet<StepKind> = new Set<StepKind>(["file", "unlink", "archive"]);

/** Something that the plan before left at the CRM, and that a run did not want any more: it stays there. */
export interface Unwanted {
  readonly kind: StepKind;
  readonly ref: string;
}

/** What a run made of a delivery, by the time it was planned; what became of the plan is the delivery's own. */
export interface RunOutcome {
  readonly decision: "steps" | "skip" | "hold";
  readonly rule: string;
  readonly reason: string | null;
  /** The state it was found in; null where the run made it. */
  readonly was: DeliveryState | null;
  /** left: what was there stays, and the plan was not taken on. */
  readonly taken: boolean;
  readonly unwanted: readonly Unwanted[];
  /** undo: what was left alone, and why. */
  readonly kept?: readonly { readonly kind: StepKind; readonly ref: string | null; readonly why: string }[];
}

/** A delivery as a run found it. */
export interface RunBefore {
  readonly decision: "steps" | "skip" | "hold";
  readonly rule: string | null;
  readonly state: DeliveryState;
  readonly detail: string | null;
  readonly mappingVersion: number;
  readonly steps: readonly { readonly kind: StepKind; readonly key: string; readonly why: string }[];
}

/** A step that a run's plan asked for first, and that nobody took back yet. */
export interface MadeStep {
  readonly kind: StepKind;
  readonly key: string;
  readonly state: StepState;
  readonly ref: string | null;
  readonly adopted: boolean;
  /** Calls that were begun. */
  readonly sends: number;
  /** Sealed; only of what the run brought about itself. */
  readonly snapshot: Uint8Array | undefined;
}

export interface Made {
  /** Of the undo: 1 activities and moves, 2 deals, 3 people, 4 companies. */
  readonly pass: number;
  readonly deliveries: readonly {
    readonly lane: string;
    readonly state: DeliveryState;
    readonly before: RunBefore | null;
    /** Sealed: the plan that the run found, and the one of now. */
    readonly plan: Uint8Array | undefined;
    readonly now: Uint8Array | undefined;
    readonly steps: readonly MadeStep[];
  }[];
}

/** How far a run is: told without reading it. */
export interface RunProgress {
  readonly waiting: number;
  readonly given: number;
  readonly planned: number;
  readonly unable: number;
  /** Of its deliveries. */
  readonly pending: number;
}

export interface RunTally extends Omit<RunProgress, "pending"> {
  /** Its deliveries by state. */
  readonly deliveries: Readonly<Record<DeliveryState, number>>;
  /** Steps that its plans asked for first, and that came about. */
  readonly made: readonly {
    readonly kind: StepKind;
    readonly adopted: boolean;
    readonly undone: boolean;
    readonly n: number;
  }[];
}

export interface RunEvent {
  /** Order of arrival, for the next page. */
  readonly seq: number;
  readonly eventId: string;
  readonly messageId: string | null;
  readonly state: "waiting" | "given" | "planned" | "unable";
  /** Why it is `unable`. */
  readonly reason: string | null;
  readonly deliveries: readonly {
    readonly lane: string;
    readonly state: DeliveryState;
    readonly outcome: RunOutcome;
    /** Of an undo: what was looked at and left alone, and why. */
    readonly alone: readonly string[];
  }[];
}

/** What runs had to do with one message, newest first. */
export interface RunOfEvent {
  readonly run: RunRow;
  readonly state: RunEvent["state"];
  readonly deliveries: RunEvent["deliveries"];
}

export interface Runs {
  /** Undefined where another run of the tenant has not come to its end. An undo ends the run that it takes back, and has its messages already. */
  beginRun(run: NewRun): Promise<number | undefined>;
  /** Writes down which messages a run is about; those that it has are left as they are. */
  chooseForRun(run: number, eventIds: readonly string[]): Promise<void>;
  /** `done` only where nothing waits or is given. False where it cannot be so. */
  stateRun(change: { readonly run: number; readonly state: RunState; readonly now: number }): Promise<boolean>;
  /** Gives the next messages of a run to be planned, oldest first. How many. */
  feedRun(feed: { readonly run: number; readonly limit: number; readonly now: number }): Promise<number>;
  /** A message that the run cannot plan, however often: it stays what it was before it was given. False when the lease was lost. */
  giveUpInRun(given: GivenUp): Promise<boolean>;
  /**
   * Gives a run that has come to its end what it could not plan once more, where there is content to plan from. How many; 0 also where it is
   * taken back, or another run of the tenant is under way. What a later run asked for stays that one's.
   */
  retryRun(run: number): Promise<number>;
  runs(query: { readonly id?: number; readonly tenant?: string; readonly limit: number }): Promise<readonly RunRow[]>;
  runProgress(run: number): Promise<RunProgress>;
  /** Reads all of it. */
  runTally(run: number): Promise<RunTally>;
  /** Oldest first, after the seq given. */
  runEvents(query: {
    readonly run: number;
    readonly after?: number;
    readonly limit: number;
  }): Promise<readonly RunEvent[]>;
  runMade(query: { readonly run: number; readonly undo: number; readonly eventId: string }): Promise<Made>;
  /** Has the messages of an undo given out once more, for what only now hangs on nothing. False where nothing is left. */
  nextPass(undo: number): Promise<boolean>;
  runsOf(eventId: string): Promise<readonly RunOfEvent[]>;
}
