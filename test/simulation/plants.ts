/** Faults to plant: each is a mistake that a programmer could make, at one port of the road. A simulation that misses one proves nothing. */
import { randomBytes } from "node:crypto";
import type { Accepted, Ledger } from "../../src/model/ledger.ts";
import type { Clock } from "../../src/model/ports.ts";
import type { Receipt } from "../../src/model/source.ts";
import { WireBroken, type WireRequest, type WireResponse } from "../../src/model/wire.ts";
import type { Plant } from "./daemon.ts";

export interface PlantedFault {
  readonly what: string;
  readonly plant: Plant;
  /** How the verdict has to name it. */
  readonly caughtAs: RegExp;
}

/** The ledger with some methods done otherwise. */
function changed(ledger: Ledger, other: Partial<Ledger>): Ledger {
  return new Proxy(ledger, {
    get(target, name) {
      const member: unknown = Reflect.get(other, name) ?? Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

const digest = (): string => randomBytes(32).toString("hex");

function acknowledgesEarly(ledger: Ledger, clock: Clock): Ledger {
  return changed(ledger, {
    async accept(items) {
      void clock.sleep(30_000).then(() => ledger.accept(items).catch(() => undefined));
      return items.map(({ eventId }): Accepted => ({ eventId, outcome: "new", routeAdded: false }));
    },
  });
}

function knowsNoDuplicate(ledger: Ledger): Ledger {
  return changed(ledger, { accept: (items) => ledger.accept(items.map((item) => ({ ...item, digest: digest() }))) });
}

function dropsDeadLetters(ledger: Ledger): Ledger {
  return changed(ledger, {
    async settle(request) {
      const written = await ledger.settle(request);
      const { settlement, claim, at } = request;
      if (written && settlement.state === "failed")
        await ledger.requeue({ kind: "drop", delivery: claim.id, now: at, detail: "nobody needs to know" });
      return written;
    },
  });
}

function keepsNoThreads(ledger: Ledger): Ledger {
  return changed(ledger, {
    prepare: (items) => ledger.prepare(items.map((item) => ({ ...item, threadKey: digest() }))),
  });
}

async function sendsAgain(request: WireRequest, send: (request: WireRequest) => Promise<unknown>): Promise<unknown> {
  const first = await send(request).catch((error: unknown) => error);
  const failed = first instanceof WireBroken || ((first as WireResponse).status ?? 0) >= 500;
  if (failed) return await send(request);
  if (first instanceof Error) throw first;
  return first;
}

async function overwrites(request: WireRequest, send: (request: WireRequest) => Promise<unknown>): Promise<unknown> {
  const answer = (await send(request)) as WireResponse;
  if (request.method !== "GET" || !request.path.includes("idProperty=email") || answer.status !== 200) return answer;
  const { id } = answer.json as { id: string };
  const path = `${request.path.slice(0, request.path.lastIndexOf("/"))}/${id}`;
  await send({ method: "PATCH", path, object: "contact", body: { properties: { firstname: "Machine" } } });
  return answer;
}

async function* endsQuietly(raw: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* raw;
  } catch {
    // What came is taken for all there was.
  }
}

function servesUnscanned(ledger: Ledger): Ledger {
  return changed(ledger, {
    filesKept: (request) =>
      ledger.filesKept({
        ...request,
        kept: request.kept.map((file) => (file.status === "checking" ? { ...file, status: "stored" } : file)),
      }),
  });
}

export const plantedFaults: readonly PlantedFault[] = [
  { what: "a yes before the commit", plant: { ledger: acknowledgesEarly }, caughtAs: /^LOST/ },
  { what: "no memory of what came before", plant: { ledger: knowsNoDuplicate }, caughtAs: /^DOUBLED/ },
  { what: "dead letters thrown away", plant: { ledger: dropsDeadLetters }, caughtAs: /^HIDDEN/ },
  { what: "threads delivered in any order", plant: { ledger: keepsNoThreads }, caughtAs: /^OUT OF ORDER/ },
  { what: "a write sent again blindly when its answer is lost", plant: { request: sendsAgain }, caughtAs: /^DOUBLED/ },
  { what: "contacts overwritten when found", plant: { request: overwrites }, caughtAs: /^OVERWRITTEN/ },
  {
    what: "no read-back of activities",
    plant: {
      session: (session) => ({
        ...session,
        find: async (step, refs) => (step.kind === "activity" ? undefined : await session.find(step, refs)),
      }),
    },
    caughtAs: /^DOUBLED/,
  },
  {
    what: "failures at the CRM taken for success",
    plant: {
      session: (session) => ({
        ...session,
        put: (step, refs) => session.put(step, refs).catch(() => ({ id: "1" })),
      }),
    },
    caughtAs: /with 0 activities/,
  },
  {
    what: "a yes although the mail could not be stored",
    plant: {
      intake: (intake) => ({
        ...intake,
        accept: (raw, envelopes) => intake.accept(raw, envelopes).catch((): readonly Receipt[] => []),
      }),
    },
    caughtAs: /^LOST/,
  },
  {
    what: "half a mail taken for a whole one",
    plant: {
      intake: (intake) => ({ ...intake, accept: (raw, envelopes) => intake.accept(endsQuietly(raw), envelopes) }),
    },
    caughtAs: /^PHANTOM/,
  },
  {
    what: "a body that loses its beginning",
    plant: {
      parsing: (pool) => ({
        ...pool,
        async parse(raw, size) {
          const parsed = await pool.parse(raw, size);
          const text = parsed.message.text?.slice(1) ?? null;
          return { ...parsed, message: { ...parsed.message, text } };
        },
      }),
    },
    caughtAs: /its body is not the mail's/,
  },
  {
    what: "files served before their scan",
    plant: { ledger: servesUnscanned },
    caughtAs: /^FILES: .* would be served/,
  },
  {
    what: "a store of files that keeps nothing",
    plant: { store: (store) => ({ ...store, put: async (key) => ({ ref: `mem:${key}`, bytes: 0 }) }) },
    caughtAs: /^FILES/,
  },
  {
    what: "an attic that keeps nothing",
    plant: { blobs: (blobs) => ({ ...blobs, put: async () => ({ bytes: 0 }) }) },
    caughtAs: /^LOST: the raw bytes/,
  },
];
