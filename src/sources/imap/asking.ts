/** Asks for the facts of messages so that one of which the server says nothing but no does not stand before the others. */
import type { Client, MessageFacts } from "./client.ts";
import { isRefusal } from "./trouble.ts";

export interface Answers {
  readonly facts: Map<number, MessageFacts>;
  /** Why the server refused to say anything of it, by UID. */
  readonly refused: Map<number, string>;
}

/** Halves what is refused until each that is to blame stands alone. Rejects where the connection is lost. */
export async function askFacts(client: Client, uids: readonly number[]): Promise<Answers> {
  const answers: Answers = { facts: new Map(), refused: new Map() };
  await ask(client, uids, answers);
  return answers;
}

async function ask(client: Client, uids: readonly number[], answers: Answers): Promise<void> {
  const [first] = uids;
  if (first === undefined) return;
  try {
    for (const [uid, facts] of await client.facts(uids)) answers.facts.set(uid, facts);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (uids.length === 1) {
      answers.refused.set(first, error.message);
      return;
    }
    const half = Math.ceil(uids.length / 2);
    await ask(client, uids.slice(0, half), answers);
    await ask(client, uids.slice(half), answers);
  }
}
