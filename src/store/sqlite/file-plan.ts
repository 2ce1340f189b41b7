/** Remembers that something about a message's files has changed, so that what its plans say of them is brought up to date, and writes that down. */
import type { FilesToPlan } from "../../model/files.ts";
import { furthestMs } from "./backstep.ts";
import type { Connection } from "./connection.ts";
import { openDeliveries } from "./delivery.ts";
import { fairShares } from "./fair.ts";
import type { Operations } from "./operations.ts";
import { openPlans } from "./plan.ts";
import { openStory } from "./story.ts";

/**
 * Only where something is at a CRM, or is to be: whatever was skipped or is held shows nothing, and is planned with what is known of its files
 * when it is let through. A plan that is being made may have read the rows before this.
 */
export function openTellPlans(db: Connection): (event: number, now: number, what: string, detail: string) => void {
  const tell = openStory(db);
  const mark = db.prepare(
    `UPDATE filing SET change = change + 1, plan_at = $now WHERE event = $event
       AND (EXISTS (SELECT 1 FROM delivery d WHERE d.event = filing.event AND d.decision = 'steps')
         OR EXISTS (SELECT 1 FROM event e WHERE e.seq = filing.event AND e.stage = 'accepted'))`,
  );
  // Retention has taken the event and its plans already, and not the mail: they are made once more.
  const planAgain = db.prepare(
    `UPDATE event SET stage = 'accepted', turn = 0, due_at = 0, parse_attempts = 0 WHERE seq = ? AND stage = 'prepared'
       AND has_body = 0 AND raw_kind <> 'gone' AND EXISTS (SELECT 1 FROM delivery d WHERE d.event = event.seq AND d.decision = 'steps')`,
  );
  return (event, now, what, detail) => {
    planAgain.run(event);
    const again = mark.run({ event, now }).changes > 0;
    tell(event, now, again ? `${what}; what it lists of them is planned again` : what, detail);
  };
}

type PlanFiles = Pick<Operations, "filesToPlan" | "filesPlanned" | "filesPlanLater">;

export function openPlanFiles(db: Connection): PlanFiles {
  const plans = openPlans(db);
  const deliveries = openDeliveries(db);
  // What is planned anew, or at work in a lane, comes after that. A clock that was set back must not make it wait longer than it would have.
  const waiting = db.prepare<[{ tenant: string; now: number; most: number; furthest: number }], FilesToPlan>(
    `SELECT e.event_id AS eventId, f.tenant, f.change FROM filing f INDEXED BY filing_plan JOIN event e ON e.seq = f.event
       WHERE f.tenant = $tenant AND f.change > 0 AND (f.plan_at <= $now OR f.plan_at > $furthest) AND e.stage = 'prepared'
         AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event = f.event AND d.lease IS NOT NULL)
       ORDER BY f.plan_at, f.event LIMIT $most`,
  );
  const ready = db
    .prepare<[string, number], number>(
      `SELECT f.event FROM event e JOIN filing f ON f.event = e.seq WHERE e.event_id = ? AND f.change = ? AND e.stage = 'prepared'
         AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event = f.event AND d.lease IS NOT NULL)`,
    )
    .pluck();
  const hasBody = db.prepare<[number], number>("SELECT has_body FROM event WHERE seq = ?").pluck();
  const putBody = db.prepare("UPDATE body SET sealed = ? WHERE event = ?");
  const stands = db.prepare<[number], { version: number; replay: number }>(
    "SELECT mapping_version AS version, replay FROM delivery WHERE id = ?",
  );
  const done = db.prepare("UPDATE filing SET change = 0, plan_at = 0 WHERE event = ?");
  const later = db.prepare(
    "UPDATE filing SET plan_at = ? WHERE change > 0 AND event = (SELECT seq FROM event WHERE event_id = ?)",
  );

  return {
    filesToPlan: ({ tenants, room, now }) =>
      fairShares({ tenants, room }, (tenant, most) => waiting.all({ tenant, now, most, furthest: now + furthestMs })),
    filesPlanned({ eventId, change, now, sealedEvent, deliveries: planned }) {
      const event = ready.get(eventId, change);
      if (event === undefined) return false;
      if (sealedEvent !== undefined) putBody.run(sealedEvent, event);
      // Where retention took it meanwhile, its plans are gone with it.
      for (const { delivery: id, steps, sealedSteps } of hasBody.get(event) === 1 ? planned : []) {
        const known = deliveries.get(id);
        if (known?.event !== event || known.decision !== "steps") continue;
        const { lane, thread } = known;
        const decision = { kind: "steps", rule: known.rule ?? "", steps, sealedSteps } as const;
        // The rules that it was decided by are those that it stands by.
        const { version: mappingVersion = 0, replay = 0 } = stands.get(id) ?? {};
        const as = { mappingVersion, replay: replay === 1, reprocess: false, run: null };
        plans.merge({ event, now, thread, ...as, delivery: { lane, decision } });
      }
      done.run(event);
      return true;
    },
    filesPlanLater(eventId, dueAt) {
      later.run(dueAt, eventId);
    },
  };
}
