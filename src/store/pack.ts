/** Carries accepted and prepared messages to the ledger's thread as one text and one block of bytes, which costs a fraction of a structured clone. */
import type { NewMessage, Prepared, PreparedDelivery } from "../model/ledger.ts";
import type { Call } from "./sqlite/operations.ts";

/** At 4 KiB a message, 50 senders: cloning the batch took 45 µs a message on the SMTP thread, this takes 12 (bench/ledger.ts). */
export interface Packed {
  readonly calls: readonly (Call | PackedCall)[];
  /** Every Uint8Array of the packed calls, one after the other. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface PackedCall {
  readonly name: "accept" | "prepare";
  readonly text: string;
}

/** Where a Uint8Array lies in the block. */
interface Place {
  readonly from: number;
  readonly to: number;
}

export function pack(calls: readonly Call[]): Packed {
  const parts: Uint8Array[] = [];
  let length = 0;
  const put = (part: Uint8Array): Place => {
    const from = length;
    parts.push(part);
    length += part.length;
    return { from, to: length };
  };
  const packed = calls.map((call): Call | PackedCall => {
    if (call.name === "accept")
      return {
        name: "accept",
        text: JSON.stringify((call.args[0] as readonly NewMessage[]).map((item) => lowered(item, put))),
      };
    if (call.name === "prepare")
      return {
        name: "prepare",
        text: JSON.stringify((call.args[0] as readonly Prepared[]).map((item) => lowerPrepared(item, put))),
      };
    return call;
  });
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { calls: packed, bytes };
}

export function unpack({ calls, bytes }: Packed): Call[] {
  const get = ({ from, to }: Place): Uint8Array => bytes.subarray(from, to);
  return calls.map((call): Call => {
    if (!("text" in call)) return call;
    const items: unknown = JSON.parse(call.text);
    return call.name === "accept"
      ? { name: "accept", args: [(items as LoweredMessage[]).map((item) => raised(item, get))] }
      : { name: "prepare", args: [(items as LoweredPrepared[]).map((item) => raisePrepared(item, get))] };
  });
}

type LoweredMessage = Omit<NewMessage, "raw"> & {
  readonly raw: { readonly kind: "inline"; readonly sealed: Place } | { readonly kind: "spool"; readonly name: string };
};

function lowered(item: NewMessage, put: (part: Uint8Array) => Place): LoweredMessage {
  const { raw } = item;
  return { ...item, raw: raw.kind === "inline" ? { kind: "inline", sealed: put(raw.sealed) } : raw };
}

function raised(item: LoweredMessage, get: (place: Place) => Uint8Array): NewMessage {
  const { raw } = item;
  return { ...item, raw: raw.kind === "inline" ? { kind: "inline", sealed: get(raw.sealed) } : raw };
}

type Decision = PreparedDelivery["decision"];
type LoweredDecision =
  | Exclude<Decision, { kind: "steps" }>
  | (Omit<Extract<Decision, { kind: "steps" }>, "sealedSteps"> & { readonly sealedSteps: Place });
type LoweredPrepared = Omit<Prepared, "sealedEvent" | "deliveries"> & {
  readonly sealedEvent: Place;
  readonly deliveries: readonly { readonly lane: string; readonly decision: LoweredDecision }[];
};

function lowerPrepared(item: Prepared, put: (part: Uint8Array) => Place): LoweredPrepared {
  const deliveries = item.deliveries.map(({ lane, decision }) => ({
    lane,
    decision: decision.kind === "steps" ? { ...decision, sealedSteps: put(decision.sealedSteps) } : decision,
  }));
  return { ...item, sealedEvent: put(item.sealedEvent), deliveries };
}

function raisePrepared(item: LoweredPrepared, get: (place: Place) => Uint8Array): Prepared {
  const deliveries = item.deliveries.map(({ lane, decision }) => ({
    lane,
    decision: decision.kind === "steps" ? { ...decision, sealedSteps: get(decision.sealedSteps) } : decision,
  }));
  return { ...item, sealedEvent: get(item.sealedEvent), deliveries };
}
