/** Has a message planned again because something about its files has changed, so that what the CRM shows of them is brought up to date. */
import type { Connection } from "./connection.ts";
import { openStory } from "./story.ts";

/**
 * Only where something is at a CRM, or is to be: whatever was skipped or is held shows nothing, and is planned with what is known of its files
 * when it is let through. Without raw bytes it cannot be planned: then the link's page alone says how it stands.
 */
export function openPlanAgain(db: Connection): (event: number, now: number, what: string, detail: string) => void {
  const tell = openStory(db);
  const planned = `raw_kind <> 'gone' AND EXISTS (SELECT 1 FROM delivery d WHERE d.event = event.seq AND d.decision = 'steps')`;
  const planAgain = db.prepare(
    `UPDATE event SET stage = 'accepted', turn = 0, due_at = 0, parse_attempts = 0 WHERE seq = ? AND stage = 'prepared' AND ${planned}`,
  );
  // A plan that is being made may have read the rows before this.
  const planOnceMore = db.prepare("UPDATE event SET again = 1 WHERE seq = ? AND lease IS NOT NULL");
  return (event, now, what, detail) => {
    const again = planAgain.run(event).changes + planOnceMore.run(event).changes > 0;
    tell(event, now, again ? `${what}; it is planned again` : what, detail);
  };
}
