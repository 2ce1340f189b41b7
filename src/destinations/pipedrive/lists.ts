/** Complete reads of lists, which show a write at once where searches lag; and what makes such a read needless. */
import { Refused } from "../../model/outcome.ts";
import type { Clock } from "../../model/ports.ts";
import { WireBroken } from "../../model/wire.ts";
import { type Api, asks, type ObjectName, type PipedriveRecord, pageSchema, type Query, stamp } from "./api.ts";

/** Activities come with their notes, and an answer may have a megabyte: a page is asked for again in smaller pieces. */
const pageSizes: Readonly<Record<ObjectName, readonly [number, ...number[]]>> = {
  persons: [200, 20],
  organizations: [200, 20],
  deals: [200, 20],
  activities: [100, 10, 1],
};
const mostPages = 2_000;

/** All that match, or a refusal: half a list proves nothing. */
export async function allOf(api: Api, object: ObjectName, query: Query): Promise<readonly PipedriveRecord[]> {
  const found: PipedriveRecord[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const { data, additional_data } = await pageOf(api, object, { ...query, cursor });
    found.push(...(data ?? []).filter(({ is_deleted }) => is_deleted !== true));
    const next = additional_data?.next_cursor ?? undefined;
    if (next === undefined) return found;
    if (next === cursor) break;
    cursor = next;
  }
  throw new Refused({ kind: "retryable", reason: `Pipedrive's list of ${object} does not end` });
}

async function pageOf(api: Api, object: ObjectName, query: Query) {
  const sizes = pageSizes[object];
  for (const limit of sizes) {
    try {
      const answer = await api.call(asks.list(object, { limit: String(limit), ...query }), false);
      return api.shaped(pageSchema, answer, false);
    } catch (error) {
      if (limit === sizes.at(-1) || !isTooMuch(error)) throw error;
    }
  }
  throw new Refused({ kind: "retryable", reason: `Pipedrive's list of ${object} cannot be read` });
}

/** The wire's own word for an answer over its cap. */
const isTooMuch = (error: unknown): boolean =>
  error instanceof Refused && error.cause instanceof WireBroken && error.cause.message.includes("longer than");

/** The lowest id wins, so that every reader of a doubled record agrees. */
export const oldest = (records: readonly PipedriveRecord[]): PipedriveRecord | undefined =>
  records.reduce<PipedriveRecord | undefined>(
    (first, record) => (first === undefined || record.id < first.id ? record : first),
    undefined,
  );

export interface WindowTimes {
  readonly searchLagMs: number;
  readonly lateCommitMs: number;
}

/** A put may be a few calls of 30 s each; and two clocks differ. */
const putMs = 120_000;
const clockSkewMs = 300_000;

/**
 * A search does not show the latest changes, a list of everything does not fit a day's budget. Together they are complete: what is older than
 * the lag is in the search, and what is not is in the list of what changed since.
 */
export interface Recent {
  /** Everything that changed since a search can be trusted. */
  list(object: ObjectName, query: Query): Promise<readonly PipedriveRecord[]>;
}

const windowOf = ({ searchLagMs, lateCommitMs }: WindowTimes): number => searchLagMs + lateCommitMs + putMs;

export function openRecent(api: Api, times: WindowTimes): Recent {
  return {
    async list(object, query) {
      for (let look = 1; ; look++) {
        const since = api.now() - windowOf(times) - clockSkewMs;
        const all = await allOf(api, object, { ...query, updated_since: stamp(since) });
        // The answer told that our clock was ahead, and so the list too short to prove anything.
        if (api.now() - windowOf(times) >= since || look === 3) return all;
      }
    },
  };
}

/** As many tries as are remembered one by one. */
const mostTries = 50_000;

/**
 * What this session knows of tries whose outcome may be unclear. A session is opened when the lane is taken, so that whatever was tried
 * before is older than it: where that is long ago, and this session has not tried, a read-back has nothing to find.
 */
export interface Tries {
  /** Before a call that may make a record with this key. */
  begin(key: string): void;
  /** Whether an earlier try may be so young that no search shows it. */
  mayBeRecent(key: string): boolean;
  /** Whether anything can have been tried for a mail written at this time. */
  mayBeThere(key: string, writtenAt: number): boolean;
}

/** A Date may lie so far in the future and is taken as it is (mapping/activity.ts); an hour more for clocks. */
export const dateSlackMs = 49 * 3_600_000;

export function openTries(clock: Pick<Clock, "now">, times: WindowTimes): Tries {
  let since = clock.now();
  let tried = new Set<string>();
  return {
    begin(key) {
      if (tried.size >= mostTries) {
        // As if the session began now: all that it tried lies before.
        tried = new Set();
        since = clock.now();
      }
      tried.add(key.slice(0, 24));
    },
    mayBeRecent: (key) => clock.now() - since < windowOf(times) + clockSkewMs || tried.has(key.slice(0, 24)),
    mayBeThere: (key, writtenAt) => writtenAt - dateSlackMs <= since || tried.has(key.slice(0, 24)),
  };
}

/** Persons that this session made and has written nothing on since: their lists are known to be empty. */
export interface Fresh {
  made(person: string): void;
  /** True once it is known that nothing of ours hangs on it. */
  isEmpty(object: "deals" | "activities", person: string): boolean;
  /** Before a call that may hang something on it. */
  touched(object: "deals" | "activities", person: string): void;
}

const mostFresh = 5_000;

export function openFresh(): Fresh {
  const empty = { deals: new Set<string>(), activities: new Set<string>() };
  return {
    made(person) {
      for (const set of Object.values(empty)) {
        if (set.size >= mostFresh) set.clear();
        set.add(person);
      }
    },
    isEmpty: (object, person) => empty[object].has(person),
    touched: (object, person) => void empty[object].delete(person),
  };
}
