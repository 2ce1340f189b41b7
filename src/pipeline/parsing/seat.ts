/** A place for a parser child: which one sits there, what it works on, and the timers that go with it. */
import type { ParserChild } from "./child.ts";
import type { Job } from "./job.ts";

/** Calls back after `ms`, unless the function it answers is called first. */
export type Timer = (ms: number, call: () => void) => () => void;

export const realTimer: Timer = (ms, call) => {
  const timer = setTimeout(call, ms);
  timer.unref();
  return () => clearTimeout(timer);
};

export interface Seat {
  child: ParserChild | undefined;
  ready: boolean;
  /** In the order in which they were sent; the first is the one the child works on. */
  jobs: Job[];
  /** Children that died here before they answered anything, in a row. */
  falseStarts: number;
  /** Why we killed the child, where we did. */
  killedFor: string | undefined;
  stopDeadline: () => void;
  stopWatch: () => void;
  stopRestart: () => void;
}

export function noTimer(): void {
  // Nothing runs that could be stopped.
}

export const newSeat = (): Seat => ({
  child: undefined,
  ready: false,
  jobs: [],
  falseStarts: 0,
  killedFor: undefined,
  stopDeadline: noTimer,
  stopWatch: noTimer,
  stopRestart: noTimer,
});
