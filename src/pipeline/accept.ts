/** Hop 2 of the road: takes bytes from a source, measures and names them, and has them durable in the ledger before anyone is told yes. */
import { hash } from "node:crypto";
import { createIdentity, nullSenderDigest } from "../mail/identity.ts";
import type { Spool, SpoolDraft } from "../model/blob.ts";
import type { Envelope } from "../model/envelope.ts";
import type { Accepted, Ledger, NewMessage } from "../model/ledger.ts";
import type { Clock, Log, Metrics, Random, Sealer } from "../model/ports.ts";
import { type Arrival, Fenced, type Intake, keepableBytes, NotAccepted, type Receipt } from "../model/source.ts";
import { asError } from "./faults.ts";
import { openPressure, type Pressure } from "./pressure.ts";

export interface IntakeLimits {
  readonly maxBytes: number;
  /** Up to here raw bytes go into the ledger's own transaction; above, into a spool file. */
  readonly inlineBytes: number;
  /** Most events that may wait, for their parse or for a lane. */
  readonly backlog: number;
  /** Free bytes below which no mail is taken, given the size of the volume. */
  diskReserve(totalBytes: number): number;
}

export interface IntakePorts {
  readonly ledger: Pick<Ledger, "accept" | "probe" | "stats">;
  readonly spool: Spool;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Of the volume that holds the data folder. */
  disk(): Promise<{ freeBytes: number; totalBytes: number }>;
  /** Something new may be waiting. */
  wake(): void;
}

/** RFC 5321 §6.3 wants at least 100; Postfix counts to 50 (hopcount_limit), and a customer's mail takes ten. */
const maxHops = 50;

/** What a sealed message says of itself, so that it can be taken in again when the ledger is lost. */
export interface RawLabel {
  readonly v: 1;
  readonly events: readonly { readonly event_id: string; readonly envelope: Envelope }[];
}

/** A seal has room for so much in its label, and a hundred recipients take ten times that. */
const maxLabelBytes = 1_000;

/**
 * As much as there is room for. The ledger has the envelopes whole; the label serves where the ledger is lost, and there the tenant, the
 * event and one route are what a message cannot be taken in again without.
 */
export function labelOf(events: RawLabel["events"]): string {
  const bare = events.map(({ event_id, envelope: { kind, tenant, routes, received_at } }) => ({
    event_id,
    envelope: { kind, tenant, routes: routes.slice(0, 1), received_at },
  }));
  const short = events.map(({ event_id, envelope }) => ({ event_id, envelope: withoutRecipients(envelope) }));
  const fewer = bare.map((_, cut) => bare.slice(0, bare.length - cut));
  for (const shown of [events, short, ...fewer]) {
    const label = JSON.stringify({ v: 1, events: shown } satisfies RawLabel);
    if (Buffer.byteLength(label) <= maxLabelBytes) return label;
  }
  return JSON.stringify({ v: 1, events: [] } satisfies RawLabel);
}

function withoutRecipients(envelope: Envelope): Envelope {
  const { smtp, routes, ...rest } = envelope;
  const one = { ...rest, routes: routes.slice(0, 1) };
  return smtp === undefined ? one : { ...one, smtp: { ...smtp, rcpt_to: [] } };
}

interface Measured {
  readonly messageId: string | null;
  readonly digest: string;
  readonly sha256: string;
  readonly size: number;
  readonly place:
    | { readonly kind: "inline"; readonly bytes: Uint8Array }
    | { readonly kind: "spool"; readonly name: string };
}

