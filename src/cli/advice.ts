/** What a person can do next about one message: the end of every explanation. */
import type { LaneStatus } from "../model/ledger.ts";
import type { EventSummary, Explained } from "./shapes.ts";

type Advice = Explained["next"][number];
type Delivery = EventSummary["deliveries"][number];

const nothing = (what: string): Advice => ({ what, command: null });

interface Standing {
  /** Those of the ledger. */
  readonly lanes: readonly LaneStatus[];
  /** Those of the configuration: nobody works what waits for another. */
  readonly tenants: readonly { readonly id: string; readonly destinations: readonly { readonly id: string }[] }[];
  /** Epoch ms. */
  readonly now: number;
}

export function adviceFor(event: EventSummary, standing: Standing): Advice[] {
  if (event.stage === "accepted") {
    if (standing.tenants.every(({ id }) => id !== event.tenant))
      return [nothing(`It waits for its parse, and its tenant ${event.tenant} ${gone}`)];
    return [
      {
        what: "It waits for its parse. A running daemon takes it up at once; without one, this works it:",
        command: `mailwright reprocess ${event.event_id}`,
      },
    ];
  }
  if (event.deliveries.length === 0) return [nothing("Its tenant has no destination in the configuration.")];
  return event.deliveries.map((delivery) => adviceForDelivery(event, delivery, standing));
}

const gone = "is not in the configuration any more, so that nobody works it: put it back until that is done.";

/** One line, however many there are. */
export function adviceForFiles(files: Explained["files"]): Advice[] {
  const held = files.filter(({ status }) => status === "quarantined");
  const [first] = held;
  if (first === undefined) return [];
  const what = held.length === 1 ? "A file is held back" : `${held.length} files are held back`;
  return [
    {
      what: `${what} (${first.reason ?? "no reason is known"}). To look at it, then release or drop it:`,
      command: `mailwright attachments show ${first.id}`,
    },
  ];
}

function adviceForDelivery(event: EventSummary, delivery: Delivery, { lanes, tenants, now }: Standing): Advice {
  const at = `${delivery.destination}: `;
  switch (delivery.state) {
    case "processed":
      return nothing(`${at}nothing to do; it is in the CRM.`);
    case "pending": {
      const tenant = tenants.find(({ id }) => id === event.tenant);
      if (tenant?.destinations.some(({ id }) => id === delivery.destination) !== true)
        return nothing(`${at}it waits, and this destination ${gone}`);
      const lane = lanes.find(({ lane }) => lane === `${event.tenant}/${delivery.destination}`);
      return pendingAdvice(at, delivery, lane, now);
    }
    case "skipped":
      return {
        what: `${at}nothing to do if rule ${delivery.rule ?? "unknown"} was right. After a change of the rules, this decides again:`,
        command: `mailwright reprocess ${event.event_id}`,
      };
    case "held":
      return {
        what: `${at}it waits for a person (rule ${delivery.rule ?? "unknown"}). After a change of the rules, or of the CRM, reprocess decides again. To let it through (--reject: to leave it out):`,
        command: `mailwright review resolve ${event.event_id} --trust`,
      };
    case "failed":
      return deadLetterAdvice(at, event, delivery);
    default:
      return delivery.state satisfies never;
  }
}

function pendingAdvice(at: string, { due_at }: Delivery, lane: LaneStatus | undefined, now: number): Advice {
  if (lane !== undefined && lane.blockedReason !== null) {
    return {
      what: `${at}the whole lane is blocked (${lane.blockedReason}); nothing is lost. Mend it, then:`,
      command: "mailwright doctor --fix",
    };
  }
  if (lane?.pausedUntil != null && lane.pausedUntil > now) {
    const until = new Date(lane.pausedUntil).toISOString();
    return nothing(`${at}the CRM asked for silence until ${until}; then it goes on by itself.`);
  }
  if (lane?.oldMail != null && lane.oldMail.until > now)
    return nothing(`${at}live mail goes on. Where this is old mail, it waits: ${lane.oldMail.reason}.`);
  return nothing(
    due_at === null
      ? `${at}it is next in line; a running daemon delivers it.`
      : `${at}it is tried again at ${due_at}; a running daemon does that by itself.`,
  );
}

function deadLetterAdvice(at: string, { event_id }: EventSummary, { id, reason }: Delivery): Advice {
  const replay = `mailwright dead-letters replay ${id}`;
  switch (reason) {
    case "outcome_unknown":
      return {
        what: `${at}the CRM gave no clear answer, so it may be there. Look; if it is there, confirm with its id, else replay (${replay}):`,
        command: `mailwright dead-letters confirm ${id} --ref CRM_ID`,
      };
    case "dropped":
      // It is no dead letter any more that could be replayed.
      return {
        what: `${at}a person dropped it. Should it be delivered after all:`,
        command: `mailwright reprocess ${event_id}`,
      };
    case "exhausted":
      return {
        what: `${at}every retry failed for as long as retry.window_hours says. Once the CRM is back:`,
        command: replay,
      };
    case "defect":
      return {
        what: `${at}Mailwright itself failed on it: please report the detail above. After an update:`,
        command: replay,
      };
    default:
      return { what: `${at}mend what the detail names, then:`, command: replay };
  }
}
