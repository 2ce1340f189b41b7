/** Lets no crowd of senders with slow names hold up the mail of all: where too many wait for their evidence, the one that waits longest goes on without. */
import { failed } from "../mail/trust/evidence.ts";
import type { Evidence } from "../model/event.ts";
import type { Clock } from "../model/ports.ts";
import type { Senders } from "./senders.ts";

/**
 * Nobody goes on without evidence sooner. Names that are looked up for the first time take some tenths of a second; a verifying thread that is
 * started again, one to two.
 */
const leastMs = 3_000;

interface Waiting {
  /** Epoch ms. */
  readonly since: number;
  goOn(evidence: Evidence): void;
}

/**
 * Each message that waits for DNS takes one of the few places in hand, up to ten seconds. Three mails a second from domains whose name servers
 * answer late would fill them all. Of more than `places` that wait, the longest is given up once it has waited for three; it goes on with
 * `temperror`, as it would after ten.
 */
export function withoutCrowd(senders: Senders, places: number, clock: Clock): Senders {
  /** In the order of arrival. */
  const waiting = new Set<Waiting>();
  let isWatched = false;
  /** When the first was verified: before, it is our own start that all wait for. */
  let openedAt: number | undefined;

  async function watch(): Promise<void> {
    if (isWatched || openedAt === undefined) return;
    isWatched = true;
    while (waiting.size > places) {
      const [longest] = waiting;
      if (longest === undefined) break;
      const left = Math.max(longest.since, openedAt) + leastMs - clock.now();
      // A clock that was set back must not make anybody wait for longer than that.
      if (left > 0) await clock.sleep(Math.min(left, leastMs));
      if (waiting.size <= places || !waiting.delete(longest)) continue;
      longest.goOn(failed("temperror", "DNS took long while many others waited"));
    }
    isWatched = false;
  }

  return {
    async verify(envelope, raw, size) {
      const verified = senders.verify(envelope, raw, size);
      const { promise: passed, resolve: goOn } = Promise.withResolvers<Evidence>();
      const one: Waiting = { since: clock.now(), goOn };
      waiting.add(one);
      void watch();
      try {
        return await Promise.race([verified, passed]);
      } finally {
        waiting.delete(one);
        openedAt ??= clock.now();
        void watch();
        // Of one that went on without, what is still said is said to nobody.
        verified.catch(() => undefined);
      }
    },
  };
}
