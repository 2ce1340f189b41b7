/** Sorts mails into conversations the way the road would, with nothing stored: for `score`. */
import { openHasher } from "../blobs/index.ts";
import { placeThreads, threadFacts } from "../mail/thread.ts";
import type { CanonicalEvent } from "../model/event.ts";
import { defaultMarks, type ThreadMarks } from "../model/threads.ts";

/** Thread ids of mails of one tenant, in their order. */
export function threadsOf(
  mails: readonly { readonly event: CanonicalEvent; readonly digest: string }[],
  marks: ThreadMarks = defaultMarks,
): string[] {
  // Nothing of it is kept: any key will do.
  const hasher = openHasher(new Uint8Array(32));
  const facts = mails.map(({ event, digest }) => threadFacts(event, { digest, hasher }));
  const nothingKnown = { messages: [], decisions: [], fans: [], cut: false };
  return placeThreads(facts, nothingKnown, marks).map(({ thread }) => thread.thread_id);
}
