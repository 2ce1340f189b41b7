/** EARS: what a source of mail is given, and what it has to promise. */
import type { ZodType } from "zod";
import type { Envelope } from "./envelope.ts";
import type { Landing } from "./imap.ts";
import type { Clock, Log, Metrics } from "./ports.ts";

/** Why mail cannot be taken, in words that each source turns into its own protocol's reply. */
export type Refusal =
  /** Too many bytes: SMTP 552 5.3.4. */
  | { readonly kind: "too_large"; readonly reason: string }
  /** More than 50 Received headers, or our own trace: SMTP 554 5.4.6. */
  | { readonly kind: "loop"; readonly reason: string }
  /** No room or no time now (disk reserve, backlog cap, locked ledger): SMTP 452 4.3.1. */
  | { readonly kind: "busy"; readonly reason: string }
  /** The store failed under us; it may or may not be on disk: SMTP 451 4.3.0, the peer's retry is recognised. */
  | { readonly kind: "store_failed"; readonly reason: string };

export class NotAccepted extends Error {
  override readonly name = "NotAccepted";
  readonly refusal: Refusal;
  constructor(refusal: Refusal, options?: ErrorOptions) {
    super(refusal.reason, options);
    this.refusal = refusal;
  }
}

/** Where the message was said to lie is not true any more: another process reads the account, or the folder's UIDs mean something else. */
export class Fenced extends NotAccepted {
  constructor() {
    super({ kind: "busy", reason: "the account is read by another process, or the folder's UIDs have changed" });
  }
}

/** What a source that reads mailboxes says of a message beside its envelope; for one envelope only. */
export interface Arrival {
  /** Written in the transaction of the message itself. */
  readonly landing: Landing;
  /** Old mail is parsed after new mail: higher is later. */
  readonly priority?: number;
}

export interface Receipt {
  readonly eventId: string;
  readonly tenant: string;
  readonly outcome: "new" | "duplicate" | "conflict";
}

/** Of a message, chunks that begin within so many bytes may be kept; a later one is good until the next is asked for. */
export const keepableBytes = 64 * 1024;

/**
 * Takes responsibility for bytes: resolves only after they are durable, one receipt per envelope (one per tenant).
 * Rejects with NotAccepted, and then nothing was promised. An error or early end of `raw` rejects and keeps nothing.
 */
export type Accept = (
  raw: AsyncIterable<Uint8Array>,
  envelopes: readonly Envelope[],
  arrival?: Arrival,
) => Promise<readonly Receipt[]>;

export interface Intake {
  readonly accept: Accept;
  /**
   * Asked before a message begins (SMTP: at MAIL), with its size where that is declared: a reason not to take it now, or undefined. Cheap enough
   * to ask each time, and answered at once while the last look is fresh.
   */
  pressure(bytes?: number): Promise<Refusal | undefined> | Refusal | undefined;
  /** The most bytes a message may have. */
  readonly maxBytes: number;
}

/** Which tenant takes an address. Exact knowledge only: an address nobody claimed is refused. */
export type RouteAnswer =
  | { readonly kind: "accepted"; readonly tenant: string }
  /** The domain is one of ours, the local part is not: 550 5.1.1. */
  | { readonly kind: "unknown_recipient" }
  /** Not our domain, or a source-routed form: 550 5.7.1. */
  | { readonly kind: "not_ours" };

export interface SourcePorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Looks an address (as in RCPT TO, without angle brackets) up in the tenants' recipient patterns. */
  route(address: string): RouteAnswer;
}

export interface RunningSource {
  /** Where it listens, once it does. */
  readonly address?: { readonly host: string; readonly port: number };
  /** Takes changed certificates and secrets (SIGHUP). */
  reload?(): Promise<void>;
  /** Takes no new mail, finishes or refuses what is in flight, within `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

export interface Source<S> {
  readonly name: string;
  readonly settings: ZodType<S>;
  start(settings: S, intake: Intake, ports: SourcePorts): Promise<RunningSource>;
}
