/** Feature flags: whom a rule, or a whole mapping, is in force for. A thread never changes sides: pure. */
import { createHash } from "node:crypto";
import type { Flag } from "../../model/mapping.ts";
import { compileConditions, type Question } from "./conditions.ts";
import type { Facts } from "./facts.ts";

/** `salt`: the rule's name, so that 10 % for one rule are not the same 10 % as for another. */
export function compileFlag(flag: Flag | undefined, salt: string): Question {
  if (flag === undefined) return () => undefined;
  const { percent, ...named } = flag;
  const isNamed = compileConditions(named);
  return (facts) => {
    const failed = isNamed(facts);
    if (failed !== undefined) return `only.${failed}`;
    return percent === undefined || shareOf(facts, salt) < percent ? undefined : "only.percent";
  };
}

/** From 0 up to, not including, 100; the same for every mail of a thread, and higher percentages only ever add threads. */
function shareOf({ event }: Facts, salt: string): number {
  const digest = createHash("sha256").update(`${salt}\0${event.tenant}\0${event.thread.thread_id}`).digest();
  return (digest.readUInt32BE(0) / 2 ** 32) * 100;
}
