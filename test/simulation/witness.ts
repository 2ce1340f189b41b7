/** Sees what happens in a world: counts it, writes it down when asked, and remembers what the verdict has to know. */
import type { Prepared, StepNote } from "../../src/model/ledger.ts";
import type { Labels, Log, LogFields, Metrics } from "../../src/model/ports.ts";
import type { VirtualTime } from "./clock.ts";
import type { Surroundings } from "./daemon.ts";
import type { Life } from "./life.ts";

export interface Witness {
  readonly seen: ReadonlyMap<string, number>;
  readonly lines: readonly string[];
  readonly wrongs: readonly string[];
  saw(what: string): void;
  trace(line: string): void;
  wrong(what: string): void;
  died(life: Life): void;
  /** How many processes died while they had this message in hand for its parse. */
  deathsAtParse(eventId: string): number;
  /** Which was the how manieth message whose plan was committed, and in which thread; undefined when none was, or when it was moved. */
  prepared(eventId: string): { readonly order: number; readonly thread: string } | undefined;
  /** The surroundings with their ledger under watch, and what the process says and counts. */
  watching(surroundings: Omit<Surroundings, "log" | "metrics">, life: Life): Surroundings;
}

export function openWitness(time: VirtualTime, tracing: boolean): Witness {
  const seen = new Map<string, number>();
  const lines: string[] = [];
  const wrongs: string[] = [];
  const dead = new Set<Life>();
  const parses = new Map<string, Set<Life>>();
  const prepared = new Map<string, { readonly order: number; readonly thread: string }>();
  const moved = new Set<string>();
  /** Steps that were taken up without anybody knowing what became of their last call. */
  const unknown = new Set<number>();
  const begun = time.trueNow;

  const saw = (what: string): void => {
    seen.set(what, (seen.get(what) ?? 0) + 1);
  };
  const trace = (line: string): void => {
    if (tracing) lines.push(`${String(time.trueNow - begun).padStart(10)} ${line}`);
  };

  function sawNote(note: StepNote): void {
    saw(`noted ${note.state}`);
    if (note.state === "unknown" && note.emptyRead === true) saw("a read-back found nothing");
    if (note.state === "sent" && unknown.has(note.step)) saw("an unknown call was sent again");
    if (note.state === "confirmed" && unknown.has(note.step)) saw("an unknown call was found to have happened");
  }

  function watched(ledger: Surroundings["ledger"], life: Life): Surroundings["ledger"] {
    const settle: typeof ledger.settle = async (request) => {
      const written = await ledger.settle(request);
      const { settlement } = request;
      for (const step of request.steps ?? []) sawNote(step);
      saw(
        written
          ? `settled ${settlement.state}${settlement.state === "failed" ? ` ${settlement.reason}` : ""}`
          : "a lease was lost",
      );
      return written;
    };
    const note: typeof ledger.note = async (request) => {
      for (const step of request.steps) sawNote(step);
      if ((request.forget ?? []).length > 0) saw("a vanished record was forgotten");
      return await ledger.note(request);
    };
    const claim: typeof ledger.claim = async (request) => {
      const answer = await ledger.claim(request);
      for (const { steps } of answer.claims)
        for (const step of steps) {
          if (step.state !== "unknown" && step.state !== "sent") continue;
          unknown.add(step.id);
          saw("an unknown outcome was taken up");
        }
      return answer;
    };
    const prepare: typeof ledger.prepare = async (items: readonly Prepared[]) => {
      const written = await ledger.prepare(items);
      for (const [index, { eventId, thread }] of items.entries()) {
        if (written[index] !== true) continue;
        const known = prepared.get(eventId);
        const name = thread?.thread.thread_id ?? eventId;
        if (known === undefined) prepared.set(eventId, { order: prepared.size, thread: name });
        else if (known.thread !== name) moved.add(eventId);
      }
      return written;
    };
    const attempt: typeof ledger.attempt = async (request) => {
      const attempts = await ledger.attempt(request);
      for (const { eventId } of attempts) parses.set(eventId, (parses.get(eventId) ?? new Set()).add(life));
      return attempts;
    };
    const pause: typeof ledger.pause = async (request) => {
      saw(`a lane was told: ${request.kind}`);
      return await ledger.pause(request);
    };
    const filesKept: typeof ledger.filesKept = async (request) => {
      for (const { id, status, scan } of request.kept)
        if (status === "stored" && scan.status !== "clean")
          wrongs.push(`FILES: ${id} would be served, and its scan is ${scan.status}`);
      return await ledger.filesKept(request);
    };
    const changed = { settle, note, claim, prepare, attempt, pause, filesKept };
    return new Proxy(ledger, {
      get(target, name) {
        const member: unknown = Reflect.get(changed, name) ?? Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return async (...args: unknown[]) => {
          const told = tracing ? `life ${life.number} ledger.${String(name)} ${shown(args)}` : "";
          try {
            const answer: unknown = await Reflect.apply(member, target, args);
            if (tracing) trace(`${told} -> ${shown(answer)}`);
            return answer;
          } catch (error) {
            if (tracing) trace(`${told} !! ${String(error)}`);
            throw error;
          }
        };
      },
    });
  }

  function keep(level: string, fields: LogFields, message: string): void {
    if (level === "error") saw(`error: ${message}`);
    if (tracing) trace(`${level} ${message} ${shown([fields])}`);
  }

  return {
    seen,
    lines,
    wrongs,
    saw,
    trace,
    wrong(what) {
      wrongs.push(what);
      trace(`WRONG ${what}`);
    },
    died: (life) => void dead.add(life),
    deathsAtParse: (eventId) => [...(parses.get(eventId) ?? [])].filter((life) => dead.has(life)).length,
    prepared: (eventId) => (moved.has(eventId) ? undefined : prepared.get(eventId)),
    watching(surroundings, life) {
      const { sandbox } = surroundings;
      const handle: typeof sandbox.handle = async (request) => {
        const reply = await sandbox.handle(request);
        if (tracing)
          trace(
            `life ${life.number} ${request.method} ${request.path} -> ${"drop" in reply ? "dropped" : reply.status}`,
          );
        return reply;
      };
      // What a dying process still stammers is of no account.
      const alive: Witness["saw"] = (what) => void (life.alive && saw(what));
      const metrics = metricsOf(alive, (what) => void (life.alive && wrongs.push(what)));
      const log = openLog((level, fields, message) => void (life.alive && keep(level, fields, message)));
      return { ...surroundings, ledger: watched(surroundings.ledger, life), sandbox: { handle }, metrics, log };
    },
  };
}

