/** A message that a run cannot plan: it stays what it was, is decided by what decided about it before, and says why. */
import { clip } from "./clip.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";
import { openStory } from "./story.ts";

export function openGiveUp(db: Connection): Operations["giveUpInRun"] {
  const tell = openStory(db);
  const leased = db
    .prepare<[string, string], number>("SELECT seq FROM event WHERE event_id = ? AND lease = ? AND stage = 'accepted'")
    .pluck();
  const pinnedBefore = db
    .prepare<[number, number], number | null>("SELECT pinned FROM run_event WHERE run = ? AND event = ?")
    .pluck();
  const unable = db.prepare("UPDATE run_event SET state = 'unable', reason = ? WHERE run = ? AND event = ?");
  // What was asked for before or meanwhile is planned; of another run, that one has it now, with its mapping.
  const leave = db.prepare(
    `UPDATE event SET stage = iif(again = 1 OR reprocess = 1 OR run IS NOT $run, 'accepted', 'prepared'), pinned = iif(run IS $run, $pinned, pinned),
       run = iif(run IS $run, NULL, run), replay = iif(again = 1 OR reprocess = 1 OR run IS NOT $run, replay, 0), parse_attempts = 0, turn = 0, due_at = 0,
       lease = NULL, lease_until = NULL, again = 0 WHERE seq = $event`,
  );
  return ({ eventId, token, run, reason, now }) => {
    const event = leased.get(eventId, token);
    if (event === undefined) return false;
    unable.run(clip(reason), run, event);
    leave.run({ run, event, pinned: pinnedBefore.get(run, event) || null });
    tell(event, now, `run ${run} could not plan it`, reason);
    return true;
  };
}
