/** The org's API calls in a rolling 24 hours, which all its apps share, and the header that says how many there were. */
import type { Clock } from "../../model/ports.ts";
import { Refusal } from "./reply.ts";

export interface DailyLimit {
  /** Counts a call, or refuses it. Answers the header that every answer carries. */
  count(): Record<string, string>;
  /** Calls of other apps. */
  add(calls: number): void;
  used(): number;
}

const hourMs = 3_600_000;

export function openLimit(most: number, clock: Pick<Clock, "now">): DailyLimit {
  let hours: { readonly hour: number; calls: number }[] = [];

  function add(calls: number): void {
    const hour = Math.floor(clock.now() / hourMs);
    const last = hours.at(-1);
    if (last?.hour === hour) last.calls += calls;
    else hours.push({ hour, calls });
  }
  function used(): number {
    const hour = Math.floor(clock.now() / hourMs);
    hours = hours.filter((one) => one.hour > hour - 24);
    return hours.reduce((sum, { calls }) => sum + calls, 0);
  }

  return {
    add,
    used,
    count() {
      if (used() >= most) {
        throw new Refusal(403, { message: "TotalRequests Limit exceeded.", errorCode: "REQUEST_LIMIT_EXCEEDED" });
      }
      add(1);
      return { "sforce-limit-info": `api-usage=${used()}/${most}` };
    },
  };
}
