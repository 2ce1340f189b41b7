/** Steps, ports and a clock for the tests of destinations. */
import { createHash } from "node:crypto";
import type { DestinationPorts, KnownRef, Ref, Refs } from "../../src/model/destination.ts";
import type { Clock, Log, LogFields, Metrics } from "../../src/model/ports.ts";
import type { LocalRecord, LocalRecords, RecordKind } from "../../src/model/records.ts";
import type {
  ActivityStep,
  CompanyStep,
  DealStep,
  Filed,
  FileStep,
  PersonStep,
  Step,
  StepKind,
} from "../../src/model/step.ts";
import type { Wire } from "../../src/model/wire.ts";
import { memoryTokens } from "../support/tokens.ts";

export const keyOf = (text: string): string => createHash("sha256").update(text).digest("hex");

export interface ManualClock extends Clock {
  /** Moves time; sleepers whose time has come wake in order. */
  advance(ms: number): Promise<void>;
}

export function manualClock(start = Date.UTC(2026, 10, 24, 12)): ManualClock {
  let now = start;
  let sleepers: { at: number; resolve: () => void }[] = [];
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    now: () => now,
    sleep(ms, signal) {
      if (signal?.aborted === true) return Promise.resolve();
      return new Promise<void>((resolve) => {
        const sleeper = { at: now + ms, resolve };
        sleepers.push(sleeper);
        signal?.addEventListener("abort", () => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          resolve();
        });
      });
    },
    async advance(ms) {
      const until = now + ms;
      await settle();
      for (;;) {
        const next = sleepers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        sleepers = sleepers.filter((other) => other !== next);
        now = Math.max(now, next.at);
        next.resolve();
        await settle();
      }
      now = until;
      await settle();
    },
  };
}

export const noMetrics: Metrics = { count: () => undefined, observe: () => undefined, gauge: () => undefined };

/** Keeps every line, so that a test can look for what must not be there. */
export function recordingLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const line = (fields: LogFields, message: string) => {
    const shown = Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? (value.stack ?? value.message) : value,
    ]);
    lines.push(`${JSON.stringify(shown)} ${message}`);
  };
  const log: Log = { debug: line, info: line, warn: line, error: line, with: () => log };
  return { log, lines };
}

export function portsFor(
  clock: Clock,
  wire: Wire,
  records: LocalRecords = memoryRecords(),
  log: Log = recordingLog().log,
): DestinationPorts {
  const wireTo = () => wire;
  return {
    tenant: "acme",
    lane: "acme/crm",
    wire,
    wireTo,
    tokens: memoryTokens(),
    clock,
    log,
    metrics: noMetrics,
    records,
  };
}

export const noWire: Wire = {
  request: () => Promise.reject(new Error("this destination must not call out")),
};

export const person = (email = "ada@example.test", more: Partial<PersonStep> = {}): PersonStep => ({
  kind: "person",
  key: keyOf(`person:${email}`),
  why: "test",
  email,
  name: "Ada Lovelace",
  source: "email",
  create: true,
  flags: [],
  ...more,
});

export const company = (domain = "example.test"): CompanyStep => ({
  kind: "company",
  key: keyOf(`company:${domain}`),
  why: "test",
  domain,
  name: "Example",
  create: true,
});

export const deal = (about: readonly string[], name = "Engines"): DealStep => ({
  kind: "deal",
  key: keyOf(`deal:${name}`),
  why: "test",
  name,
  pipeline: null,
  stage: "appointmentscheduled",
  about: [...about],
});

