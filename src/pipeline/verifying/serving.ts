/** The far side of the verifying thread: many messages at once, each fed as its bytes come, waiting for DNS side by side. */
import type { MessagePort } from "node:worker_threads";
import { failed } from "../../mail/trust/evidence.ts";
import { Unverifiable } from "../../mail/trust/feed.ts";
import { verify } from "../../mail/trust.ts";
import type { Dns } from "../../model/dns.ts";
import type { Evidence } from "../../model/event.ts";
import type { Clock } from "../../model/ports.ts";
import { openNames } from "./names.ts";
import { beatEveryMs, type Order, type Orders, openReporting, type Report, shared } from "./orders.ts";

/** Of this thread's processor time. Text of 150 MiB takes 1.5 s, 25 MB of nothing but tabs and line ends 1.5 s; what takes longer was made to. */
export const mostWorkMs = 4_000;

class Dropped extends Error {
  override readonly name = "Dropped";
}

/** One message as its bytes come in. */
interface Incoming {
  readonly bytes: AsyncGenerator<Uint8Array>;
  push(bytes: Uint8Array): void;
  end(): void;
  drop(): void;
}

export interface ServingPorts {
  readonly dns: Dns;
  readonly clock: Clock;
  /** Processor time of this thread so far, in ms: on a busy machine a clock would blame honest mail for the work of others. */
  worked(): number;
}

export function serveVerifying(port: MessagePort, memory: SharedArrayBuffer, ports: ServingPorts): void {
  const { dns, clock, worked } = ports;
  const seen = new Int32Array(memory);
  const names = openNames(dns, clock);
  const incoming = new Map<number, Incoming>();
  const waiting: Order[] = [];
  let working = 0;
  let beating: NodeJS.Timeout | undefined;
  const post = openReporting(
    (reports) => port.postMessage(reports),
    () => waiting.length > 0,
  );
  const mark = (id: number) => (): void => void Atomics.store(seen, shared.current, id);

  async function work(id: number, order: Order & { kind: "begin" }): Promise<void> {
    beating ??= setInterval(() => Atomics.add(seen, shared.beat, 1), beatEveryMs);
    working++;
    const marks = mark(id);
    const asks = names.forMessage(marks);
    marks();
    const { whole } = order;
    // A short one is one piece: by the time that it could be stopped it is done.
    const source = whole === undefined ? timed(received(id, marks), worked, asks.fed) : once(whole, asks.fed);
    try {
      const evidence = await verify(source, order.received, asks.resolve);
      post({ kind: "done", id, evidence });
    } catch (error) {
      const known = evidenceOf(error);
      if (known !== undefined) post({ kind: "done", id, evidence: known });
      else if (!(error instanceof Dropped)) post({ kind: "broke", id, why: String(error).slice(0, 300) });
    } finally {
      incoming.delete(id);
      if (--working === 0) {
        clearInterval(beating);
        beating = undefined;
      }
    }
  }

  function received(id: number, marks: () => void): AsyncGenerator<Uint8Array> {
    const arriving = openIncoming(() => post({ kind: "took", id }), marks);
    incoming.set(id, arriving);
    return arriving.bytes;
  }

  const obey = (order: Order): void => {
    switch (order.kind) {
      case "begin":
        void work(order.id, order);
        break;
      case "chunk":
        incoming.get(order.id)?.push(order.bytes);
        break;
      case "end":
        incoming.get(order.id)?.end();
        break;
      case "drop":
        incoming.get(order.id)?.drop();
        break;
      case "close":
        port.close();
        break;
      default:
        order satisfies never;
    }
  };
  // Each in a turn of its own: what a message makes of its bytes at once is done before the next is marked as the one that is worked on.
  const next = (): void => {
    const order = waiting.shift();
    if (order !== undefined) obey(order);
    if (waiting.length > 0) setImmediate(next);
  };
  port.on("message", (orders: Orders) => {
    if (waiting.push(...orders) === orders.length) next();
  });
  // At once: a thread that is stuck in its first message was ready for it.
  port.postMessage(JSON.stringify([{ kind: "ready" } satisfies Report]));
}

const evidenceOf = (error: unknown): Evidence | undefined =>
  error instanceof Unverifiable ? failed("policy", `not verified: ${error.message}`) : undefined;

async function* once(bytes: Uint8Array, fed: () => void): AsyncGenerator<Uint8Array> {
  yield bytes;
  fed();
}

/** What is done with a chunk is done when the next one is asked for. Between two, other messages have their turn. */
async function* timed(
  source: AsyncIterable<Uint8Array>,
  worked: () => number,
  fed: () => void,
): AsyncGenerator<Uint8Array> {
  let workedMs = 0;
  for await (const bytes of source) {
    const before = worked();
    yield bytes;
    workedMs += worked() - before;
    if (workedMs > mostWorkMs) throw new Unverifiable(`it takes more than ${mostWorkMs / 1000} s of computing`);
  }
  fed();
}

function openIncoming(took: () => void, marks: () => void): Incoming {
  const chunks: Uint8Array[] = [];
  let state: "open" | "ended" | "dropped" = "open";
  let wake: () => void = () => undefined;
  async function* read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      while (chunks.length === 0 && state === "open") {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (state === "dropped") throw new Dropped();
      const bytes = chunks.shift();
      if (bytes === undefined) return;
      marks();
      yield bytes;
      took();
    }
  }
  const become = (next: "ended" | "dropped"): void => {
    state = next;
    wake();
  };
  return {
    bytes: read(),
    push(bytes) {
      chunks.push(bytes);
      wake();
    },
    end: () => become("ended"),
    drop: () => become("dropped"),
  };
}
