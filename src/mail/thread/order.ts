/** An order of messages that hangs on nothing but themselves: when they were written, and their identity where that is the same. */
import type { ThreadFacts } from "../../model/threads.ts";

export function inOrder(one: ThreadFacts, other: ThreadFacts): number {
  if (one.writtenAt !== other.writtenAt) return one.writtenAt - other.writtenAt;
  return one.begins < other.begins ? -1 : one.begins > other.begins ? 1 : 0;
}
