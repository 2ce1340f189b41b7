/** A vendor's limits, as facts have them and as its answers tell them: so many calls in a window, and a day's budget that is shared with others. */

export interface Limit {
  /** `search`, `default`: which calls draw on it (WireRequest.budget). */
  readonly budget: string;
  readonly calls: number;
  readonly perMs: number;
  /** The operator said so: what the vendor tells can lower it, and not raise it. */
  readonly fixed?: boolean;
  /** The part of what the vendor tells that is ours, above 0 and up to 1. Default 1. */
  readonly share?: number;
}

/** What a whole day has room for, in the vendor's own unit. */
export interface DayBudget {
  /** `calls`, `tokens`, `credits`: for people. */
  readonly unit: string;
  /** Undefined where only the vendor's answers tell. */
  readonly most: number | undefined;
  /** rolling: what was used comes back 24 hours later. utc: all of it does at midnight there. unsaid: at some hour that only answers show. */
  readonly renews: "rolling" | "utc" | "unsaid";
  /** The part, in percent, that only live mail may use: old mail waits before it is touched. */
  readonly liveReserve: number;
  /** What is left to the account's other programs: of all mail. */
  readonly others?: { readonly percent?: number; readonly units?: number };
}

/** What an answer says of limits, as far as it does. */
export interface Told {
  /** Of calls of its own budget. */
  readonly window?: {
    readonly most?: number;
    readonly left?: number;
    readonly perMs?: number;
    /** Until there are calls left again. */
    readonly resetMs?: number;
  };
  readonly day?: { readonly most?: number; readonly left: number };
  /** Too many calls were in flight at once. */
  readonly crowded?: boolean;
  /** It asks for silence until then (epoch ms), in its own words. */
  readonly silence?: { readonly until: number; readonly reason: string };
}

/** Why old mail waits, and until when (epoch ms) it is looked at again. */
export interface OldMailWaits {
  readonly until: number;
  readonly reason: string;
}

/** Old mail alone waits, or does so no more. */
export interface OldMailPause {
  readonly lane: string;
  readonly kind: "old_mail";
  readonly waits: OldMailWaits | null;
}

/** The ledger's part: what a lane keeps of its day's budget, in its own words. */
export interface LaneBudgets {
  laneBudget(lane: string): Promise<string | null>;
  keepLaneBudget(kept: { readonly lane: string; readonly budget: string }): Promise<void>;
}
