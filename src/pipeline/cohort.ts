/** Which stored messages a run is about: pure, in the words of a mapping's feature flags. */

import { factsOf } from "../mapping/rules/facts.ts";
import { compileFlag } from "../mapping/rules/flags.ts";
import type { CanonicalEvent } from "../model/event.ts";
import type { Flag } from "../model/mapping.ts";
import type { Cohort } from "../model/runs.ts";

/** The percentage of every run and of a mapping's own `only: { percent }` is of different threads; of two runs it is of the same ones. */
const salt = "run";

/** By its event alone: who asks has gone by `since` and `until` already. */
export function inCohort({
  domain,
  sender,
  recipient,
  mailbox,
  percent,
  thread,
}: Cohort): (event: CanonicalEvent) => boolean {
  const flag: Flag = {
    ...(domain === undefined ? {} : { domain: [...domain] }),
    ...(sender === undefined ? {} : { sender: [...sender] }),
    ...(recipient === undefined ? {} : { recipient: [...recipient] }),
    ...(mailbox === undefined ? {} : { mailbox: [...mailbox] }),
    ...(percent === undefined ? {} : { percent }),
  };
  const question = compileFlag(flag, salt);
  const threads = thread === undefined ? undefined : new Set(thread);
  return (event) =>
    (threads === undefined || threads.has(event.thread.thread_id)) && question(factsOf(event)) === undefined;
}
