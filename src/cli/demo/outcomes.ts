/** What became of the demo's mails, read back from the ledger. */
import type { Ground } from "../../main.ts";
import type { EventRow } from "../../model/ledger.ts";
import { deliveryShapeOf, storedEvent } from "../rows.ts";
import type { DemoRow } from "../shapes.ts";

type Outcome = DemoRow["outcomes"][number];

export async function demoRow({ sealer }: Ground, about: string, row: EventRow): Promise<DemoRow> {
  const event = storedEvent(row, sealer);
  const from = event?.message.from;
  return {
    from: from?.email ?? (from?.name || row.envelope.smtp?.mail_from) ?? "<>",
    subject: event?.message.subject ?? "",
    about,
    event_id: row.eventId,
    outcomes: row.deliveries.map(outcomeOf),
  };
}

function outcomeOf(row: EventRow["deliveries"][number]): Outcome {
  const { destination, state, rule, reason, detail, steps } = deliveryShapeOf(row);
  const person = steps.find(({ kind }) => kind === "person");
  const activity = steps.find(({ kind }) => kind === "activity");
  const because = {
    processed: null,
    pending: detail,
    skipped: rule,
    held: rule,
    failed: detail === null ? reason : `${reason}: ${detail}`,
  };
  return {
    destination,
    state,
    contact: person?.ref == null ? null : person.adopted ? "known" : "new",
    contact_id: person?.ref ?? null,
    activity_id: activity?.ref ?? null,
    because: because[state],
  };
}

/** One cell of the table. */
export function outcomeWords(outcome: Outcome | undefined): string {
  if (outcome === undefined) return "";
  const { state, contact, activity_id, because } = outcome;
  switch (state) {
    case "processed":
      return `contact ${contact ?? "-"}, activity ${activity_id ?? "-"}`;
    case "skipped":
      return `skipped (${because ?? "no rule"})`;
    case "held":
      return `held for a person (${because ?? "no rule"})`;
    case "failed":
      return "dead letter";
    case "pending":
      return `pending (${because ?? "next in line"})`;
    default:
      return state satisfies never;
  }
}
