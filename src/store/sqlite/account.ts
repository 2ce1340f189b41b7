/** Which CRM account a lane works. When it becomes another, no id that the one before gave out may be used there. */
import type { Connection } from "./connection.ts";
import { openElect } from "./head.ts";
import type { Operations } from "./operations.ts";
import { openPlans } from "./plan.ts";
import { openStory } from "./story.ts";

interface Bound {
  account: string | null;
}

export function openBind(db: Connection): Operations["bind"] {
  const elect = openElect(db);
  const plans = openPlans(db);
  const add = db.prepare("INSERT INTO lane (name, tenant) VALUES (?, ?) ON CONFLICT DO NOTHING");
  const bound = db.prepare<[string], Bound>("SELECT account FROM lane WHERE name = ?");
  const put = db.prepare("UPDATE lane SET account = ?, binding = binding + ? WHERE name = ?");
  const forget = db.prepare("DELETE FROM record WHERE lane = ?");
  const freed = db.prepare<[string], { id: number; thread: string }>(
    "UPDATE delivery SET lease = NULL, lease_until = NULL, turn = 0 WHERE lane = ? AND lease IS NOT NULL RETURNING id, thread",
  );
  const sent = db.prepare(
    "UPDATE step SET state = 'unknown', reason = 'the CRM became another account before the answer' WHERE delivery = ? AND state = 'sent'",
  );

  return ({ lane, account }) => {
    add.run(lane, lane.split("/", 1)[0]);
    const known = bound.get(lane)?.account ?? null;
    if (known === account) return false;
    put.run(account, known === null ? 0 : 1, lane);
    if (known === null) return false;
    forget.run(lane);
    // Whoever works one of them now holds refs of the account before: nothing that comes of it may be written.
    for (const { id, thread } of freed.all(lane)) {
      sent.run(id);
      elect(lane, thread);
      plans.revise(id);
    }
    return true;
  };
}

/**
 * Brings a delivery that goes on to the account its lane has now: what was confirmed at another is planned again. Deliveries that are
 * done keep their refs as history until they are worked again.
 */
export type Follow = (delivery: number, now: number) => void;

export function openFollow(db: Connection): Follow {
  const tell = openStory(db);
  const follow = db.prepare<[number], { event: number; lane: string }>(
    `UPDATE delivery SET binding = (SELECT l.binding FROM lane l WHERE l.name = delivery.lane)
       WHERE id = ? AND binding <> (SELECT l.binding FROM lane l WHERE l.name = delivery.lane) RETURNING event, lane`,
  );
  const planAgain = db.prepare(
    `UPDATE step SET state = 'planned', ref = NULL, adopted = 0, note = NULL, settled_at = NULL, sends = 0, empty_reads = 0,
       deadline = NULL, reason = 'it was made in another account' WHERE delivery = ? AND state = 'confirmed'`,
  );
  return (delivery, now) => {
    const moved = follow.get(delivery);
    if (moved === undefined || planAgain.run(delivery).changes === 0) return;
    tell(
      moved.event,
      now,
      "planned again",
      `${moved.lane}: the CRM is another account now, without the records made before`,
    );
  };
}
