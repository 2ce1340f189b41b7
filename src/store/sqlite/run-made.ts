/** What a run made of one message, for whoever takes it back; and the next turn of an undo, over what hangs on what is gone by then. */
import type { DeliveryState } from "../../model/ledger.ts";
import { type Made, type MadeStep, movedSince, type RunBefore } from "../../model/runs.ts";
import type { StepKind } from "../../model/step.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";
import { inLaterRun } from "./run-later.ts";

interface DeliveryRow {
  id: number;
  lane: string;
  state: DeliveryState;
  before: string | null;
  plan: Uint8Array | null;
  now: Uint8Array | null;
}
interface StepRow {
  kind: StepKind;
  key: string;
  state: MadeStep["state"];
  ref: string | null;
  adopted: number;
  sends: number;
  snapshot: Uint8Array | null;
}

export function openRunMade(db: Connection): Operations["runMade"] {
  // CROSS: from the message to its deliveries, or all of the run would be read for each message.
  const deliveries = db.prepare<[number, string], DeliveryRow>(
    `SELECT d.id, d.lane, d.state, r.before, r.plan, p.sealed AS now
       FROM event e CROSS JOIN delivery d ON d.event = e.seq CROSS JOIN run_delivery r ON r.delivery = d.id AND r.run = ?
         LEFT JOIN plan p ON p.delivery = d.id WHERE e.event_id = ? ORDER BY d.id`,
  );
  const steps = db.prepare<[number, number], StepRow>(
    "SELECT kind, key, state, ref, adopted, sends, snapshot FROM step WHERE delivery = ? AND run = ? AND undone IS NULL ORDER BY id",
  );
  const pass = db.prepare<[number], number>("SELECT pass FROM run WHERE id = ?").pluck();
  return ({ run, undo, eventId }) => ({
    pass: pass.get(undo) ?? 1,
    deliveries: deliveries
      .all(run, eventId)
      .map(({ id, lane, state, before, plan, now }): Made["deliveries"][number] => ({
        lane,
        state,
        before: before === null ? null : (JSON.parse(before) as RunBefore),
        plan: plan ?? undefined,
        now: now ?? undefined,
        steps: steps.all(id, run).map(({ adopted, snapshot, ...row }) => ({
          ...row,
          adopted: adopted === 1,
          snapshot: snapshot ?? undefined,
        })),
      })),
  });
}

/** By pass: deals hang on nobody's list but activities', people on deals', companies on people's. */
const kindOfPass: readonly (StepKind | undefined)[] = [undefined, undefined, "deal", "person", "company"];

/** Of a move that was left alone. */
const isLeft = `u.ref = 'none' AND u.kind IN ('link', 'unlink') AND u.note LIKE 'left alone%${movedSince}'`;

export function openNextPass(db: Connection): Operations["nextPass"] {
  const of = db.prepare<[number], { of: number | null; pass: number }>("SELECT of, pass FROM run WHERE id = ?");
  const step = db.prepare("UPDATE run SET pass = ? WHERE id = ?");
  // What was moved since its move may have been moved by another message's, which is taken back by now: it is tried again.
  const again = db.prepare(
    `UPDATE run_event SET state = 'waiting' WHERE run = $undo AND state = 'planned'
       AND NOT ${inLaterRun("run_event.event", "$undo")} AND event IN (
       SELECT d.event FROM step s INDEXED BY step_run JOIN delivery d ON d.id = s.delivery
         WHERE s.run = $run AND s.kind = $kind AND s.snapshot IS NOT NULL AND s.undone IS NULL
       UNION SELECT d.event FROM step u INDEXED BY step_run JOIN delivery d ON d.id = u.delivery
         WHERE u.run = $undo AND ${isLeft} AND EXISTS (SELECT 1 FROM step s INDEXED BY step_delivery
           WHERE s.delivery = u.delivery AND s.run = $run AND s.kind IN ('link', 'unlink') AND s.snapshot IS NOT NULL AND s.undone IS NULL))`,
  );
  const left = `FROM step u INDEXED BY step_run JOIN delivery d ON d.id = u.delivery
         JOIN run_event r ON r.run = $undo AND r.event = d.event AND r.state = 'waiting' WHERE u.run = $undo AND ${isLeft}`;
  // Or it would be known to the lane from the first time.
  const forget = db.prepare(`DELETE FROM record WHERE (lane, kind, key) IN (SELECT d.lane, u.kind, u.key ${left})`);
  const retry = db.prepare(
    `UPDATE step SET state = 'planned', position = NULL, ref = NULL, note = NULL, adopted = 0, settled_at = NULL WHERE id IN (SELECT u.id ${left})`,
  );
  return (undo) => {
    const row = of.get(undo);
    if (row?.of == null) return false;
    for (let pass = row.pass + 1; pass < kindOfPass.length; pass++) {
      step.run(pass, undo);
      const { changes } = again.run({ undo, run: row.of, kind: kindOfPass[pass] ?? "" });
      if (changes === 0) continue;
      forget.run({ undo });
      retry.run({ undo });
      return true;
    }
    return false;
  };
}

/** Written with the confirmation of the step that took a record back: nobody goes by it any more, and its key is used up at the CRM. */
export function openTakenBack(
  db: Connection,
): (
  delivery: { id: number; lane: string; event: number },
  by: number,
  what: { kind: string; key: string; ref: string; ours: boolean },
) => void {
  const run = db
    .prepare<[number], number | null>("SELECT of FROM run WHERE id = (SELECT run FROM step WHERE id = ?)")
    .pluck();
  const undoneBy = db.prepare(
    `UPDATE step SET undone = (SELECT run FROM step WHERE id = $by), position = NULL
       WHERE run = $run AND ref = $ref AND kind = $kind AND key = $key AND state = 'confirmed' AND undone IS NULL`,
  );
  const forget = db.prepare("DELETE FROM record WHERE lane = ? AND kind = ? AND key = ? AND ref = ?");
  const used = db.prepare(
    "INSERT INTO undone (lane, kind, key, times) VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET times = times + 1",
  );
  const deal = db.prepare("DELETE FROM deal WHERE event = ? AND key = ? AND run = ?");
  return (delivery, by, { kind, key, ref, ours }) => {
    const of = run.get(by) ?? 0;
    undoneBy.run({ by, run: of, ref, kind, key });
    forget.run(delivery.lane, kind, key, ref);
    if (ours) used.run(delivery.lane, kind, key);
    if (kind === "deal") deal.run(delivery.event, key, of);
  };
}
