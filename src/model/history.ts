/** What can be asked of the ledger afterwards: events with their deliveries and steps, the story of a message, the dead letters. */
import type { Envelope } from "./envelope.ts";
import type { DeliveryState, FailureReason, RawPlace, StepState } from "./ledger.ts";
import type { StepKind } from "./step.ts";

/** `message` accepts a Message-ID with or without brackets, or an event_id. Newest first unless said otherwise. */
export interface FindQuery {
  readonly event?: string;
  readonly message?: string;
  readonly tenant?: string;
  readonly lane?: string;
  readonly state?: DeliveryState | "received";
  readonly since?: number;
  /** Beside the state `skipped`: only where the rule is this one, or the reason holds this text, whatever its case. */
  readonly because?: string;
  /** Only messages whose raw bytes are in the spool, and without their sealed events. */
  readonly spooled?: true;
  readonly limit: number;
  /** `seq` of the last row of the page before. */
  readonly before?: number;
}

/** Which skipped deliveries are counted; `because` as in FindQuery. */
export interface SkipQuery {
  readonly tenant?: string;
  readonly lane?: string;
  readonly since?: number;
  readonly because?: string;
}
/** How many messages were skipped at one destination for one reason. */
export interface SkipCount {
  readonly lane: string;
  readonly rule: string | null;
  readonly reason: string;
  readonly messages: number;
}

export interface DeliveryRow {
  readonly id: number;
  readonly lane: string;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly rule: string | null;
  readonly attempts: number;
  readonly dueAt: number | null;
  readonly settledAt: number | null;
  readonly mappingVersion: number;
  readonly steps: readonly StepRow[];
}
export interface StepRow {
  readonly id: number;
  readonly kind: StepKind;
  readonly key: string;
  readonly why: string;
  readonly state: StepState;
  readonly sends: number;
  readonly ref: string | null;
  readonly adopted: boolean;
  readonly reason: string | null;
  readonly note: string | null;
  readonly sentAt: number | null;
  readonly settledAt: number | null;
}
export interface EventRow {
  /** Order of arrival. */
  readonly seq: number;
  readonly eventId: string;
  readonly tenant: string;
  readonly messageId: string | null;
  readonly digest: string;
  readonly conflict: boolean;
  readonly receivedAt: number;
  readonly envelope: Envelope;
  readonly routes: readonly string[];
  readonly rawSha256: string;
  readonly rawSize: number;
  readonly raw: RawPlace;
  /** accepted: waits for its parse. prepared: decided for every lane. */
  readonly stage: "accepted" | "prepared";
  readonly parseAttempts: number;
  readonly preparedAt: number | null;
  readonly parseStatus: "ok" | "partial" | "failed" | null;
  /** Undefined once retention removed it, before the parse, or where `spooled` was asked for. */
  readonly sealedEvent?: Uint8Array;
  readonly deliveries: readonly DeliveryRow[];
}

/** One line of a message's story, in order of time: what happened, in words, without addresses or bodies. */
export interface StoryLine {
  readonly at: number;
  readonly what: string;
  readonly detail: string | null;
}

export interface DeadLetter {
  readonly id: number;
  readonly eventId: string;
  readonly messageId: string | null;
  readonly tenant: string;
  readonly lane: string;
  readonly reason: FailureReason;
  readonly detail: string;
  readonly attempts: number;
  readonly at: number;
}
