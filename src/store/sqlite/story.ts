/** The lines of a message's story: what happened to it, in words. Bounded, so that a mail sent a million times tells no endless one. */
import type { StoryLine } from "../../model/ledger.ts";
import { clip } from "./clip.ts";
import type { Connection } from "./connection.ts";

/** The beginning is kept, and the latest; what goes is the middle of a very long story. */
const firstKept = 50;
const lastKept = 150;

export type Tell = (event: number, at: number, what: string, detail?: string | null) => void;

export function openStory(db: Connection): Tell {
  const insert = db
    .prepare<[{ event: number; at: number; what: string; detail: string | null }], number>(
      `INSERT INTO story (event, n, at, what, detail)
         VALUES ($event, 1 + coalesce((SELECT max(n) FROM story WHERE event = $event), 0), $at, $what, $detail) RETURNING n`,
    )
    .pluck();
  const forget = db.prepare("DELETE FROM story WHERE event = ? AND n = ?");
  return (event, at, what, detail = null) => {
    const n = insert.get({ event, at, what, detail: detail === null ? null : clip(detail) }) ?? 0;
    if (n - lastKept > firstKept) forget.run(event, n - lastKept);
  };
}

interface StoryHead {
  seq: number;
  received_at: number;
  conflict: number;
  kind: string;
  raw_size: number;
}

/** The first line is told from the event's own row: most messages never need to have it written. */
export function readStory(db: Connection): (eventId: string) => readonly StoryLine[] {
  const head = db.prepare<[string], StoryHead>(
    "SELECT seq, received_at, conflict, envelope ->> '$.kind' AS kind, raw_size FROM event WHERE event_id = ?",
  );
  const lines = db.prepare<[number], StoryLine>("SELECT at, what, detail FROM story WHERE event = ? ORDER BY n");
  return (eventId) => {
    const event = head.get(eventId);
    if (event === undefined) return [];
    const detail =
      `by ${event.kind}, ${event.raw_size} bytes` +
      (event.conflict === 1 ? "; another message with other content has the same Message-ID" : "");
    return [{ at: event.received_at, what: "received", detail }, ...lines.all(event.seq)];
  };
}
