/** The world around a source, held in the hand: time that moves when told to, an intake that answers as told, logs and counts kept. */
import { createHash } from "node:crypto";
import type { Envelope } from "../../src/model/envelope.ts";
import type { Clock, Labels, Log, LogFields, Metrics } from "../../src/model/ports.ts";
import type { Intake, Receipt, Refusal, RouteAnswer, SourcePorts } from "../../src/model/source.ts";

/** Lets sockets of this process deliver what is already in the kernel: loop turns, not time. */
export async function settle(turns = 10): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Time stands still until `advance`. */
export class ManualClock implements Clock {
  #now: number;
  #sleepers: { at: number; wake: () => void }[] = [];

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** When the next sleeper wakes. */
  get next(): number | undefined {
    return this.#sleepers.length === 0 ? undefined : Math.min(...this.#sleepers.map(({ at }) => at));
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        resolve();
      });
    });
  }

  /** Somebody sets the clock; whoever sleeps sleeps no longer for it. */
  step(ms: number): void {
    this.#now += ms;
    for (const sleeper of this.#sleepers) sleeper.at += ms;
  }

  /** Moves time on, waking sleepers in their order and letting each do what it woke for. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#sleepers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== next);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      await settle(2);
    }
    this.#now = until;
  }
}

export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    }),
};

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: LogFields;
  readonly message: string;
}

export class KeptLog implements Log {
  readonly lines: LogLine[];
  readonly #fields: LogFields;
  readonly #waiting: Set<() => void>;

  constructor(fields: LogFields = {}, lines: LogLine[] = [], waiting = new Set<() => void>()) {
    this.#fields = fields;
    this.lines = lines;
    this.#waiting = waiting;
  }

  debug(fields: LogFields, message: string): void {
    this.#keep("debug", fields, message);
  }
  info(fields: LogFields, message: string): void {
    this.#keep("info", fields, message);
  }
  warn(fields: LogFields, message: string): void {
    this.#keep("warn", fields, message);
  }
  error(fields: LogFields, message: string): void {
    this.#keep("error", fields, message);
  }
  with(fields: LogFields): Log {
    return new KeptLog({ ...this.#fields, ...fields }, this.lines, this.#waiting);
  }

  /** The first line with this text, now or as soon as it is written. */
  async until(text: string): Promise<LogLine> {
    for (;;) {
      const line = this.lines.find(({ message }) => message.includes(text));
      if (line) return line;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #keep(level: LogLine["level"], fields: LogFields, message: string): void {
    this.lines.push({ level, fields: { ...this.#fields, ...fields }, message });
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

export class KeptMetrics implements Metrics {
  readonly counts = new Map<string, number>();
  readonly gauges = new Map<string, number>();
  readonly observed = new Map<string, number[]>();

  count(name: string, labels: Labels = {}, by = 1): void {
    const key = [name, ...Object.values(labels)].join(" ");
    this.counts.set(key, (this.counts.get(key) ?? 0) + by);
  }
  gauge(name: string, value: number): void {
    this.gauges.set(name, value);
  }
  observe(name: string, value: number): void {
    this.observed.set(name, [...(this.observed.get(name) ?? []), value]);
  }
}

export interface Taken {
  readonly bytes: Buffer;
  readonly envelopes: readonly Envelope[];
}

/** Collects what it is given. `before` and `after` run around the reading: they may wait, or throw. */
export class FakeIntake implements Intake {
  readonly maxBytes: number;
  readonly taken: Taken[] = [];
  /** How reading ended each time it did not come to the end. */
  readonly broken: unknown[] = [];
  begun = 0;
  before: () => Promise<void> | void = () => {};
  after: () => Promise<void> | void = () => {};
  refusal: Refusal | undefined;

  constructor(maxBytes = 1024 * 1024) {
    this.maxBytes = maxBytes;
  }

  /** What each MAIL declared with SIZE. */
  readonly declared: (number | undefined)[] = [];

  pressure = async (bytes?: number): Promise<Refusal | undefined> => {
    this.declared.push(bytes);
    return this.refusal;
  };

  accept = async (raw: AsyncIterable<Uint8Array>, envelopes: readonly Envelope[]): Promise<readonly Receipt[]> => {
    this.begun += 1;
    await this.before();
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of raw) chunks.push(Buffer.from(chunk));
    } catch (error) {
      this.broken.push(error);
      throw error;
    }
    await this.after();
    const bytes = Buffer.concat(chunks);
    this.taken.push({ bytes, envelopes });
    const id = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
    return envelopes.map(({ tenant }) => ({ eventId: `${tenant}-${id}`, tenant, outcome: "new" }));
  };
}

/** Tenant acme takes inbox@ and sales(+tag)@in.acme.test, tenant globex desk@in.globex.test, and one address in Greek. */
export function route(address: string): RouteAnswer {
  const at = address.lastIndexOf("@");
  const local = address.slice(0, at).replace(/\+.*$/, "").toLowerCase();
  const domain = address.slice(at + 1).toLowerCase();
  if (domain === "in.acme.test") {
    return ["inbox", "sales", "πωλήσεις"].includes(local)
      ? { kind: "accepted", tenant: "acme" }
      : { kind: "unknown_recipient" };
  }
  if (domain === "in.globex.test") {
    return local === "desk" ? { kind: "accepted", tenant: "globex" } : { kind: "unknown_recipient" };
  }
  return { kind: "not_ours" };
}

export interface World extends SourcePorts {
  readonly log: KeptLog;
  readonly metrics: KeptMetrics;
}

export function world(clock: Clock = realClock): World {
  return { clock, log: new KeptLog(), metrics: new KeptMetrics(), route };
}
