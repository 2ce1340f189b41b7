/** Logged e-mails of the sandbox: what may be logged, what would really be sent, and what can be changed afterwards. */
import type { Reply } from "../sandbox.ts";
import { badRequest, invalid, ok } from "./reply.ts";
import type { Fields } from "./store.ts";
import { checked, shown, type World } from "./world.ts";

const statuses = ["inbox", "draft", "scheduled", "outbox", "sent", "error"];
const shape = {
  lead_id: "text",
  contact_id: "text",
  user_id: "text",
  status: "text",
  sender: "text",
  to: "addresses",
  cc: "addresses",
  bcc: "addresses",
  subject: "text",
  body_text: "text",
  body_html: "text",
  date_created: "time",
  activity_at: "time",
  in_reply_to_id: "text",
} as const;

export function createEmail(world: World, body: unknown): Reply {
  const given = checked(world, body, "activity", shape);
  const { lead_id: lead, contact_id: contact, status, sender } = given;
  if (typeof lead !== "string") throw invalid({ lead_id: "This field is required." });
  if (typeof status !== "string" || !statuses.includes(status)) throw invalid({ status: "Not a valid choice." });
  if (status !== "draft" && typeof sender !== "string") throw invalid({ sender: "This field is required." });
  if (typeof sender === "string" && !/^(?:"[^"\\]*" <[^\s@<>]+@[^\s@<>]+>|[^\s@<>]+@[^\s@<>]+)$/.test(sender))
    throw invalid({ sender: "Not a valid sender." });
  const on = world.store.get("lead", lead);
  if (on === undefined) throw invalid({ lead_id: "Lead does not exist." });
  if (typeof contact === "string" && world.store.get("contact", contact)?.fields.lead_id !== on.id)
    throw invalid({ contact_id: "Contact does not exist on this lead." });
  // These two are not logged: Close sends them to the people named.
  if (status === "outbox" || status === "scheduled") world.realMail++;
  const record = world.store.create("email", {
    ...given,
    lead_id: on.id,
    direction: status === "inbox" ? "incoming" : "outgoing",
    message_ids: [],
    references: [],
    ...datesOf(given, world),
  });
  return ok(shown(world, record));
}

function datesOf({ activity_at, date_created }: Fields, { options, clock }: World): Fields {
  const kept = (given: unknown): string => {
    const at = typeof given === "string" && options.dates !== "ignored" ? Date.parse(given) : clock.now();
    const exact = options.dates === "seconds" ? Math.floor(at / 1_000) * 1_000 : at;
    return new Date(exact).toISOString().replace("Z", "000+00:00");
  };
  return { activity_at: kept(activity_at), date_created: kept(date_created) };
}

export function updateEmail(world: World, id: string, body: unknown): Reply {
  const record = world.store.live("email", id);
  const given = checked(world, body, "activity", shape);
  if (record.fields.status !== "draft") throw badRequest("Only drafts can be modified.");
  if (given.status === "outbox" || given.status === "scheduled") world.realMail++;
  world.store.update(record, given);
  return ok(shown(world, record));
}

export function listsEmail({ options }: World, query: URLSearchParams): (fields: Fields) => boolean {
  const equals = ["lead_id", "contact_id", "user_id"].flatMap((name) => {
    const wanted = query.get(name);
    return wanted === null ? [] : [(fields: Fields) => fields[name] === wanted];
  });
  const times = ["activity_at", "date_created"].flatMap((name) =>
    (["gte", "lte", "gt", "lt"] as const).flatMap((how) => {
      const wanted = query.get(`${name}__${how}`);
      if (wanted === null || !options.dateFilters) return [];
      const limit = Date.parse(wanted);
      if (!Number.isFinite(limit)) throw invalid({ [`${name}__${how}`]: "Not a valid datetime." });
      return [(fields: Fields) => within(Date.parse(String(fields[name])), how, limit)];
    }),
  );
  return (fields) => [...equals, ...times].every((fits) => fits(fields));
}

function within(at: number, how: "gte" | "lte" | "gt" | "lt", limit: number): boolean {
  switch (how) {
    case "gte":
      return at >= limit;
    case "lte":
      return at <= limit;
    case "gt":
      return at > limit;
    case "lt":
      return at < limit;
    default:
      return how satisfies never;
  }
}
