/**
 * Carries what goes to the ledger's thread with every message, and what comes back, as texts and one block of bytes. For accepts of 4 KiB
 * from 50 senders, cloning a batch object by object took 45 µs a message on the thread that serves connections, and this 12 (bench/ledger.ts).
 */
import type { Attempt, Claims, NewMessage, Prepared } from "../model/ledger.ts";
import { StoreFailed, type StoreFailure } from "./failed.ts";
import type { Call } from "./sqlite/operations.ts";
import type { Answer } from "./sqlite.ts";

/** One batch on its way. What has no text travels as it is. */
export interface Packed {
  readonly calls: readonly (Call | PackedCall)[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** An error loses its class on the way between threads, so it travels as its fields. */
type PostedAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly failure: StoreFailure };

export interface PackedAnswers {
  readonly answers: readonly PostedAnswer[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The calls that each message makes; the arguments of the others may hold what JSON has no word for. */
const frequent = ["accept", "attempt", "acquainted", "prepare", "claim", "note", "settle"] as const;
type Frequent = (typeof frequent)[number];
const isFrequent = (name: Call["name"]): name is Frequent => (frequent as readonly string[]).includes(name);

interface PackedCall {
  readonly name: Frequent;
  readonly text: string;
}

/** Where a Uint8Array lies in the block. */
interface Place {
  readonly from: number;
  readonly to: number;
}

export function pack(calls: readonly Call[]): Packed {
  const block = openBlock();
  const packed = calls.map((call): Call | PackedCall =>
    isFrequent(call.name) ? { name: call.name, text: JSON.stringify(walked(call.name, call.args, block.put)) } : call,
  );
  return { calls: packed, bytes: block.bytes() };
}

export function unpack({ calls, bytes }: Packed): Call[] {
  const get = ({ from, to }: Place): Uint8Array => bytes.subarray(from, to);
  return calls.map((call): Call => {
    if (!("text" in call)) return call;
    return { name: call.name, args: walked(call.name, JSON.parse(call.text) as unknown[], get) };
  });
}

export function packAnswers(calls: readonly Call[], answers: readonly Answer[]): PackedAnswers {
  const block = openBlock();
  const posted = answers.map((answer, index): PostedAnswer => {
    if (!answer.ok) return { ok: false, failure: failureOf(answer.error) };
    switch (calls[index]?.name) {
      case "attempt": {
        const attempts = answer.value as readonly Attempt[];
        return { ok: true, text: JSON.stringify(attempts.map((attempt) => swapped(attempt, ["sealed"], block.put))) };
      }
      case "claim": {
        const { claims, nextDueAt } = answer.value as Claims;
        const items = claims.map((claim) => swapped(claim, ["sealedSteps", "sealedEvent"], block.put));
        return { ok: true, text: JSON.stringify({ claims: items, nextDueAt }) };
      }
      default:
        return answer;
    }
  });
  return { answers: posted, bytes: block.bytes() };
}

export function unpackAnswers(calls: readonly Call[], { answers, bytes }: PackedAnswers): Answer[] {
  const get = ({ from, to }: Place): Uint8Array => bytes.subarray(from, to);
  return answers.map((answer, index): Answer => {
    if (!answer.ok) return { ok: false, error: new StoreFailed(answer.failure) };
    if (!("text" in answer)) return answer;
    const value: unknown = JSON.parse(answer.text);
    if (calls[index]?.name === "attempt")
      return { ok: true, value: (value as Lowered<Attempt>[]).map((attempt) => swapped(attempt, ["sealed"], get)) };
    const { claims, nextDueAt } = value as Lowered<Claims>;
    return {
      ok: true,
      value: { claims: claims.map((claim) => swapped(claim, ["sealedSteps", "sealedEvent"], get)), nextDueAt },
    };
  });
}

const failureOf = ({ message, code, mayBeDurable }: StoreFailed): StoreFailure => ({ message, code, mayBeDurable });

function openBlock() {
  const parts: Uint8Array[] = [];
  let length = 0;
  return {
    put(part: Uint8Array): Place {
      const from = length;
      parts.push(part);
      length += part.length;
      return { from, to: length };
    },
    /** Memory of its own, so that it can change hands. */
    bytes(): Uint8Array<ArrayBuffer> {
      const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
      let at = 0;
      for (const part of parts) {
        bytes.set(part, at);
        at += part.length;
      }
      return bytes;
    },
  };
}

/** The same object on the other side of the block: its bytes are places there. */
type Lowered<T> = T extends Uint8Array ? Place : T extends object ? { [Name in keyof T]: Lowered<T[Name]> } : T;

/** The object with its bytes put for places, or its places for bytes. What it does not hold stays away. */
function swapped<T extends object, From, To>(item: T, names: readonly string[], swap: (value: From) => To): T {
  const copy = { ...item } as Record<string, unknown>;
  for (const name of names) if (copy[name] !== undefined) copy[name] = swap(copy[name] as From);
  return copy as T;
}

/** The same walk serves both ways, since bytes and places stand in the same spots. */
function walked<From, To>(name: Frequent, args: readonly unknown[], swap: (value: From) => To): unknown[] {
  switch (name) {
    case "accept":
      return [
        (args[0] as readonly NewMessage[]).map((item) =>
          item.raw.kind === "inline" ? { ...item, raw: swapped(item.raw, ["sealed"], swap) } : item,
        ),
      ];
    case "prepare":
      return [
        (args[0] as readonly Prepared[]).map((item) => ({
          ...swapped(item, ["sealedEvent"], swap),
          deliveries: item.deliveries.map(({ lane, decision }) => ({
            lane,
            decision: swapped(decision, ["sealedSteps"], swap),
          })),
        })),
      ];
    case "attempt":
    case "acquainted":
    case "claim":
    case "note":
    case "settle":
      return [...args];
    default:
      return name satisfies never;
  }
}
