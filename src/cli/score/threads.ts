/** Adds up how well mails are sorted into the conversations that their descriptions name, by us and by plainer ways. */
import type { CanonicalEvent } from "../../model/event.ts";
import type { ScoreShape } from "../score-shapes.ts";
import { baselines, type Threader } from "./baselines.ts";
import { agreement } from "./pairs.ts";

export interface Conversing {
  readonly file: string;
  readonly conversation: string;
  readonly event: CanonicalEvent;
  readonly digest: string;
}

type Report = NonNullable<ScoreShape["threads"]>;

/** Null where no mail names its conversation. `threads`: our own way. */
export function scoreThreads(
  mails: readonly Conversing[],
  threads: (mails: readonly Conversing[]) => readonly string[],
): Report | null {
  if (mails.length === 0) return null;
  const expected = mails.map(({ conversation }) => conversation);
  const found = threads(mails);
  const ours = { name: "mailwright", how: "the threads of the road", ...agreement(found, expected) };
  const events = mails.map(({ event }) => event);
  const others = baselines.map(({ name, how, groups }: Threader) => ({
    name,
    how,
    ...agreement(groups(events), expected),
  }));
  return {
    messages: mails.length,
    conversations: new Set(expected).size,
    threaders: [ours, ...others],
    misses: missesOf(mails, found).slice(0, mostMisses),
  };
}

const mostMisses = 100;

/** Conversations that were torn apart, and threads that hold several. */
function missesOf(mails: readonly Conversing[], found: readonly string[]): Report["misses"] {
  const torn = new Map<string, Map<string, string[]>>();
  const mixed = new Map<string, Map<string, string[]>>();
  for (const [at, { conversation, file }] of mails.entries()) {
    const thread = found[at] ?? "";
    put(torn, conversation, thread, file);
    put(mixed, thread, conversation, file);
  }
  const several = (groups: Map<string, Map<string, string[]>>, kind: "torn" | "mixed") =>
    [...groups.values()]
      .filter((parts) => parts.size > 1)
      .map((parts) => ({ kind, parts: [...parts.values()].map((files) => files.slice(0, 5).join(", ")) }));
  return [...several(torn, "torn"), ...several(mixed, "mixed")];
}

function put(groups: Map<string, Map<string, string[]>>, group: string, part: string, file: string): void {
  const parts = groups.get(group) ?? new Map<string, string[]>();
  parts.set(part, [...(parts.get(part) ?? []), file]);
  groups.set(group, parts);
}
