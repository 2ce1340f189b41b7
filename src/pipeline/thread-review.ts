/** When a person should look at a message's thread, and in which words. */
import type { CanonicalEvent } from "../model/event.ts";
import type { NewReview } from "../model/reviews.ts";
import type { ThreadMarks } from "../model/threads.ts";

/**
 * It was joined without being sure, or a thread that it may well belong to was not joined. Mail that is held is looked at for that, and one
 * that machines or many got is nobody's conversation.
 */
export function threadReview(
  { event_id: eventId, thread, auth, class: kinds }: CanonicalEvent,
  marks: Pick<ThreadMarks, "review">,
): NewReview[] {
  if (auth.trust === "suspicious" || kinds.kind !== "person") return [];
  const percent = (score: number): string => `${Math.round(score * 100)} %`;
  if (thread.review) {
    const detail = `joined to thread ${thread.thread_id} by its ${thread.method.replaceAll("_", " ")}, ${percent(thread.confidence)} sure`;
    return [{ eventId, kind: "thread", detail }];
  }
  const [best] = thread.candidates;
  if (best === undefined || best.score < marks.review || thread.method === "decision") return [];
  const because = best.reasons.map((reason) => reason.replaceAll("_", " ")).join(", ");
  const detail = `not joined to thread ${best.thread_id}, to which it may belong, ${percent(best.score)} sure: ${because}`;
  return [{ eventId, kind: "thread", detail }];
}
