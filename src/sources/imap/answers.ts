/** Waiting for the answers of one connection, each for so long and no longer: one timer for all of them. */
import type { Clock } from "../../model/ports.ts";
import { openSteady } from "./steady.ts";
import { ImapTrouble } from "./trouble.ts";

export interface Answers {
  /** Settles as the work does, or rejects with what was said to `giveUp`. */
  of<T>(what: string, work: Promise<T>): Promise<T>;
  /** Nobody is answered any more. */
  giveUp(trouble: ImapTrouble): void;
}

interface Wait {
  readonly what: string;
  readonly since: number;
  reject(trouble: ImapTrouble): void;
}

/** `silent`: an answer did not come within `ms`. A row of a FETCH comes every few microseconds, and a timer of its own cost more than the row. */
export function openAnswers(clock: Clock, ms: number, silent: (trouble: ImapTrouble) => void): Answers {
  const waits = new Set<Wait>();
  const over = new AbortController();
  const now = openSteady(clock);
  let isWatching = false;

  async function watch(): Promise<void> {
    isWatching = true;
    for (;;) {
      // The one that waits longest: they are in the order in which they began.
      const [oldest] = waits;
      if (oldest === undefined || over.signal.aborted) break;
      const left = oldest.since + ms - now();
      if (left > 0) await clock.sleep(left, over.signal);
      else silent(new ImapTrouble("connection", `the server did not answer ${oldest.what} within ${ms / 1000} s`));
    }
    isWatching = false;
  }

  return {
    of: (what, work) =>
      new Promise((resolve, reject) => {
        const wait = { what, since: now(), reject };
        waits.add(wait);
        work.then(
          (answer) => {
            waits.delete(wait);
            resolve(answer);
          },
          (error: unknown) => {
            waits.delete(wait);
            reject(error);
          },
        );
        if (!isWatching) void watch();
      }),
    giveUp(trouble) {
      over.abort();
      for (const { reject } of waits) reject(trouble);
      waits.clear();
    },
  };
}
