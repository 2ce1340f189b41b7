/** Counts what was skipped, by rule and reason: every message without an activity has a stored decision. */
import type { SkipCount, SkipQuery } from "../../model/history.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";

/** A delivery `d` whose rule is the first value, or whose reason holds the second; letters of ASCII without case. */
export const becauseOf = "(d.rule = ? OR instr(lower(d.detail), lower(?)) > 0)";

/** A reason may hold words of the mail it was given for: what lies beyond these many different ones is one line of its own. */
const mostReasons = 100;

interface CountRow {
  rule: string | null;
  reason: string | null;
  messages: number;
}

export function openSkips(db: Connection): Operations["skips"] {
  const lanes = db.prepare<[], { name: string; tenant: string }>("SELECT name, tenant FROM lane ORDER BY name");
  const counting = (and: string) =>
    db.prepare<(string | number)[], CountRow>(
      `SELECT d.rule AS rule, d.detail AS reason, count(*) AS messages
         FROM delivery d INDEXED BY delivery_state JOIN event e ON e.seq = d.event
         WHERE d.state = 'skipped' AND d.lane = ? AND e.received_at >= ? ${and}
         GROUP BY d.rule, d.detail ORDER BY messages DESC, d.rule, d.detail`,
    );
  const all = counting("");
  const some = counting(`AND ${becauseOf}`);

  function ofLane(lane: string, { since = 0, because }: SkipQuery): SkipCount[] {
    const rows = because === undefined ? all.all(lane, since) : some.all(lane, since, because, because);
    const told = rows.slice(0, mostReasons).map(({ rule, reason, messages }) => ({
      lane,
      rule,
      reason: reason ?? "",
      messages,
    }));
    const rest = rows.slice(mostReasons).reduce((sum, { messages }) => sum + messages, 0);
    return rest === 0 ? told : [...told, { lane, rule: null, reason: "other reasons", messages: rest }];
  }

  return (query) =>
    lanes
      .all()
      .filter(({ name, tenant }) => (query.lane ?? name) === name && (query.tenant ?? tenant) === tenant)
      .flatMap(({ name }) => ofLane(name, query));
}
