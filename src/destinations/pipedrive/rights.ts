/** What a 403 without a reason means: that the token may not do such a thing at all, or that one record is not to be seen or changed by its user. */

import { Refused } from "../../model/outcome.ts";
import type { Clock } from "../../model/ports.ts";
import type { WireResponse } from "../../model/wire.ts";
import { openMemo } from "../shared/calls.ts";
import { type Ask, asks, type ObjectName } from "./api.ts";

export interface Rights {
  /** Blocked where nothing of the kind passes; permanent where it is this record. */
  refusal(ask: Ask, reason: string): Promise<Refused>;
}

/** A permission that was just taken away is no record's fault for longer than this. */
const forgetMs = 60_000;
/** No body of ours names more. */
const mostNamed = 30;

const blocked = (reason: string): Refused =>
  new Refused({ kind: "blocked", reason: `${reason}; the token's user lacks a permission, or the plan a feature` });
const hidden = (reason: string, what: string): Refused =>
  new Refused({
    kind: "permanent",
    reason: `${reason}; the token's user may not use ${what}: give it to them, then replay`,
  });

/** `ask` answers a 403 as it is. */
export function openRights(ask: (what: Ask) => Promise<WireResponse>, clock: Pick<Clock, "now">): Rights {
  const memo = openMemo(clock, forgetMs);
  /** Whether the token reads such records at all. */
  const reads = (object: ObjectName): Promise<boolean> =>
    memo.once(object, async () => (await ask(asks.list(object, { limit: "1" }))).status !== 403);

  /** The first record in the body of a create that the user cannot see. */
  async function unseen(body: unknown): Promise<string | undefined> {
    for (const [object, id] of namedIn(body).slice(0, mostNamed)) {
      const { status } = await ask(asks.one(object, String(id)));
      if (status === 403 || status === 404) return `${object} ${id}`;
    }
    return undefined;
  }

  return {
    async refusal({ about, method, body, path }, reason) {
      if (about === undefined || !(await reads(about.object))) return blocked(reason);
      if (about.id !== undefined) return hidden(reason, `${about.object} ${about.id}`);
      // A list of what stands on one record.
      const of = /[?&](person_id|org_id|deal_id)=(\d{1,15})/.exec(path);
      if (method === "GET") return of === null ? blocked(reason) : hidden(reason, `what stands on ${of[1]} ${of[2]}`);
      const what = await unseen(body);
      return what === undefined ? blocked(reason) : hidden(reason, what);
    },
  };
}

function namedIn(body: unknown): (readonly [ObjectName, number])[] {
  const { person_id, org_id, deal_id, participants } = Object(body) as Readonly<Record<string, unknown>>;
  const people = Array.isArray(participants) ? participants.map((one) => Object(one).person_id as unknown) : [];
  const all: (readonly [ObjectName, unknown])[] = [
    ["persons", person_id],
    ...people.map((id) => ["persons", id] as const),
    ["organizations", org_id],
    ["deals", deal_id],
  ];
  return all.flatMap(([object, id]) => (typeof id === "number" ? [[object, id] as const] : []));
}
