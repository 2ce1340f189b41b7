/**
 * Carries what goes to the ledger's thread with every message, and what comes back, as texts and one block of bytes. For accepts of 4 KiB
 * from 50 senders, cloning a batch object by object took 45 µs a message on the thread that serves connections, and this 12 (bench/ledger.ts).
 */
import type { Accepted, Attempt, Claims, NewMessage, Notes, Prepared, Settle } from "../model/ledger.ts";
import { StoreFailed, type StoreFailure } from "./failed.ts";
import type { Call } from "./sqlite/operations.ts";
import type { Answer } from "./sqlite.ts";

/** One batch on its way. In the texts null stands for what has no text: it travels as it is, in its order. */
export interface Packed {
  readonly text: string;
  readonly others: readonly Call[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** An error loses its class on the way between threads, so it travels as its fields. */
type PostedAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly failure: StoreFailure };

export interface PackedAnswers {
  readonly text: string;
  readonly others: readonly PostedAnswer[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The calls that each message makes; the arguments of the others may hold what JSON has no word for. */
const frequent = ["accept", "attempt", "acquainted", "prepare", "claim", "note", "settle"] as const;
type Frequent = (typeof frequent)[number];
const isFrequent = (name: Call["name"]): name is Frequent => (frequent as readonly string[]).includes(name);

/** Where a Uint8Array lies in the block. */
interface Place {
  readonly from: number;
  readonly to: number;
}

export function pack(calls: readonly Call[]): Packed {
  const block = openBlock();
  const others: Call[] = [];
  const texts = calls.map((call) => {
    if (isFrequent(call.name)) return [call.name, walked(call.name, call.args, block.put)] as const;
    others.push(call);
    return null;
  });
  return { text: JSON.stringify(texts), others, bytes: block.bytes() };
}

export function unpack({ text, others, bytes }: Packed): Call[] {
  const get = ({ from, to }: Place): Uint8Array => bytes.subarray(from, to);
  const rest = others.values();
  const texts = JSON.parse(text) as readonly (readonly [name: Frequent, args: readonly unknown[]] | null)[];
  return texts.map((call): Call => {
    if (call !== null) return { name: call[0], args: walked(call[0], call[1], get) };
    return next(rest);
  });
}

export function packAnswers(calls: readonly Call[], answers: readonly Answer[]): PackedAnswers {
  const block = openBlock();
  const others: PostedAnswer[] = [];
  const texts = answers.map((answer, index) => {
    if (answer.ok) {
      const { value } = answer;
      switch (calls[index]?.name) {
        case "accept":
          return value as readonly Accepted[];
        case "attempt":
          return (value as readonly Attempt[]).map((attempt) => swapped(attempt, ["sealed"], block.put));
        case "claim": {
          const { claims, nextDueAt } = value as Claims;
          return { claims: claims.map((claim) => swapped(claim, sealedOfClaim, block.put)), nextDueAt };
        }
        default:
      }
    }
    others.push(answer.ok ? answer : { ok: false, failure: failureOf(answer.error) });
    return null;
  });
  return { text: JSON.stringify(texts), others, bytes: block.bytes() };
}

export function unpackAnswers(calls: readonly Call[], { text, others, bytes }: PackedAnswers): Answer[] {
  const get = ({ from, to }: Place): Uint8Array => bytes.subarray(from, to);
  const rest = others.values();
  return (JSON.parse(text) as readonly unknown[]).map((value, index): Answer => {
    if (value === null) {
      const answer = next(rest);
      return answer.ok ? answer : { ok: false, error: new StoreFailed(answer.failure) };
    }
    switch (calls[index]?.name) {
      case "attempt":
        return { ok: true, value: (value as Lowered<Attempt>[]).map((attempt) => swapped(attempt, ["sealed"], get)) };
      case "claim": {
        const { claims, nextDueAt } = value as Lowered<Claims>;
        return { ok: true, value: { claims: claims.map((claim) => swapped(claim, sealedOfClaim, get)), nextDueAt } };
      }
      default:
        return { ok: true, value };
    }
  });
}

const sealedOfClaim = ["sealedSteps", "sealedEvent"];

function next<T>(rest: Iterator<T, unknown>): T {
  const { done, value } = rest.next();
  if (done) throw new TypeError("a batch on its way between threads has lost a part");
  return value;
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
    case "note":
    case "settle":
      return (args as readonly (Notes | Settle)[]).map((told) =>
        told.steps === undefined
          ? told
          : { ...told, steps: told.steps.map((note) => swapped(note, ["snapshot"], swap)) },
      );
    case "attempt":
    case "acquainted":
    case "claim":
      return [...args];
    default:
      return name satisfies never;
  }
}
