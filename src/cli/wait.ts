/** Waits for a running daemon to have done what a command ordered. */
import type { Ground } from "../main.ts";
import type { EventRow } from "../model/ledger.ts";

const waitMs = 15_000;
const lookMs = 100;

const isDecided = (row: EventRow): boolean =>
  row.stage === "prepared" && row.deliveries.every(({ state }) => state !== "pending");

/** Until the daemon has settled them, or it has had long enough: then the outcome says `pending`, and why. */
export async function untilDecided({ ledger, clock }: Ground, eventIds: readonly string[]): Promise<void> {
  const until = clock.now() + waitMs;
  for (const event of eventIds) {
    while (clock.now() < until) {
      const [row] = await ledger.find({ event, limit: 1 });
      if (row === undefined || isDecided(row)) break;
      await clock.sleep(lookMs);
    }
  }
}
