/** Tells of runs of a mapping: how far they are, what came of each message, and in which runs a message was. */
import type { DeliveryState } from "../../model/ledger.ts";
import type { RunEvent, RunOutcome, RunProgress, RunTally } from "../../model/runs.ts";
import type { StepKind } from "../../model/step.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";
import { type Columns, rowOf } from "./runs.ts";

const states: readonly DeliveryState[] = ["pending", "processed", "failed", "skipped", "held"];

export function openRunsRead(
  db: Connection,
): Pick<Operations, "runs" | "runProgress" | "runTally" | "runEvents" | "runsOf"> {
  const list = db.prepare<[{ id: number | null; tenant: string | null; limit: number }], Columns>(
    `SELECT * FROM run WHERE ($id IS NULL OR id = $id) AND ($tenant IS NULL OR tenant = $tenant) ORDER BY id DESC LIMIT $limit`,
  );
  const one = db.prepare<[number], Columns>("SELECT * FROM run WHERE id = ?");
  const events = db.prepare<[number], { state: RunEvent["state"]; n: number }>(
    "SELECT state, n FROM run_tally WHERE run = ?",
  );
  const open = db
    .prepare<[number], number>(
      "SELECT count(*) FROM run_delivery INDEXED BY run_delivery_open WHERE run = ? AND open = 1",
    )
    .pluck();
  const deliveries = db.prepare<[number], { state: DeliveryState; n: number }>(
    "SELECT d.state, count(*) AS n FROM run_delivery r JOIN delivery d ON d.id = r.delivery WHERE r.run = ? GROUP BY d.state",
  );
  const made = db.prepare<[number], { kind: StepKind; adopted: number; undone: number; n: number }>(
    `SELECT kind, adopted, undone IS NOT NULL AS undone, count(*) AS n FROM step WHERE run = ? AND state = 'confirmed'
       GROUP BY kind, adopted, undone IS NOT NULL`,
  );
  const page = db.prepare<
    [number, number, number],
    { seq: number; event_id: string; message_id: string | null; state: RunEvent["state"]; reason: string | null }
  >(
    `SELECT e.seq, e.event_id, e.message_id, r.state, r.reason FROM run_event r JOIN event e ON e.seq = r.event
       WHERE r.run = ? AND r.event > ? ORDER BY r.event LIMIT ?`,
  );
  // CROSS: from the message's few deliveries. Left to itself, SQLite reads all of the run for each message (5,000 took half an hour).
  const outcomes = db.prepare<[number, number], { id: number; lane: string; state: DeliveryState; outcome: string }>(
    `SELECT d.id, d.lane, d.state, r.outcome FROM delivery d CROSS JOIN run_delivery r ON r.delivery = d.id AND r.run = ?
       WHERE d.event = ? ORDER BY d.id`,
  );
  const ofEvent = db.prepare<[string], { run: number; seq: number; state: RunEvent["state"] }>(
    `SELECT r.run, r.event AS seq, r.state FROM run_event r INDEXED BY run_event_of
       WHERE r.event = (SELECT seq FROM event WHERE event_id = ?) ORDER BY r.run DESC`,
  );
  const alone = db
    .prepare<[number, number], string>(
      "SELECT note FROM step WHERE delivery = ? AND run = ? AND adopted = 1 AND note LIKE 'left alone%' ORDER BY id",
    )
    .pluck();
  const deliveriesOf = (run: number, seq: number): RunEvent["deliveries"] =>
    outcomes.all(run, seq).map(({ id, outcome, ...row }) => ({
      ...row,
      outcome: JSON.parse(outcome) as RunOutcome,
      alone: alone.all(id, run),
    }));
  function eventsOf(run: number): Omit<RunProgress, "pending"> {
    const byState = new Map(events.all(run).map(({ state, n }) => [state, n]));
    const of = (state: RunEvent["state"]) => byState.get(state) ?? 0;
    return { waiting: of("waiting"), given: of("given"), planned: of("planned"), unable: of("unable") };
  }
  return {
    runs: ({ id, tenant, limit }) => list.all({ id: id ?? null, tenant: tenant ?? null, limit }).map(rowOf),
    runProgress: (run) => ({ ...eventsOf(run), pending: open.get(run) ?? 0 }),
    runTally(run): RunTally {
      const byDelivery = new Map(deliveries.all(run).map(({ state, n }) => [state, n]));
      return {
        ...eventsOf(run),
        deliveries: Object.fromEntries(
          states.map((state) => [state, byDelivery.get(state) ?? 0]),
        ) as RunTally["deliveries"],
        made: made
          .all(run)
          .map(({ adopted, undone, ...row }) => ({ ...row, adopted: adopted === 1, undone: undone === 1 })),
      };
    },
    runEvents: ({ run, after = 0, limit }) =>
      page.all(run, after, limit).map(({ seq, event_id, message_id, state, reason }) => ({
        seq,
        eventId: event_id,
        messageId: message_id,
        state,
        reason,
        deliveries: deliveriesOf(run, seq),
      })),
    runsOf: (eventId) =>
      ofEvent.all(eventId).flatMap(({ run, seq, state }) => {
        const row = one.get(run);
        return row === undefined ? [] : [{ run: rowOf(row), state, deliveries: deliveriesOf(run, seq) }];
      }),
  };
}