export const activity = (about: readonly string[], more: Partial<ActivityStep> = {}): ActivityStep => ({
  kind: "activity",
  key: keyOf(`activity:${more.message_id ?? "<1@example.test>"}`),
  why: "test",
  direction: "inbound",
  at: Date.UTC(2026, 10, 24, 11, 30, 0, 123),
  subject: "About the engine",
  text: "Could you quote for one analytical engine?",
  html: "<p>Could you quote for one <b>analytical</b> engine?</p>",
  from: { email: "ada@example.test", name: "Ada Lovelace" },
  to: [{ email: "sales@acme.test", name: null }],
  cc: [],
  headers: [["Message-ID", "<1@example.test>"]],
  message_id: "<1@example.test>",
  event_id: "0193a0c0-0000-7000-8000-000000000001",
  attachments: [],
  flags: [],
  about: [...about],
  ...more,
});

export const filed = (status: Filed["status"], more: Partial<Filed> = {}): Filed => ({
  filename: "offer.pdf",
  content_type: "application/pdf",
  size: 12_345,
  id: "0123456789abcdef0123456789abcdef",
  status,
  reason: null,
  url: "https://mail.example.test/a/0123456789abcdef0123456789abcdef?e=1796990000&k=1&s=c2ln",
  ...more,
});

/** What became of an activity's files, where it lists `was` (one of them) so far. */
export const fileStep = (
  mail: ActivityStep,
  files: readonly Filed[],
  was: readonly (readonly Filed[])[] = [mail.attachments],
): FileStep => ({
  kind: "file",
  key: keyOf(`file:${mail.key}:${JSON.stringify(files)}`),
  why: "test",
  activity: mail.key,
  files: [...files],
  was: was.map((list) => [...list]),
  generation: 1,
});

export function refsOf(...pairs: readonly (readonly [Step, Ref])[]): Refs {
  return new Map<string, KnownRef>(
    pairs.map(([step, ref]) => [step.key, { ...ref, kind: step.kind satisfies StepKind }]),
  );
}

/** The built-in CRM's tables, in memory, as src/model/records.ts promises them. */
let files = 0;
export function memoryRecords(): LocalRecords {
  const rows = new Map<string, LocalRecord>();
  // What is archived holds no key any more.
  const find = (fits: (row: LocalRecord) => boolean) => [...rows.values()].find((row) => !row.archived && fits(row));
  const change = (id: string, edit: (row: LocalRecord) => LocalRecord) => {
    const row = rows.get(id);
    if (row !== undefined) rows.set(id, edit(row));
  };
  // An association is seen from both ends.
  const half = (from: string, to: string) =>
    change(from, (row) => ({ ...row, links: [...new Set([...row.links, to])] }));
  const records: LocalRecords = {
    id: `file-${++files}`,
    findByKey: (tenant, kind, key) => find((row) => row.tenant === tenant && row.kind === kind && row.key === key),
    findByNatural: (tenant, kind, natural) =>
      find((row) => row.tenant === tenant && row.kind === kind && row.natural === natural),
    get: (id) => rows.get(id),
    create(record) {
      const known =
        records.findByKey(record.tenant, record.kind, record.key) ??
        (record.natural === null ? undefined : records.findByNatural(record.tenant, record.kind, record.natural));
      if (known !== undefined) return { record: known, created: false };
      const made: LocalRecord = { ...record, id: `${record.kind}-${rows.size + 1}`, archived: false };
      rows.set(made.id, made);
      for (const to of made.links) half(to, made.id);
      return { record: made, created: true };
    },
    amend: (id, fields) => change(id, (row) => ({ ...row, fields: { ...row.fields, ...fields } })),
    link(from, to) {
      half(from, to);
      half(to, from);
    },
    unlink(from, to) {
      change(from, (row) => ({ ...row, links: row.links.filter((id) => id !== to) }));
      change(to, (row) => ({ ...row, links: row.links.filter((id) => id !== from) }));
    },
    archive: (id) => change(id, (row) => ({ ...row, archived: true })),
    list: (kind: RecordKind, { tenant, limit }) =>
      [...rows.values()]
        .filter((row) => row.kind === kind && (tenant === undefined || row.tenant === tenant))
        .slice(0, limit),
    close: () => undefined,
  };
  return records;
}
