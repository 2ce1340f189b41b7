/** Time that stands still until somebody moves it on: a heap of sleepers, and a wall clock that may be wrong. */
import type { Clock } from "../../src/model/ports.ts";

interface Sleeper {
  readonly at: number;
  readonly order: number;
  readonly owner: unknown;
  wake(): void;
}

/** Lets everything that waits for nothing but the processor run: all microtasks end before a turn of the loop does. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class VirtualTime {
  /** True elapsed time in ms. A vendor lives by it, and timers do. */
  #elapsed = 0;
  readonly #epoch: number;
  /** By how much our own wall clock is wrong. */
  #error = 0;
  #order = 0;
  readonly #heap: Sleeper[] = [];

  constructor(epoch = Date.UTC(2026, 0, 5)) {
    this.#epoch = epoch;
  }

  /** The time that is right. */
  get trueNow(): number {
    return this.#epoch + this.#elapsed;
  }

  get error(): number {
    return this.#error;
  }

  /** The wall clock jumps; timers run on. */
  jump(byMs: number): void {
    this.#error += byMs;
  }

  /** A clock that tells the wall time. Sleepers belong to `owner`, so that they can die with it. */
  clock(owner?: unknown): Clock {
    return {
      now: () => this.trueNow + this.#error,
      sleep: (ms, signal) => this.#sleep(ms, owner, signal),
    };
  }

  /** A clock that is never wrong. */
  trueClock(owner?: unknown): Clock {
    return { now: () => this.trueNow, sleep: (ms, signal) => this.#sleep(ms, owner, signal) };
  }

  /** Those who sleep for `owner` never wake. */
  forget(owner: unknown): void {
    const kept = this.#heap.filter((sleeper) => sleeper.owner !== owner);
    this.#heap.length = 0;
    for (const sleeper of kept) this.#push(sleeper);
  }

  get sleeping(): number {
    return this.#heap.length;
  }

  /** When the next sleeper wakes, as elapsed ms from now; undefined when nobody sleeps. */
  get nextIn(): number | undefined {
    const [first] = this.#heap;
    return first === undefined ? undefined : Math.max(0, first.at - this.#elapsed);
  }

  /** Moves on to the next sleeper and wakes it; false when nobody sleeps, or none before `limitMs` of elapsed time from now. */
  wakeNext(limitMs = Number.POSITIVE_INFINITY): boolean {
    const [first] = this.#heap;
    if (first === undefined || first.at - this.#elapsed > limitMs) return false;
    this.#pop();
    this.#elapsed = Math.max(this.#elapsed, first.at);
    first.wake();
    return true;
  }

  /** Moves time on by `ms`, letting each sleeper do what it woke for. */
  async advance(ms: number): Promise<void> {
    await turn();
    const until = this.#elapsed + ms;
    while (this.wakeNext(until - this.#elapsed)) await turn();
    this.#elapsed = until;
    await turn();
  }

  /** Moves time on, sleeper by sleeper, until `done`; throws when that takes more than `mostMs`. */
  async until(done: () => boolean, mostMs = 7 * 24 * 3_600_000): Promise<void> {
    const last = this.#elapsed + mostMs;
    await turn();
    while (!done()) {
      if (!this.wakeNext(last - this.#elapsed)) throw new Error(`nothing more happens, and it is not done`);
      await turn();
    }
  }

  #sleep(ms: number, owner: unknown, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper: Sleeper = {
        at: this.#elapsed + Math.max(0, ms),
        order: this.#order++,
        owner,
        wake: () => {
          signal?.removeEventListener("abort", aborted);
          resolve();
        },
      };
      const aborted = (): void => {
        const index = this.#heap.indexOf(sleeper);
        if (index >= 0) this.#remove(index);
        resolve();
      };
      signal?.addEventListener("abort", aborted, { once: true });
      this.#push(sleeper);
    });
  }

  #push(sleeper: Sleeper): void {
    this.#heap.push(sleeper);
    this.#up(this.#heap.length - 1);
  }

  #pop(): void {
    this.#remove(0);
  }

  #remove(index: number): void {
    const last = this.#heap.pop();
    if (last === undefined || index === this.#heap.length) return;
    this.#heap[index] = last;
    this.#up(index);
    this.#down(index);
  }

  #up(start: number): void {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#before(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #down(start: number): void {
    let index = start;
    for (;;) {
      const left = 2 * index + 1;
      const least = left + 1 < this.#heap.length && this.#before(left + 1, left) ? left + 1 : left;
      if (least >= this.#heap.length || !this.#before(least, index)) return;
      this.#swap(index, least);
      index = least;
    }
  }

  #before(a: number, b: number): boolean {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first === undefined || second === undefined) return false;
    return first.at < second.at || (first.at === second.at && first.order < second.order);
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}
