/** A delivery's row: what it is, how it changes state, and what its steps say together. Every change of state goes through `become`. */
import type { DeliveryState, FailureReason } from "../../model/ledger.ts";
import { clip } from "./clip.ts";
import type { Connection } from "./connection.ts";
import { openElect, openHurry } from "./head.ts";

export interface Delivery {
  readonly id: number;
  readonly event: number;
  readonly lane: string;
  readonly thread: string;
  readonly decision: "steps" | "skip" | "hold";
  readonly rule: string | null;
  readonly state: DeliveryState;
  readonly reason: FailureReason | null;
  readonly detail: string | null;
  readonly attempts: number;
  readonly turn: number;
  readonly due_at: number;
  readonly lease: string | null;
  readonly settled_at: number | null;
}

/** turn: 0 ready, 1 waits for due_at, 2 leased. */
export const turns = { ready: 0, waiting: 1, leased: 2 } as const;

export type Next =
  | {
      readonly state: "pending";
      readonly attempts: number;
      readonly dueAt: number;
      readonly now: number;
      readonly detail?: string | null;
    }
  | {
      readonly state: "processed" | "skipped" | "held";
      readonly attempts: number;
      readonly at: number;
      readonly detail?: string | null;
    }
  | {
      readonly state: "failed";
      readonly attempts: number;
      readonly at: number;
      readonly reason: FailureReason;
      readonly detail: string;
    };

export interface Deliveries {
  get(id: number): Delivery | undefined;
  /** The delivery as its present holder knows it; undefined when the lease was lost. */
  held(id: number, token: string): Delivery | undefined;
  of(event: number, lane: string): Delivery | undefined;
  /** Gives up the lease, changes the state, and lets the thread go on. */
  become(delivery: Pick<Delivery, "id" | "lane" | "thread">, next: Next): void;
  /** Steps of the plan that are not confirmed yet. */
  unconfirmed(id: number): number;
  /** Whether a call may have happened whose outcome nobody knows. */
  unclear(id: number): boolean;
  /** Kinds of the records that the plan does not ask for any more and that may be at the CRM; null where there are none. */
  leftBehind(id: number): string | null;
}

const isBehind = (kind: string) =>
  `max(iif(position IS NULL AND state IN ('sent', 'unknown') AND sends > 0 AND undone IS NULL AND kind = '${kind}', kind, NULL))`;
/** Of steps, as an aggregate. People and companies are shared: the next mail that asks for one finds it. One that a person has looked for has no sends. */
export const leftBehind = `nullif(concat_ws(', ', ${isBehind("activity")}, ${isBehind("deal")}), '')`;

/** What a delivery becomes that has all it asks for, and left something behind: it must not disappear from sight. */
export const unsettled = (kinds: string) =>
  ({
    state: "failed",
    reason: "outcome_unknown",
    detail: `planned again without its ${kinds}, while the outcome of a call for it is unknown; look at the CRM, then confirm or replay`,
  }) as const;

const columns =
  "id, event, lane, thread, decision, rule, state, reason, detail, attempts, turn, due_at, lease, settled_at";

export function openDeliveries(db: Connection): Deliveries {
  const elect = openElect(db);
  const hurry = openHurry(db);
  const get = db.prepare<[number], Delivery>(`SELECT ${columns} FROM delivery WHERE id = ?`);
  const held = db.prepare<[number, string], Delivery>(`SELECT ${columns} FROM delivery WHERE id = ? AND lease = ?`);
  const of = db.prepare<[number, string], Delivery>(`SELECT ${columns} FROM delivery WHERE event = ? AND lane = ?`);
  // Head is given up and won again: an earlier one may have come meanwhile.
  const change = db.prepare(
    `UPDATE delivery SET state = ?, reason = ?, detail = ?, attempts = ?, turn = ?, due_at = ?, settled_at = ?,
       head = 0, lease = NULL, lease_until = NULL WHERE id = ?`,
  );
  const unconfirmed = db
    .prepare<[number], number>(
      "SELECT count(*) FROM step WHERE delivery = ? AND position IS NOT NULL AND state <> 'confirmed'",
    )
    .pluck();
  const unclear = db
    .prepare<[number], number>("SELECT 1 FROM step WHERE delivery = ? AND state IN ('sent', 'unknown') LIMIT 1")
    .pluck();
  const behind = db.prepare<[number], string | null>(`SELECT ${leftBehind} FROM step WHERE delivery = ?`).pluck();
  return {
    get: (id) => get.get(id),
    held: (id, token) => held.get(id, token),
    of: (event, lane) => of.get(event, lane),
    become(delivery, next) {
      const detail = next.detail == null ? null : clip(next.detail);
      if (next.state === "pending") {
        const turn = next.dueAt <= next.now ? turns.ready : turns.waiting;
        change.run("pending", null, detail, next.attempts, turn, next.dueAt, null, delivery.id);
        hurry(delivery);
      } else {
        const reason = next.state === "failed" ? next.reason : null;
        change.run(next.state, reason, detail, next.attempts, turns.ready, next.at, next.at, delivery.id);
      }
      elect(delivery.lane, delivery.thread);
    },
    unconfirmed: (id) => unconfirmed.get(id) ?? 0,
    unclear: (id) => unclear.get(id) !== undefined,
    leftBehind: (id) => behind.get(id) ?? null,
  };
}