export function openIntake(limits: IntakeLimits, ports: IntakePorts): Intake {
  const pressure = openPressure(limits, ports);

  async function accept(
    raw: AsyncIterable<Uint8Array>,
    envelopes: readonly Envelope[],
    arrival?: Arrival,
  ): Promise<readonly Receipt[]> {
    if (arrival !== undefined && envelopes.length !== 1) throw new TypeError("a landing is of one envelope");
    const events = envelopes.map((envelope) => ({ event_id: ports.random.uuid(ports.clock.now()), envelope }));
    const label = labelOf(events);
    const measured = await measure(raw, label, limits, ports, pressure);
    const items: NewMessage[] = [];
    for (const { event_id, envelope } of events)
      items.push({ ...(await itemOf(event_id, envelope, measured, items.length, label)), ...arrival });
    let answers: readonly Accepted[];
    try {
      answers = await ports.ledger.accept(items);
    } catch (error) {
      // A commit that failed can still be on disk, so the spool file stays: the row may name it. What no row names is swept later.
      pressure.failed();
      ports.wake();
      throw new NotAccepted(
        { kind: "store_failed", reason: "the ledger could not commit the message" },
        { cause: error },
      );
    }
    pressure.committed(items.length);
    await forgetUnneeded(items, answers);
    ports.wake();
    return answers.map((answer, index) => receiptOf(answer, envelopes[index]));
  }

  async function itemOf(
    eventId: string,
    envelope: Envelope,
    measured: Measured,
    index: number,
    label: string,
  ): Promise<NewMessage> {
    const { place } = measured;
    const raw =
      place.kind === "inline"
        ? ({ kind: "inline", sealed: ports.sealer.seal(place.bytes, label) } as const)
        : ({ kind: "spool", name: index === 0 ? place.name : await spooled(ports.spool.link(place.name)) } as const);
    return {
      eventId,
      tenant: envelope.tenant,
      messageId: measured.messageId,
      digest: envelope.smtp?.mail_from === null ? nullSenderDigest(measured.digest) : measured.digest,
      receivedAt: envelope.received_at,
      envelope,
      rawSha256: measured.sha256,
      rawSize: measured.size,
      raw,
    };
  }

  function receiptOf(answer: Accepted, envelope: Envelope | undefined): Receipt {
    const { eventId, outcome } = answer;
    if (envelope === undefined) throw new TypeError("the ledger answered for more messages than it was given");
    if (outcome === "fenced") throw new Fenced();
    ports.metrics.count("accepted_total", { source: envelope.kind, outcome });
    return { eventId, tenant: envelope.tenant, outcome };
  }

  /** The bytes of a duplicate are already kept under the first event; of one whose landing was refused, nothing is. */
  async function forgetUnneeded(items: readonly NewMessage[], answers: readonly Accepted[]): Promise<void> {
    for (const [index, { raw }] of items.entries()) {
      const outcome = answers[index]?.outcome;
      if (raw.kind !== "spool" || (outcome !== "duplicate" && outcome !== "fenced")) continue;
      try {
        await ports.spool.remove(raw.name);
      } catch (error) {
        // The mail is safe and its sender must hear so; a file that no row names is swept later.
        ports.log.warn(
          { err: asError(error) },
          "a spool file that is not needed could not be removed; it is swept later",
        );
      }
    }
  }

  return { accept, pressure: pressure.ask, maxBytes: limits.maxBytes };
}

/** Reads the stream once: digest, hash and size on the way, the bytes kept in memory up to the inline limit and in a spool file above it. */
async function measure(
  raw: AsyncIterable<Uint8Array>,
  label: string,
  limits: IntakeLimits,
  ports: IntakePorts,
  pressure: Pressure,
): Promise<Measured> {
  const identity = createIdentity();
  let held: Uint8Array[] = [];
  let draft: SpoolDraft | undefined;
  let size = 0;
  try {
    for await (const chunk of raw) {
      size += chunk.length;
      if (size > limits.maxBytes) throw tooLarge(limits.maxBytes);
      const noRoom = pressure.fill(chunk.length) ? undefined : await pressure.roomFor(chunk.length);
      if (noRoom !== undefined) throw new NotAccepted(noRoom);
      identity.update(chunk);
      if (draft !== undefined) {
        await spooled(draft.write(chunk));
        continue;
      }
      held.push(size - chunk.length < keepableBytes ? chunk : Uint8Array.from(chunk));
      if (size > limits.inlineBytes) {
        draft = await spooled(ports.spool.create(label));
        for (const early of held) await spooled(draft.write(early));
        held = [];
      }
    }
    const { messageId, digest, receivedCount } = identity.finish();
    if (receivedCount > maxHops) {
      throw new NotAccepted({
        kind: "loop",
        reason: `${receivedCount} Received headers, more than ${maxHops}: a mail loop`,
      });
    }
    return { messageId, digest, size, ...(draft === undefined ? inMemory(held) : await inSpool(draft)) };
  } catch (error) {
    // What a discarded draft leaves behind is swept; why the message was not taken is what the sender has to hear.
    await draft?.discard().catch((left: unknown) => {
      ports.log.warn({ err: asError(left) }, "a spool draft could not be discarded; it is swept later");
    });
    throw error;
  }
}

type Kept = Pick<Measured, "place" | "sha256">;

function inMemory(held: readonly Uint8Array[]): Kept {
  const [only, ...more] = held;
  const bytes = only !== undefined && more.length === 0 ? only : Buffer.concat(held);
  return { place: { kind: "inline", bytes }, sha256: hash("sha256", bytes, "hex") };
}

/** Whoever seals a large message also hashes it: that may be another thread. */
async function inSpool(draft: SpoolDraft): Promise<Kept> {
  const { name, sha256 } = await spooled(draft.commit());
  return { place: { kind: "spool", name }, sha256 };
}

function tooLarge(maxBytes: number): NotAccepted {
  return new NotAccepted({ kind: "too_large", reason: `the message is larger than ${maxBytes} bytes` });
}

async function spooled<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new NotAccepted({ kind: "store_failed", reason: "the spool could not keep the message" }, { cause: error });
  }
}
