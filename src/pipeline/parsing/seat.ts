/** A place for a parser child: which one sits there, what it works on, and the timers that go with it. */
import type { ParserChild } from "./child.ts";
import { isShort, type Job } from "./job.ts";

/** Calls back after `ms`, unless the function it answers is called first. */
export type Timer = (ms: number, call: () => void) => () => void;

export const realTimer: Timer = (ms, call) => {
  const timer = setTimeout(call, ms);
  timer.unref();
  return () => clearTimeout(timer);
};

/** A message that was sent to a child, which will answer. */
export interface Sent {
  readonly job: Job;
  /** Given to another child meanwhile, which stands for it: what becomes of this child is not counted against the message. */
  elsewhere: boolean;
}

export interface Seat {
  child: ParserChild | undefined;
  ready: boolean;
  /** In the order in which they were sent; the first is the one the child works on. */
  sent: Sent[];
  /** The first of them takes long: nothing more is put behind it. */
  late: boolean;
  /** Children that died here before they answered anything, in a row. */
  falseStarts: number;
  /** Why we killed the child, where we did. */
  killedFor: string | undefined;
  stopStart: () => void;
  stopDeadline: () => void;
  stopPatience: () => void;
  stopWatch: () => void;
  stopRestart: () => void;
}

export function noTimer(): void {
  // Nothing runs that could be stopped.
}

export const newSeat = (): Seat => ({
  child: undefined,
  ready: false,
  sent: [],
  late: false,
  falseStarts: 0,
  killedFor: undefined,
  stopStart: noTimer,
  stopDeadline: noTimer,
  stopPatience: noTimer,
  stopWatch: noTimer,
  stopRestart: noTimer,
});

/** Short messages in one child at once: while it works on the first, the pipe brings the next. More gained nothing (bench/parse.ts). */
const depth = 3;

function mayTake({ sent }: Seat, job: Job): boolean {
  if (sent.length === 0) return true;
  return isShort(job) && sent.length < depth && sent.every((one) => one.elsewhere || isShort(one.job));
}

/**
 * The next message of a queue, and the seat for it: the oldest goes to the child with the least to do. A long one, and one that a child
 * died of, goes to a child that has nothing else; until that is so the child gets nothing more, and the others go on with what is behind.
 */
export function nextFor(seats: readonly Seat[], queue: readonly Job[]): { at: number; seat: Seat } | undefined {
  const open = seats.filter(({ ready, late }) => ready && !late).sort((a, b) => a.sent.length - b.sent.length);
  // A child that is just being started again. One that fails to start is not waited for.
  const isStarting = seats.some(({ ready, falseStarts }) => !ready && falseStarts === 0);
  for (const [at, job] of queue.entries()) {
    if (open.length === 0) return undefined;
    // A child that has a copy in hand already will answer with that one.
    const seat = open.find(({ sent }) => !sent.some((one) => one.job === job));
    if (seat === undefined) continue;
    // It may take this child too, and the others would have none.
    if (job.deaths > 0 && isStarting) continue;
    if (mayTake(seat, job)) return { at, seat };
    if (!isShort(job)) open.splice(open.indexOf(seat), 1);
    else if (seat === open[0]) return undefined;
  }
  return undefined;
}
