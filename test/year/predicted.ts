/** What `mapping diff` has to count, by the truths of the two mappings: nothing of the program under test is asked. */
import type { MappingDiff } from "../../src/cli/mapping-shapes.ts";
import type { Ask, Truth } from "./truth.ts";

const what = ["create", "change", "no_longer"] as const;
type Counts = Record<(typeof what)[number], number>;
const kinds = ["person", "company", "deal", "activity"] as const;

export interface PredictedDiff {
  readonly messages: Readonly<Record<string, number>>;
  readonly steps: Readonly<Record<string, Counts>>;
}

/** Both mappings have to want other fields on contacts, so that every mail that both file is a change. */
export function predictedDiff(old: Truth, fresh: Truth): PredictedDiff {
  const messages = { create: 0, change: 0, no_longer: 0, rule: 0, same: 0 };
  const none = (): Counts => ({ create: 0, change: 0, no_longer: 0 });
  const steps = Object.fromEntries(kinds.map((kind) => [kind, none()]));
  for (const [id, after] of fresh.asks) {
    const before = old.asks.get(id);
    if (before === undefined) throw new RangeError(`the truths are of different years: ${id}`);
    messages[kindOf(before, after)]++;
    const [had, has] = [recordsOf(before, old.deals), recordsOf(after, old.deals)];
    for (const kind of kinds) {
      const both = Math.min(had[kind], has[kind]);
      const counts = steps[kind] ?? none();
      counts.create += has[kind] - both;
      counts.no_longer += had[kind] - both;
      if (kind === "person") counts.change += both;
    }
  }
  return { messages, steps };
}

function kindOf(before: Ask, after: Ask): "create" | "change" | "no_longer" | "rule" | "same" {
  if (before.kind === "file") return after.kind === "file" ? "change" : "no_longer";
  if (after.kind === "file") return "create";
  if (before.kind !== after.kind) return "change";
  return before.rule === after.rule ? "same" : "rule";
}

/** The ledger knows the deals of all threads, whichever mail asked first. */
function recordsOf(ask: Ask, deals: Truth["deals"]): Record<(typeof kinds)[number], number> {
  if (ask.kind !== "file") return { person: 0, company: 0, deal: 0, activity: 0 };
  const deal = ask.mayDeal && (ask.hasDeal || deals.has(ask.conversation));
  return { person: ask.people, company: ask.companies, deal: deal ? 1 : 0, activity: 1 };
}

/** The part of a report that is predicted. An activity changes with its text and with what it belongs to, which no truth tells. */
export function counted({ messages, steps }: MappingDiff): PredictedDiff {
  const { waiting: _, purged: __, copies: ___, unreadable: ____, ...kindsOfMessages } = messages;
  const byKind = kinds.map((kind) => {
    const { create, change, no_longer } = steps.find((one) => one.kind === kind) ?? {
      create: 0,
      change: 0,
      no_longer: 0,
    };
    return [kind, { create, change: kind === "person" ? change : 0, no_longer }] as const;
  });
  return { messages: kindsOfMessages, steps: Object.fromEntries(byKind) };
}
