/** One conversation with clamd: a session whose answers are numbered, with one limit of time over all of it. */
import { connect, type Socket } from "node:net";

export type Address = { readonly socket: string } | { readonly host: string; readonly port: number };

export class ClamdFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ClamdFailed";
  }
}

export interface Answer {
  readonly whole: Promise<string>;
  /** What has come of it already. */
  readonly early: string | undefined;
}

export interface Conversation {
  ask(command: string): Promise<string>;
  /** Sends a command whose answer comes later. */
  begin(command: string): Answer;
  /** Resolves when there is room for more: true; false when nothing will be taken any more, of which the answer says why. */
  write(bytes: Uint8Array): Promise<boolean>;
  /** The time that this takes is not clamd's. */
  pausedFor<T>(work: () => Promise<T>): Promise<T>;
  /** Ends the session in order. */
  end(): void;
  cut(error: Error): void;
}

/** An answer is a line; anything longer comes from something else. */
const maxAnswerBytes = 4096;

interface Expected {
  early: string | undefined;
  resolve(answer: string): void;
  reject(error: Error): void;
}

export function connectClamd(address: Address, timeoutMs: number): Conversation {
  const socket = connect("socket" in address ? { path: address.socket } : address);
  const expected = new Map<number, Expected>();
  let commands = 0;
  let failure: Error | undefined;
  let heard = "";

  const fail = (error: Error): void => {
    failure ??= error;
    socket.destroy();
    for (const one of expected.values()) one.reject(failure);
    expected.clear();
  };
  const limit = stopwatch(timeoutMs, () => fail(new ClamdFailed(`it did not answer in ${timeoutMs / 1000} s`)));

  const hear = (answer: string): void => {
    const [, number = "", words] = /^(\d{1,9}): ([\s\S]*)$/.exec(answer) ?? [];
    const one = expected.get(Number(number));
    if (words !== undefined && one !== undefined) {
      one.early = words;
      one.resolve(words);
      expected.delete(Number(number));
      return;
    }
    // What it says of the session as a whole carries no number: a limit, a command that timed out.
    fail(new ClamdFailed(`it answered: ${answer}`));
  };
  socket.setEncoding("latin1");
  socket.on("data", (text: string) => {
    heard += text;
    for (let end = heard.indexOf("\0"); end !== -1 && failure === undefined; end = heard.indexOf("\0")) {
      const answer = heard.slice(0, end);
      heard = heard.slice(end + 1);
      hear(answer);
    }
    if (heard.length > maxAnswerBytes) fail(new ClamdFailed("it answered something that is no answer"));
  });
  socket.on("error", (error) => setImmediate(fail, error));
  socket.on("close", () => {
    limit.stop();
    fail(new ClamdFailed("it closed the connection"));
  });
  socket.write("zIDSESSION\0");

  const begin = (command: string): Answer => {
    const number = ++commands;
    const one: Expected = { early: undefined, resolve: () => undefined, reject: () => undefined };
    const whole = new Promise<string>((resolve, reject) => Object.assign(one, { resolve, reject }));
    // Looked at by whoever waits for it, if anybody still does.
    whole.catch(() => undefined);
    if (failure === undefined) expected.set(number, one);
    else one.reject(failure);
    socket.write(`z${command}\0`);
    return {
      whole,
      get early() {
        return one.early;
      },
    };
  };

  return {
    ask: (command) => begin(command).whole,
    begin,
    async write(bytes) {
      if (failure !== undefined) return false;
      if (!socket.write(bytes)) await roomIn(socket);
      return failure === undefined;
    },
    async pausedFor(work) {
      limit.pause();
      try {
        return await work();
      } finally {
        limit.go();
      }
    },
    end() {
      limit.stop();
      if (failure === undefined) socket.end("zEND\0");
      // A clamd that hangs would keep the connection.
      setTimeout(() => socket.destroy(), 1000).unref();
    },
    cut: fail,
  };
}

/** Resolves when there is room, or when nothing will ever leave again. */
function roomIn(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const go = (): void => {
      socket.off("drain", go).off("close", go);
      resolve();
    };
    socket.on("drain", go).on("close", go);
  });
}

/** Runs out after `ms` of running, not of time. */
function stopwatch(ms: number, call: () => void) {
  let left = ms;
  let since = performance.now();
  let timer: NodeJS.Timeout | undefined = setTimeout(call, left);
  let over = false;
  return {
    pause(): void {
      clearTimeout(timer);
      left -= performance.now() - since;
    },
    go(): void {
      if (over) return;
      since = performance.now();
      timer = setTimeout(call, Math.max(1, left));
    },
    stop(): void {
      over = true;
      clearTimeout(timer);
    },
  };
}
