/** What persons decided about messages: written down with the order to plan them again, and read by whoever plans. */
import {
  answersTo,
  type Decide,
  type Decided,
  type DecisionRow,
  type ReviewAnswer,
  type ReviewKind,
  reviewKinds,
  type Verdict,
} from "../../model/reviews.ts";
import { openAcquainted } from "./acquaintance.ts";
import { clip } from "./clip.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";
import { openFromStart } from "./requeue.ts";
import { openStory } from "./story.ts";

type Kind = ReviewAnswer["kind"];

/** The question that an answer answers. */
const questionOf = (answer: Kind): ReviewKind =>
  reviewKinds.find((kind) => (answersTo[kind] as readonly Kind[]).includes(answer)) ?? "held";

const told: Readonly<Record<Kind, string>> = {
  join: "joined to another thread by a person",
  new: "set apart from its thread by a person",
  trust: "let through by a person",
  reject: "rejected by a person",
  done: "moved at the CRM by a person",
};

interface Found {
  seq: number;
  tenant: string;
  raw_kind: string;
}

export function openDecide(db: Connection): Operations["decide"] {
  const tell = openStory(db);
  const planAgain = openFromStart(db);
  const { decideSender } = openAcquainted(db);
  const find = db.prepare<[string], Found>("SELECT seq, tenant, raw_kind FROM event WHERE event_id = ?");
  const replaced = db.prepare("UPDATE decision SET stands = 0 WHERE event = ? AND about = ? AND stands = 1");
  const insert = db.prepare(
    "INSERT INTO decision (event, about, kind, with_event, by, at, note, stands) VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
  );
  // The open one; else the newest, which a later answer answers anew.
  const answered = db.prepare(
    `UPDATE review SET resolved_at = $now, resolved_by = $by, resolved_as = $as, note = $note WHERE id =
       (SELECT id FROM review WHERE event = $event AND kind = $about ORDER BY resolved_at IS NULL DESC, id DESC LIMIT 1)`,
  );

  /** Undefined when nothing is in the way. */
  function obstacle({ eventId, answer }: Decide): Exclude<Decided, "done"> | undefined {
    const event = find.get(eventId);
    if (event === undefined) return "unknown";
    if (answer.kind === "join") {
      const other = find.get(answer.withEventId);
      if (other === undefined || other.seq === event.seq || other.tenant !== event.tenant) return "unknown";
    }
    return answer.kind !== "done" && event.raw_kind === "gone" ? "gone" : undefined;
  }

  function write({ eventId, answer, by, note, now, teaches }: Decide): void {
    const event = find.get(eventId);
    if (event === undefined) return;
    const about = questionOf(answer.kind);
    const other = answer.kind === "join" ? find.get(answer.withEventId) : undefined;
    const words = note === null ? null : clip(note);
    replaced.run(event.seq, about);
    insert.run(event.seq, about, answer.kind, other?.seq ?? null, clip(by), now, words);
    answered.run({ event: event.seq, about, now, by: clip(by), as: answer.kind, note: words });
    const where = answer.kind === "join" ? `with event ${answer.withEventId}` : undefined;
    const detail = [`by ${by}`, where, note].filter((part) => part !== undefined && part !== null).join(": ");
    tell(event.seq, now, told[answer.kind], detail);
    if (teaches !== undefined) decideSender(teaches);
    // What a person did at the CRM changes no plan.
    if (answer.kind !== "done") planAgain(eventId);
  }

  return (decisions) => {
    const obstacles = decisions.map(obstacle);
    if (obstacles.every((each) => each === undefined)) for (const decision of decisions) write(decision);
    return obstacles.map((each) => each ?? "done");
  };
}

interface Row {
  event_id: string;
  kind: Kind;
  with_event_id: string | null;
  by: string;
  at: number;
  note: string | null;
  stands: number;
}

export function openDecisions(db: Connection): Operations["decisions"] {
  const all = db.prepare<[string], Row>(
    `SELECT e.event_id, d.kind, w.event_id AS with_event_id, d.by, d.at, d.note, d.stands
       FROM event e JOIN decision d ON d.event = e.seq LEFT JOIN event w ON w.seq = d.with_event
       WHERE e.event_id = ? ORDER BY d.id DESC`,
  );
  return (eventId) =>
    all.all(eventId).map(
      (row): DecisionRow => ({
        eventId: row.event_id,
        kind: row.kind,
        withEventId: row.with_event_id,
        by: row.by,
        at: row.at,
        note: row.note,
        stands: row.stands === 1,
      }),
    );
}

/** What stands about a message that was held: of the event's number. */
export function openVerdict(db: Connection): (event: number) => Verdict | undefined {
  const verdict = db.prepare<[number], Verdict>(
    "SELECT kind, by, at FROM decision WHERE event = ? AND about = 'held' AND stands = 1",
  );
  return (event) => verdict.get(event);
}
