/** Calls to a vendor as every connector makes them: one exchange, what its answer means, and a refusal in words where it failed. */
import type { z } from "zod";
import type { KnownRef, Refs } from "../../model/destination.ts";
import { type Failure, Refused } from "../../model/outcome.ts";
import type { Clock, Metrics } from "../../model/ports.ts";
import { type Wire, WireBroken, type WireRequest, type WireResponse } from "../../model/wire.ts";

export interface CallsPorts {
  /** As people write it: Close. */
  readonly vendor: string;
  readonly wire: Wire;
  readonly clock: Clock;
  readonly metrics: Metrics;
  classify(answer: WireResponse, write: boolean, now: number): Failure | undefined;
  /** Statuses that the vendor's table knows nothing of. */
  isUnclassified(status: number): boolean;
}

export interface Calls {
  /** An answer that is no failure, or one that is `expected`. Refused otherwise. */
  call(request: WireRequest, write: boolean, expected?: (answer: WireResponse) => boolean): Promise<WireResponse>;
  /** Reads an answer by its schema. A success of another shape may have done its work: ambiguous for a write. */
  shaped<T>(schema: z.ZodType<T>, answer: WireResponse, write: boolean): T;
}

/** Of a write: what it asks for may have come about. Of a read: nothing was written. */
export const unclear = (write: boolean, reason: string): Refused =>
  new Refused({ kind: write ? "ambiguous" : "retryable", reason });

export function openCalls({ vendor, wire, clock, metrics, classify, isUnclassified }: CallsPorts): Calls {
  async function exchange(request: WireRequest, write: boolean): Promise<WireResponse> {
    try {
      return await wire.request(request);
    } catch (error) {
      if (!(error instanceof WireBroken)) throw error;
      const kind = error.sent && write ? "ambiguous" : "retryable";
      throw new Refused({ kind, reason: `${vendor} gave no answer: ${error.message}` }, { cause: error });
    }
  }
  return {
    async call(request, write, expected) {
      const answer = await exchange(request, write);
      if (expected?.(answer) === true) return answer;
      const failure = classify(answer, write, clock.now());
      if (isUnclassified(answer.status))
        metrics.count("crm_unclassified_total", { vendor: vendor.toLowerCase(), status: String(answer.status) });
      if (failure !== undefined) throw new Refused(failure);
      return answer;
    },
    shaped: (schema, answer, write) => shapedAs(vendor, schema, answer, write),
  };
}

export function shapedAs<T>(vendor: string, schema: z.ZodType<T>, answer: WireResponse, write: boolean): T {
  const parsed = schema.safeParse(answer.json);
  if (parsed.success) return parsed.data;
  throw unclear(write, `${vendor} answered ${answer.status} in a shape that is not documented`);
}

export const permanent = (reason: string): Refused => new Refused({ kind: "permanent", reason });

/** Throws Refused (permanent) when no earlier step left a record under this key. */
export function known(refs: Refs, key: string): KnownRef {
  const ref = refs.get(key);
  if (ref === undefined)
    throw permanent(`the step belongs to a record (key ${key.slice(0, 12)}) that no earlier step has left`);
  return ref;
}

export const together = (...notes: readonly (string | undefined)[]): string | undefined =>
  notes.filter((note) => note !== undefined).join("; ") || undefined;

/** Remembers answers for a while, the latest of them; a failure is not kept. One name has answers of one type. */
export function openMemo(clock: Pick<Clock, "now">, forgetMs: number) {
  const mostRemembered = 10_000;
  const remembered = new Map<string, { readonly at: number; readonly answer: Promise<unknown> }>();
  return {
    once<T>(name: string, ask: () => Promise<T>): Promise<T> {
      const held = remembered.get(name);
      if (held !== undefined && clock.now() - held.at < forgetMs) return held.answer as Promise<T>;
      const answer = ask().catch((error: unknown) => {
        remembered.delete(name);
        throw error;
      });
      if (remembered.size >= mostRemembered) remembered.clear();
      remembered.set(name, { at: clock.now(), answer });
      return answer;
    },
    forget: () => remembered.clear(),
  };
}
export type Memo = ReturnType<typeof openMemo>;

export const isNamed = ({ id, label }: { id: string; label: string }, name: string): boolean =>
  id === name || label.trim().toLowerCase() === name.trim().toLowerCase();

/** What there is, in words for a dead letter. */
export const listed = (all: readonly { label: string }[]): string =>
  all
    .slice(0, 20)
    .map(({ label }) => JSON.stringify(label.slice(0, 60)))
    .join(", ");
