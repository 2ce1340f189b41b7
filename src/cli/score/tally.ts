/** Adds up which fields of which messages are right. */
import { jsonText, plain } from "../plain.ts";
import type { ScoreShape } from "../score-shapes.ts";
import type { Leaf } from "./leaves.ts";

/** Of the report; all are counted. */
const mostMisses = 1000;
const mostShown = 300;

interface Count {
  right: number;
  of: number;
}
interface Family extends Count {
  messages: number;
  rightMessages: number;
}

export interface Tally {
  add(file: string, family: string, leaves: Iterable<Leaf>): void;
  refuse(file: string, reason: string): void;
  report(): Omit<ScoreShape, "threads">;
}

const accuracy = ({ right, of }: Count): number => (of === 0 ? 0 : right / of);

export function openTally(): Tally {
  // Maps, since names of fields and folders come from files: one may be called __proto__.
  const fields = new Map<string, Count>();
  const families = new Map<string, Family>();
  const misses: ScoreShape["misses"] = [];
  const refusals: ScoreShape["refused"] = [];
  let missed = 0;
  return {
    add(file, name, leaves) {
      const family = grown(families, name, () => ({ messages: 0, rightMessages: 0, right: 0, of: 0 }));
      const before = missed;
      for (const { field, path, expected, got, right } of leaves) {
        for (const count of [family, grown(fields, field, () => ({ right: 0, of: 0 }))]) {
          count.of++;
          if (right) count.right++;
        }
        if (right) continue;
        missed++;
        if (misses.length < mostMisses) misses.push({ file, field: path, expected: shown(expected), got: shown(got) });
      }
      family.messages++;
      if (missed === before) family.rightMessages++;
    },
    refuse: (file, reason) => void refusals.push({ file, reason: plain(reason, mostShown) }),
    report() {
      const all = [...families.values()];
      const sum = (of: (family: Family) => number): number => all.reduce((total, family) => total + of(family), 0);
      const total = { right: sum(({ right }) => right), of: sum(({ of }) => of) };
      return {
        messages: sum(({ messages }) => messages),
        right_messages: sum(({ rightMessages }) => rightMessages),
        ...total,
        accuracy: accuracy(total),
        families: sorted(families).map(([family, { messages, rightMessages, ...count }]) => ({
          family,
          messages,
          right_messages: rightMessages,
          ...count,
          accuracy: accuracy(count),
        })),
        fields: sorted(fields).map(([field, count]) => ({ field, ...count, accuracy: accuracy(count) })),
        misses,
        misses_left_out: missed - misses.length,
        refused: refusals,
      };
    },
  };
}

function grown<Value>(map: Map<string, Value>, key: string, made: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = made();
  map.set(key, value);
  return value;
}

const sorted = <Value>(map: Map<string, Value>): [string, Value][] =>
  [...map].sort(([one], [other]) => (one < other ? -1 : 1));

/** As JSON without anything that steers a terminal, bounded; blanks that a table would fold can be seen. */
function shown(value: unknown): string {
  if (value === undefined) return "(no such field)";
  // Before it is written out: a text may be a megabyte.
  const short = typeof value === "string" ? value.slice(0, mostShown) : value;
  return plain(
    jsonText(short).replace(/ {2,}/g, (blanks) => "\u2423".repeat(blanks.length)),
    mostShown,
  );
}
