/** Holds every message that the server has against the ledger: each has an activity, a reason, or is missing. */
import type { FolderState, Imap, UidFate } from "../../model/imap.ts";

export const coverageKinds = ["logged", "decided", "pending", "before", "given_up", "missing"] as const;
export type CoverageKind = (typeof coverageKinds)[number];

export interface Covered {
  readonly uid: number;
  readonly kind: CoverageKind;
  readonly reason: string | null;
  readonly eventId: string | null;
  /** By lane. */
  readonly activities: readonly { readonly lane: string; readonly id: string }[];
}

const portion = 1_000;

/** In the order of the UIDs given. */
export async function* coverageOf(state: FolderState, uids: readonly number[], ledger: Imap): AsyncGenerator<Covered> {
  for (let at = 0; at < uids.length; at += portion) {
    const asked = uids.slice(at, at + portion);
    const fates = new Map((await ledger.fates(state.id, asked)).map((fate) => [fate.uid, fate]));
    for (const uid of asked) yield coveredAs(uid, fates.get(uid), state);
  }
}

function coveredAs(uid: number, fate: UidFate | undefined, { firstUid, lastUid, since }: FolderState): Covered {
  const none = { uid, eventId: null, activities: [] } as const;
  if (fate === undefined) {
    // Nothing is written down of what was there before the mailbox was watched.
    if (uid < firstUid)
      return {
        ...none,
        kind: "before",
        reason: `it was there before the mailbox was watched (${new Date(since).toISOString()})`,
      };
    if (uid > lastUid) return { ...none, kind: "pending", reason: "it is new: its reader has not come to it yet" };
    return { ...none, kind: "missing", reason: null };
  }
  switch (fate.state) {
    case "before":
      return { ...none, kind: "before", reason: fate.reason };
    case "waiting":
      return { ...none, kind: "pending", reason: fate.reason };
    case "gone":
      // The server has it all the same.
      return { ...none, kind: uid > lastUid ? "pending" : "missing", reason: fate.reason };
    case "quarantined":
      return { ...none, kind: "given_up", reason: fate.reason };
    case "landed":
      return landedAs(fate);
    default:
      return fate.state satisfies never;
  }
}

function landedAs({ uid, eventId, deliveries }: UidFate): Covered {
  const activities = deliveries.flatMap(({ lane, activity }) => (activity === null ? [] : [{ lane, id: activity }]));
  const open = deliveries.filter(({ activity }) => activity === null);
  const reasons = open.map(({ lane, state, reason }) => `${lane}: ${state}${reason === null ? "" : `, ${reason}`}`);
  const reason = reasons.length === 0 ? null : reasons.join("; ");
  if (deliveries.length === 0) return { uid, eventId, activities, kind: "pending", reason: "it waits for its parse" };
  if (open.some(({ state }) => state === "pending")) return { uid, eventId, activities, kind: "pending", reason };
  return { uid, eventId, activities, kind: open.length === 0 ? "logged" : "decided", reason };
}

export type CoverageTally = Record<CoverageKind, number>;

export const emptyTally = (): CoverageTally => ({
  logged: 0,
  decided: 0,
  pending: 0,
  before: 0,
  given_up: 0,
  missing: 0,
});

/** In percent, of all; what is missing is not covered. Of nothing all is covered. */
export function percentOf(tally: CoverageTally): number {
  const all = coverageKinds.reduce((sum, kind) => sum + tally[kind], 0);
  return all === 0 ? 100 : (100 * (all - tally.missing)) / all;
}