function metricsOf(saw: (what: string) => void, wrong: (what: string) => void): Metrics {
  return {
    count(name: string, labels: Labels = {}) {
      const told = Object.values(labels).join(" ");
      saw(`${name} ${told}`);
      // The attic cannot tell a failing disk from a fault of its own.
      if (name === "defects_total" && told !== "retain") wrong(`a defect was counted: ${told}`);
    },
    observe: () => undefined,
    gauge: () => undefined,
  };
}

function openLog(keep: (level: string, fields: LogFields, message: string) => void, own: LogFields = {}): Log {
  const at = (level: string) => (fields: LogFields, message: string) => keep(level, { ...own, ...fields }, message);
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => openLog(keep, { ...own, ...fields }),
  };
}

function shown(value: unknown): string {
  const text = JSON.stringify(value, (_key, inner: unknown) => {
    if (isBuffer(inner)) return `<${inner.data.length} bytes>`;
    if (isClaim(inner)) return `claim ${inner.id} under ${inner.lease.token}`;
    if (inner instanceof Error)
      return `${inner.message} ${inner.cause instanceof Error ? `(${inner.cause.message})` : ""}`;
    return inner;
  });
  return (text ?? "nothing").slice(0, 600);
}

/** What JSON makes of a buffer before anybody is asked. */
const isBuffer = (value: unknown): value is { data: readonly number[] } =>
  typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value;

const isClaim = (value: unknown): value is { id: number; lease: { token: string } } =>
  typeof value === "object" &&
  value !== null &&
  "sealedSteps" in value &&
  "lease" in value &&
  "id" in value &&
  "attempts" in value;
