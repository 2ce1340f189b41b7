/** The pieces that tests of the road share: steps and rows as the ledger gives them, a session that does as told, ports that remember. */
import type { Dedupe, Facts, Ref, Session } from "../../src/model/destination.ts";
import type { ClaimedStep } from "../../src/model/ledger.ts";
import type { Log, LogFields, Metrics, Random, Sealer } from "../../src/model/ports.ts";
import type { ActivityStep, PersonStep, Step } from "../../src/model/step.ts";

export const personKey = "a".repeat(64);
export const activityKey = "b".repeat(64);

export const person: PersonStep = {
  kind: "person",
  key: personKey,
  why: "sender of the mail",
  email: "ada@people.test",
  name: "Ada",
  source: "email",
  create: true,
  flags: [],
};

export const activity: ActivityStep = {
  kind: "activity",
  key: activityKey,
  why: "every mail is logged once",
  direction: "inbound",
  at: 1,
  subject: "An order",
  text: "Ten, please.",
  html: null,
  from: { email: "ada@people.test", name: "Ada" },
  to: [],
  cc: [],
  headers: [],
  message_id: "<m1@people.test>",
  event_id: "event-1",
  attachments: [],
  flags: [],
  about: [personKey],
};

export function rowOf(step: Step, changes: Partial<ClaimedStep> = {}): ClaimedStep {
  return {
    id: step.kind === "person" ? 1 : 2,
    kind: step.kind,
    key: step.key,
    state: "planned",
    sends: 0,
    emptyReads: 0,
    deadline: null,
    ref: null,
    remembered: false,
    ...changes,
  };
}

export const unique: Dedupe = { tier: "unique-key", absenceProvable: true };
export const readBack: Dedupe = { tier: "key-readback", absenceProvable: true };
export const searchOnly: Dedupe = { tier: "marker-readback", absenceProvable: false };

export const facts: Facts = {
  vendor: "test",
  docs: "https://vendor.test",
  checked: "2026-11-24",
  apiVersion: "1",
  limits: [],
  maxBodyBytes: 1_000,
  dedupe: {},
  searchLagMs: 60_000,
  lateCommitMs: 600_000,
  can: {
    moveActivity: false,
    archive: false,
    linkForeignActivity: false,
    changeActivity: true,
    severalPeople: true,
    activityDeals: "several",
  },
  width: 4,
};

type Answer<T> = T | Error | (() => Promise<T>);

export interface Script {
  /** Which account the session is of; may throw. */
  account?: () => string;
  dedupe?: Dedupe;
  find?: Answer<Ref | undefined>[];
  put?: Answer<Ref>[];
  link?: Answer<void>[];
  read?: Answer<Awaited<ReturnType<Session["read"]>>>[];
}

/** Answers from the script in turn, the last one again and again; writes down what was asked of it. */
export function scripted(script: Script): Session & { readonly calls: string[] } {
  const calls: string[] = [];
  async function next<T>(name: string, of: Answer<T>[] | undefined, otherwise: T): Promise<T> {
    calls.push(name);
    const answer = of === undefined ? otherwise : of.length > 1 ? of.shift() : of[0];
    if (answer instanceof Error) throw answer;
    return typeof answer === "function" ? await (answer as () => Promise<T>)() : (answer as T);
  }
  return {
    calls,
    check: async () => ({ account: "test", findings: [] }),
    account: async () => script.account?.() ?? "test:1",
    dedupe: async () => script.dedupe ?? unique,
    find: (step) => next(`find ${step.kind}`, script.find, undefined),
    put: (step) => next(`put ${step.kind}`, script.put, { id: `${step.kind}-1` }),
    read: (kind, id) => next(`read ${kind} ${id}`, script.read, { id, archived: false, fields: {} }),
    link: (from, to) => next(`link ${from.id} ${to.id}`, script.link, undefined),
    unlink: async () => undefined,
    archive: async () => undefined,
  };
}

/** Seals nothing: what a test looks for can be read. */
export const openSealer: Sealer = {
  keyId: "none",
  seal: (plain, label) => Buffer.from(JSON.stringify({ label, plain: Buffer.from(plain).toString("base64") })),
  open(sealed) {
    const { label, plain } = JSON.parse(Buffer.from(sealed).toString("utf8")) as { label: string; plain: string };
    return { label, plain: Buffer.from(plain, "base64") };
  },
  sealStream: () => new TransformStream(),
  openStream: () => new TransformStream(),
};

export interface Kept {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly lines: { level: string; message: string; fields: LogFields }[];
  readonly counts: Map<string, number>;
}

export function keeping(): Kept {
  const lines: Kept["lines"] = [];
  const counts = new Map<string, number>();
  const logOf = (own: LogFields): Log => {
    const at = (level: string) => (fields: LogFields, message: string) =>
      void lines.push({ level, message, fields: { ...own, ...fields } });
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      with: (fields) => logOf({ ...own, ...fields }),
    };
  };
  const metrics: Metrics = {
    count(name, labels = {}, by = 1) {
      const key = [name, ...Object.values(labels)].join(" ");
      counts.set(key, (counts.get(key) ?? 0) + by);
    },
    observe: () => undefined,
    gauge: () => undefined,
  };
  return { log: logOf({}), metrics, lines, counts };
}

/** Least jitter, and ids in order. */
export function plainRandom(): Random {
  let ids = 0;
  return { unit: () => 0, uuid: () => `event-${String(++ids).padStart(4, "0")}` };
}
