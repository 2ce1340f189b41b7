/** Conditions of a mapping made into questions to a mail's facts, each with the words that say why it does not apply: pure. */
import { trustLevels } from "../../model/event.ts";
import type { Conditions, When } from "../../model/mapping.ts";
import type { Facts } from "./facts.ts";
import { compileGlob, type Glob } from "./glob.ts";

/** The first condition that does not apply, as it stands in the file: `subject`, `not[1].domain`; undefined where all do. */
export type Question = (facts: Facts) => string | undefined;

type Asked<K extends keyof Conditions> = NonNullable<Conditions[K]>;
type Test = (facts: Facts) => boolean;

const listOf = <T>(one: T | readonly T[]): readonly T[] => (Array.isArray(one) ? (one as readonly T[]) : [one as T]);
const globs = (patterns: string | readonly string[]): readonly Glob[] => listOf(patterns).map(compileGlob);
const anyIs = (wanted: readonly Glob[], texts: readonly string[]): boolean =>
  texts.some((text) => wanted.some((glob) => glob.is(text)));

const range = ({ at_least, below }: { at_least?: number | undefined; below?: number | undefined }, value: number) =>
  (at_least === undefined || value >= at_least) && (below === undefined || value < below);

/** A domain and what is below it. */
function domainTest(patterns: Asked<"domain">): Test {
  const wanted = listOf(patterns).flatMap((one) => [compileGlob(one), compileGlob(`*.${one}`)]);
  return ({ domains }) => anyIs(wanted, domains);
}

function trustTest(wanted: Asked<"trust">): Test {
  if (typeof wanted === "object" && "at_least" in wanted) {
    const bar = trustLevels.indexOf(wanted.at_least);
    return ({ event }) => trustLevels.indexOf(event.auth.trust) >= bar;
  }
  const levels = new Set<string>(listOf(wanted));
  return ({ event }) => levels.has(event.auth.trust);
}

function fileTest(wanted: Asked<"attachments">): Test {
  if (typeof wanted === "boolean") return ({ files }) => files.length > 0 === wanted;
  const types = wanted.type === undefined ? undefined : globs(wanted.type);
  const names = wanted.name === undefined ? undefined : globs(wanted.name);
  return ({ files }) =>
    files.some(
      (file) => (types === undefined || anyIs(types, file.types)) && (names === undefined || anyIs(names, file.names)),
    );
}

function globTest(texts: (facts: Facts) => readonly string[]): (patterns: string | readonly string[]) => Test {
  return (patterns) => {
    const wanted = globs(patterns);
    return (facts) => anyIs(wanted, texts(facts));
  };
}

function oneOfTest(value: (facts: Facts) => string | null): (wanted: string | readonly string[]) => Test {
  return (wanted) => {
    const words = new Set(listOf(wanted));
    return (facts) => {
      const found = value(facts);
      return found !== null && words.has(found);
    };
  };
}

/** One maker of tests for each condition there is: a condition without one does not compile. */
const tests: { readonly [K in keyof Required<Conditions>]: (asked: Asked<K>) => Test } = {
  recipient: globTest(({ recipients }) => recipients),
  tag: globTest(({ tags }) => tags),
  mailbox: globTest(({ mailboxes }) => mailboxes),
  account: globTest(({ accounts }) => accounts),
  source: oneOfTest(({ event }) => event.source.kind),
  sender: globTest(({ senders }) => senders),
  domain: domainTest,
  sender_kind: (wanted) => {
    const kinds = listOf(wanted);
    return ({ senderKinds }) => kinds.some((kind) => senderKinds.has(kind));
  },
  colleague: globTest(({ colleagues }) => colleagues),
  subject: (patterns) => {
    const wanted = globs(patterns);
    return ({ subject }) => wanted.some((glob) => glob.isIn(subject));
  },
  direction: oneOfTest(({ event }) => event.participants.direction),
  class: oneOfTest(({ event }) => event.class.kind),
  trust: trustTest,
  thread: (wanted) => (facts) => facts.isNewThread === (wanted === "new"),
  confidence: (wanted) => (facts) => range(wanted, facts.event.thread.confidence),
  size: (wanted) => (facts) => range(wanted, facts.event.raw.size),
  attachments: fileTest,
  language: oneOfTest(({ event }) => event.message.language?.code ?? null),
  backfill: (wanted) => (facts) => (facts.event.source.imap?.backfilled === true) === wanted,
  list: (wanted) => (facts) => (facts.event.participants.list !== null) === wanted,
};

function testOf<K extends keyof Conditions>(name: K, asked: Asked<K>): Test {
  return tests[name](asked);
}

const isCondition = (name: string): name is keyof Conditions => Object.hasOwn(tests, name);

/** In the order of the file, so that the first failure told is the first one read. */
export function compileConditions(conditions: Conditions): Question {
  const compiled = Object.entries(conditions).flatMap(([name, asked]): { name: string; test: Test }[] =>
    asked === undefined || !isCondition(name) ? [] : [{ name, test: testOf(name, asked as never) }],
  );
  return (facts) => compiled.find(({ test }) => !test(facts))?.name;
}

export function compileWhen({ any, not, ...all }: When): Question {
  const every = compileConditions(all);
  const some = any?.map(compileConditions);
  const none = not === undefined ? [] : listOf(not).map(compileConditions);
  return (facts) => {
    const failed = every(facts);
    if (failed !== undefined) return failed;
    if (some?.every((question) => question(facts) !== undefined) === true) return "any";
    const hit = none.findIndex((question) => question(facts) === undefined);
    if (hit === -1) return undefined;
    return none.length === 1 ? "not" : `not[${hit}]`;
  };
}
