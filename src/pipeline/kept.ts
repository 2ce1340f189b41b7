/** What is kept of an earlier, better parse when a message is planned again: a parser that was stopped this time must not cost it its body. */
import type { CanonicalEvent, ParsedMessage } from "../model/event.ts";
import type { Attempt, Ledger } from "../model/ledger.ts";
import type { Sealer } from "../model/ports.ts";
import { viaLedger } from "./faults.ts";
import { openEvent } from "./stored.ts";

interface KeptPorts {
  readonly ledger: Pick<Ledger, "find">;
  readonly sealer: Sealer;
}

/** From worse to better. */
const qualities: readonly CanonicalEvent["parse_status"][] = ["failed", "partial", "ok"];
/** Said anew with every event. */
const ofContext: ReadonlySet<string> = new Set(["message_id_conflict", "implausible_date"]);

/** `kept`: the event whose parse it is, where it is an earlier one's. */
export type Best = ParsedMessage & { readonly kept?: CanonicalEvent };

/** The parse of this attempt, with what an earlier one found where that found more. Rejects with LedgerFailed. */
export async function bestOf(
  { eventId, preparedBefore }: Pick<Attempt, "eventId" | "preparedBefore">,
  parsed: ParsedMessage,
  { ledger, sealer }: KeptPorts,
): Promise<Best> {
  if (!preparedBefore || parsed.parse_status === "ok") return parsed;
  const [row] = await viaLedger(ledger.find({ event: eventId, limit: 1 }));
  const kept = openEvent(row?.sealedEvent, sealer);
  if (kept === undefined || qualities.indexOf(kept.parse_status) <= qualities.indexOf(parsed.parse_status))
    return parsed;
  const { message, class: kinds, bounce, complaint, mdn, calendar, parse_status, parser } = kept;
  const anomalies = kept.anomalies.filter(({ code }) => !ofContext.has(code));
  return { ...parsed, message, class: kinds, bounce, complaint, mdn, calendar, anomalies, parse_status, parser, kept };
}

/** The class cannot be told again: it hangs on parts of the message that an event does not keep. */
export const asKept = (event: CanonicalEvent, { kept }: Best): CanonicalEvent =>
  kept === undefined ? event : { ...event, class: kept.class, bounce: kept.bounce };
