/** Takes messages in: decides their identity inside the transaction, and merges what was here already. */
import type { Accepted, NewMessage } from "../../model/ledger.ts";
import type { Connection } from "./connection.ts";
import { openDisplace } from "./displace.ts";
import { openLanding } from "./imap-landing.ts";
import type { Operations } from "./operations.ts";
import { openStory } from "./story.ts";

interface Known {
  seq: number;
  event_id: string;
  routes: string;
  raw_kind: string;
  stage: "accepted" | "prepared";
  lease: string | null;
  raw_sha256: string;
  envelope: string;
}

/** A plus tag makes a new address out of nothing, so one mail could come by any number of them. */
const mostRoutes = 256;

export function openAccept(db: Connection): Operations["accept"] {
  const tell = openStory(db);
  const landing = openLanding(db);
  const displace = openDisplace(db);
  const columns = "SELECT seq, event_id, routes, raw_kind, stage, lease, raw_sha256, envelope FROM event";
  const byIdentity = db.prepare<[string, string, string], Known>(
    `${columns} WHERE message_id = ? AND tenant = ? AND digest = ?`,
  );
  const byDigest = db.prepare<[string, string], Known>(
    `${columns} WHERE message_id IS NULL AND tenant = ? AND digest = ?`,
  );
  const otherContent = db
    .prepare<[string, string], number>("SELECT 1 FROM event WHERE message_id = ? AND tenant = ? LIMIT 1")
    .pluck();
  const insert = db.prepare(
    `INSERT INTO event (event_id, tenant, message_id, digest, conflict, received_at, envelope, routes, raw_sha256, raw_size,
       raw_kind, raw_name, priority, replay, stage, turn, due_at, parse_attempts, again, reprocess, has_body, open)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'accepted', 0, 0, 0, 0, 0, 0, 0)`,
  );
  const insertRaw = db.prepare("INSERT INTO raw (event, sealed) VALUES (?, ?)");
  const setRoutes = db.prepare("UPDATE event SET routes = ? WHERE seq = ?");
  const planAgain = db.prepare(
    "UPDATE event SET stage = 'accepted', turn = 0, due_at = 0, parse_attempts = 0 WHERE seq = ? AND stage = 'prepared'",
  );
  const planOnceMore = db.prepare(
    "UPDATE event SET again = 1 WHERE seq = ? AND (lease IS NOT NULL OR run IS NOT NULL)",
  );
  const bytesAreBack = db.prepare(
    "UPDATE event SET raw_kind = 'inline', raw_name = NULL, raw_sha256 = ?, raw_size = ? WHERE seq = ?",
  );

  function insertNew(item: NewMessage): Accepted & { readonly seq: number } {
    const conflict = item.messageId !== null && otherContent.get(item.messageId, item.tenant) !== undefined;
    const { lastInsertRowid } = insert.run(
      item.eventId,
      item.tenant,
      item.messageId,
      item.digest,
      conflict ? 1 : 0,
      item.receivedAt,
      JSON.stringify(item.envelope),
      JSON.stringify([...new Set(item.envelope.routes)].slice(0, mostRoutes)),
      item.rawSha256,
      item.rawSize,
      item.raw.kind,
      item.raw.kind === "spool" ? item.raw.name : null,
      item.priority ?? 0,
      // From here to the CRM, old mail has the room that live mail leaves (010_runs.sql).
      (item.priority ?? 0) > 0 ? 1 : 0,
    );
    if (item.raw.kind === "inline") insertRaw.run(lastInsertRowid, item.raw.sealed);
    const outcome = conflict ? "conflict" : "new";
    return { eventId: item.eventId, outcome, routeAdded: false, seq: Number(lastInsertRowid) };
  }

  /** The same mail came again: by a new address, or because its sender did not hear our answer. */
  function merge(known: Known, item: NewMessage): Accepted {
    const routes = JSON.parse(known.routes) as string[];
    const added = [...new Set(item.envelope.routes)].filter((route) => !routes.includes(route));
    const room = added.slice(0, Math.max(0, mostRoutes - routes.length));
    // Old mail that is here already is no reason to plan it anew: its rules would be those of live mail, before which it would come.
    const routeAdded = room.length > 0 && (item.priority ?? 0) === 0 && restore(known, item);
    if (room.length > 0) setRoutes.run(JSON.stringify([...routes, ...room]), known.seq);
    if (routeAdded) {
      planAgain.run(known.seq);
      planOnceMore.run(known.seq);
    }
    tell(
      known.seq,
      item.receivedAt,
      "the same message came again",
      detailOf(room.length, routeAdded, item.priority ?? 0),
    );
    return { eventId: known.event_id, outcome: "duplicate", routeAdded };
  }

  /** True when there are bytes to plan from. What retention deleted can be taken from the copy, where that one is in our hands. */
  function restore(known: Known, item: NewMessage): boolean {
    if (known.raw_kind !== "gone") return true;
    if (item.raw.kind !== "inline") return false;
    insertRaw.run(known.seq, item.raw.sealed);
    bytesAreBack.run(item.rawSha256, item.rawSize, known.seq);
    return true;
  }

  function take(item: NewMessage): Accepted & { readonly seq: number } {
    const known =
      item.messageId === null
        ? byDigest.get(item.tenant, item.digest)
        : byIdentity.get(item.messageId, item.tenant, item.digest);
    if (known === undefined) return insertNew(item);
    // Read once more after an answer that was lost.
    if (item.landing !== undefined && landing.holds(item.landing, known.seq)) {
      return { eventId: known.event_id, outcome: "duplicate", routeAdded: false, seq: known.seq };
    }
    if (displace(known, item)) return insertNew(item);
    return { ...merge(known, item), seq: known.seq };
  }

  return (items) =>
    items.map((item) => {
      const place = item.landing;
      if (place !== undefined && !landing.stands(place, item.tenant)) {
        return { eventId: item.eventId, outcome: "fenced", routeAdded: false };
      }
      const { seq, ...answer } = take(item);
      if (place !== undefined) landing.land(place, seq, item.receivedAt);
      return answer;
    });
}

function detailOf(routes: number, planned: boolean, priority: number): string {
  if (routes === 0) return "by a route already known; nothing to add";
  const by = routes === 1 ? "by one more route" : `by ${routes} more routes`;
  if (priority > 0) return `${by}, as old mail; it is not planned again`;
  return planned ? `${by}; it is planned again` : `${by}; its raw bytes are gone, so it is not planned again`;
}
