/** Tells whether stored mail opens: with another master key than its own it does not, and what comes in meanwhile is sealed with the wrong one. */
import type { Ledger } from "../model/ledger.ts";
import type { Sealer } from "../model/ports.ts";

const looksBack = 20;

/** The newest of the last mails that does not open, and why. Undefined: all open. */
export async function unopenedMail(
  ledger: Pick<Ledger, "find" | "raw">,
  sealer: Pick<Sealer, "open">,
): Promise<{ readonly eventId: string; readonly error: unknown } | undefined> {
  for (const { eventId, sealedEvent } of await ledger.find({ limit: looksBack })) {
    const sealed = sealedEvent ?? (await ledger.raw(eventId));
    try {
      if (sealed !== undefined) sealer.open(sealed);
    } catch (error) {
      return { eventId, error };
    }
  }
  return undefined;
}
