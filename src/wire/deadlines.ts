/** Ends calls that take too long: calls that begin at nearly the same time share a timer, since one for each was 3 % of a delivery. */
import type { Clock } from "../model/ports.ts";

export interface Deadlines {
  /** `expire` is called when the time is over, unless the function that is answered here is called first. */
  begin(expire: () => void): () => void;
}

/** By this part of its time a call may end early, never late. */
const shared = 1 / 100;
/** Given to abort(), which would otherwise build a DOMException with its stack. */
const allOver = Symbol("all these calls are over");

interface Group {
  readonly since: number;
  readonly calls: Set<() => void>;
  readonly done: AbortController;
}

/** The clock's time says only who shares a timer: one that is set forward ends no call early, one that is set back leaves none without an end. */
export function openDeadlines(ms: number, clock: Clock): Deadlines {
  let youngest: Group | undefined;

  function start(since: number): Group {
    const group: Group = { since, calls: new Set(), done: new AbortController() };
    void clock.sleep(ms, group.done.signal).then(() => {
      if (youngest === group) youngest = undefined;
      for (const expire of group.calls) expire();
    });
    return group;
  }

  return {
    begin(expire) {
      const now = clock.now();
      const age = youngest === undefined ? -1 : now - youngest.since;
      if (youngest === undefined || age < 0 || age > ms * shared) youngest = start(now);
      const group = youngest;
      group.calls.add(expire);
      return () => {
        if (!group.calls.delete(expire) || group.calls.size > 0) return;
        if (youngest === group) youngest = undefined;
        group.done.abort(allOver);
      };
    },
  };
}
