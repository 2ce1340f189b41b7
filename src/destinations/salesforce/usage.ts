/** The org's API calls in a rolling day, which all its apps share: how many there were, and a part of them that is left to the others. */
import type { Told } from "../../model/budget.ts";
import { Refused } from "../../model/outcome.ts";
import type { WireResponse } from "../../model/wire.ts";
import { saying } from "../shared/told.ts";
import { troubleOf } from "./classify.ts";

export interface Usage {
  /** Sforce-Limit-Info of an answer: `api-usage=18/5000`. */
  saw(header: string | undefined, now: number): void;
  /** Refused (rate_limited) while only the reserve is left. Now and then one call goes through, to see. */
  check(now: number): void;
  /** Undefined before the first answer. */
  last(): { readonly used: number; readonly most: number } | undefined;
}

const lookAgainMs = 15 * 60_000;

function usageOf(header: string | undefined): { readonly used: number; readonly most: number } | undefined {
  const [, used, most] = /\bapi-usage=(\d{1,12})\/(\d{1,12})\b/.exec(header ?? "") ?? [];
  return used === undefined || most === undefined ? undefined : { used: Number(used), most: Number(most) };
}

/** What an answer says of limits: the day's calls, and that too many calls ran at once. */
export function tells(answer: WireResponse): Told | undefined {
  const usage = usageOf(answer.headers["sforce-limit-info"]);
  const day = usage === undefined ? undefined : { most: usage.most, left: Math.max(0, usage.most - usage.used) };
  const { errorCode, message = "" } = (answer.status === 403 ? troubleOf(answer) : undefined) ?? {};
  const crowded = errorCode === "REQUEST_LIMIT_EXCEEDED" && /concurrent/i.test(message) ? true : undefined;
  return saying<Told>({ day, crowded });
}

export function openUsage(reservePercent: number): Usage {
  let seen: { readonly used: number; readonly most: number; readonly at: number } | undefined;
  return {
    saw(header, now) {
      const usage = usageOf(header);
      if (usage !== undefined) seen = { ...usage, at: now };
    },
    check(now) {
      if (seen === undefined || seen.most === 0 || now >= seen.at + lookAgainMs || now < seen.at) return;
      const { used, most, at } = seen;
      if (used < most * (1 - reservePercent / 100)) return;
      const reason = `the org has used ${used} of its ${most} API calls of a day, and ${reservePercent} % are left to others (daily_reserve_percent)`;
      throw new Refused({ kind: "rate_limited", reason, until: at + lookAgainMs });
    },
    last: () => seen,
  };
}
