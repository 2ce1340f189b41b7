/** Lays the messages of a neighbourhood out by what they are looked up by, and finds the ids that too many answer. */
import { mostAnswerers, type ThreadFacts, voiceOf } from "../../model/threads.ts";
import { inOrder } from "./order.ts";
import { type Field, grouped } from "./ties.ts";

/** `fans`: ids that are known to be answered by more people than are here. */
export function fieldOf(given: readonly ThreadFacts[], fans: Iterable<string>, window: number): Field {
  const messages = [...given].sort(inOrder);
  const owners = grouped(messages, ({ messageId }) => (messageId === null ? [] : [messageId]));
  const namers = grouped(messages, ({ names }) => names);
  return {
    messages,
    byEvent: new Map(messages.map((facts) => [facts.eventId, facts])),
    owners,
    namers,
    fans: new Set([...fans, ...massMail(messages, owners)]),
    window,
  };
}

/** Known mass mail; and whatever is answered, as the nearest that they name, by people of more organisations than any conversation has. */
function* massMail(
  messages: readonly ThreadFacts[],
  owners: ReadonlyMap<string, readonly ThreadFacts[]>,
): Generator<string> {
  for (const [id, those] of owners) if (those.some(({ broadcast }) => broadcast)) yield id;
  for (const [id, answers] of grouped(messages, ({ names }) => names.slice(-1))) {
    if (new Set(answers.flatMap(answererOf)).size > mostAnswerers) yield id;
  }
}

/** Colleagues answer as one. */
export const answererOf = ({ sender, inside }: ThreadFacts): string[] =>
  sender === null || inside ? [] : [voiceOf(sender)];
