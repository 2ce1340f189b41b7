/** What the ledger's contract tests are written with: messages, plans and the usual road of one, in ledger words only. */
import { afterEach, beforeEach } from "vitest";
import type {
  Attempt,
  Claim,
  DeliveryRow,
  EventRow,
  Ledger,
  NewMessage,
  Prepared,
  PreparedDelivery,
  StepNote,
} from "../../../src/model/ledger.ts";

/** One engine under test. `reopen` closes it and opens the same ledger again. */
export interface Bench {
  readonly ledger: Ledger;
  reopen(): Promise<Ledger>;
  end(): Promise<void>;
}
export type OpenBench = () => Promise<Bench>;

export const lane = "acme/crm";
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (sealed: Uint8Array | undefined): string | undefined =>
  sealed === undefined ? undefined : new TextDecoder().decode(sealed);

/** A new message; its Message-ID, digest and event id follow from `name`. */
export function message(
  name: string,
  changes: Partial<Omit<NewMessage, "envelope">> & { routes?: string[] } = {},
): NewMessage {
  const { routes = ["deals@in.example.com"], tenant = "acme", receivedAt = 1_000, ...rest } = changes;
  return {
    eventId: `event-${name}`,
    tenant,
    messageId: `<${name}@example.net>`,
    digest: `digest-of-${name}`,
    receivedAt,
    envelope: { kind: "smtp", tenant, routes, received_at: receivedAt },
    rawSha256: `sha-of-${name}`,
    rawSize: 100,
    raw: { kind: "inline", sealed: bytes(`raw of ${name}`) },
    ...rest,
  };
}

const kindOf = (key: string) =>
  (["person", "file", "deal"] as const).find((kind) => key.startsWith(kind)) ?? "activity";

export type Plan = PreparedDelivery["decision"];
export const steps = (...keys: string[]): Plan => ({
  kind: "steps",
  rule: "inbound",
  steps: keys.map((key) => ({ kind: kindOf(key), key, why: `because of ${key}` })),
  sealedSteps: bytes(`plan ${keys.join(" ")}`),
});
export const skip = (reason = "automated"): Plan => ({ kind: "skip", rule: "automated", reason });
export const hold = (reason = "suspicious"): Plan => ({ kind: "hold", rule: "trust", reason });

export function preparedOf(
  attempt: Attempt,
  plans: Readonly<Record<string, Plan>>,
  options: { now?: number; thread?: string } = {},
): Prepared {
  return {
    eventId: attempt.eventId,
    lease: attempt.lease,
    now: options.now ?? 2_000,
    sealedEvent: bytes(`event ${attempt.eventId}`),
    schemaVersion: 1,
    mappingVersion: 1,
    parseStatus: "ok",
    threadKey: options.thread ?? `thread of ${attempt.eventId}`,
    deliveries: Object.entries(plans).map(([name, decision]) => ({ lane: name, decision })),
  };
}

/** The ledger under test with the calls that most tests make. Fresh for every test. */
export interface World {
  readonly ledger: Ledger;
  reopen(): Promise<void>;
  attempt(options?: { now?: number; room?: number; tenants?: string[]; leaseMs?: number }): Promise<readonly Attempt[]>;
  /** Accepts one message and prepares it for the usual lane. Resolves with its event id. */
  delivery(
    name: string,
    plan: Plan,
    options?: { now?: number; thread?: string; lane?: string; message?: Parameters<typeof message>[1] },
  ): Promise<string>;
  /** Prepares whatever waits for a parse now. */
  prepareAll(plan: Plan, options?: { now?: number; thread?: string; lane?: string }): Promise<readonly boolean[]>;
  claims(options?: {
    now?: number;
    room?: number;
    lane?: string;
    leaseMs?: number;
    bodies?: boolean;
  }): Promise<readonly Claim[]>;
  claim(options?: { now?: number; lane?: string; leaseMs?: number; bodies?: boolean }): Promise<Claim>;
  /** Claims the next delivery, confirms what is left of it and settles it as processed. */
  deliver(options?: { now?: number; lane?: string }): Promise<Claim>;
  /** Claims the next delivery and makes a dead letter of it, its first step left in the state given. */
  fail(state: "refused" | "unknown", options?: { now?: number }): Promise<Claim>;
  row(eventId: string): Promise<EventRow>;
  only(eventId: string): Promise<DeliveryRow>;
}

export function world(open: OpenBench): World {
  let bench: Bench | undefined;
  let ledger: Ledger | undefined;
  beforeEach(async () => {
    bench = await open();
    ledger = bench.ledger;
  });
  afterEach(async () => {
    await bench?.end();
  });
  const now = (options: { now?: number }) => options.now ?? 3_000;

  const self: World = {
    get ledger() {
      return there(ledger);
    },
    async reopen() {
      ledger = await there(bench).reopen();
    },
    attempt: (options = {}) =>
      self.ledger.attempt({
        tenants: options.tenants ?? ["acme"],
        room: options.room ?? 10,
        now: options.now ?? 1_500,
        leaseMs: options.leaseMs ?? 60_000,
      }),
    async delivery(name, plan, options = {}) {
      await self.ledger.accept([message(name, options.message)]);
      await self.prepareAll(plan, options);
      return `event-${name}`;
    },
    async prepareAll(plan, options = {}) {
      const attempts = await self.attempt(options.now === undefined ? {} : { now: options.now });
      return await self.ledger.prepare(
        attempts.map((attempt) => preparedOf(attempt, { [options.lane ?? lane]: plan }, options)),
      );
    },
    async claims(options = {}) {
      const request = {
        lane: options.lane ?? lane,
        room: options.room ?? 10,
        now: now(options),
        leaseMs: options.leaseMs ?? 60_000,
        ...(options.bodies === undefined ? {} : { bodies: options.bodies }),
      };
      return (await self.ledger.claim(request)).claims;
    },
    claim: async (options = {}) => there((await self.claims({ ...options, room: 1 }))[0]),
    async deliver(options = {}) {
      const claim = await self.claim(options);
      const at = now(options);
      const left = claim.steps.filter(({ state }) => state !== "confirmed");
      const notes = left.map(
        ({ id, key }): StepNote => ({ step: id, state: "confirmed", at, ref: `ref-of-${key}`, adopted: false }),
      );
      if (!(await self.ledger.settle({ claim, at, settlement: { state: "processed" }, steps: notes })))
        throw new Error("the lease was lost");
      return claim;
    },
    async fail(state, options = {}) {
      const at = now(options);
      const claim = await self.claim(options);
      const step = there(claim.steps[0]).id;
      const reason = state === "refused" ? "permanent" : "outcome_unknown";
      await self.ledger.note({ claim, steps: [{ step, state: "sent", at, deadline: at + 10 }] });
      const settlement = { state: "failed", reason, detail: "the vendor's words" } as const;
      await self.ledger.settle({ claim, at, settlement, steps: [{ step, state, at, reason: "so" }] });
      return claim;
    },
    row: async (eventId) => there((await self.ledger.find({ event: eventId, limit: 1 }))[0]),
    only: async (eventId) => there((await self.row(eventId)).deliveries[0]),
  };
  return self;
}

/** The value, or a test that fails where it is missing. */
export function there<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error("expected something to be there");
  return value;
}
