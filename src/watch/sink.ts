/** Puts lines on a file descriptor at once, and never lets its reader or a full disk stop the daemon: what cannot be written is counted. */
import { writeSync } from "node:fs";

export interface Sink {
  write(line: string): void;
}

/** A reader that takes nothing for this long loses lines, until it reads again. */
const patienceMs = 500;
const pauseMs = 10;
const pause = new Int32Array(new SharedArrayBuffer(4));

export function openSink(fd: number, write: typeof writeSync = writeSync): Sink {
  let lost = 0;
  let stalled = false;
  /** The last line was written in part: the next one must not be glued to it. */
  let torn = false;
  let closed = false;

  function put(text: string): void {
    let rest: Uint8Array = Buffer.from(torn ? `\n${text}` : text);
    for (let waitedMs = 0; rest.length > 0; ) {
      try {
        const written = write(fd, rest);
        torn = written < rest.length;
        rest = rest.subarray(written);
      } catch (error) {
        if (codeOf(error) !== "EAGAIN" || stalled || waitedMs >= patienceMs) throw error;
        // A pipe that does not block (somebody set it so) and is full: Node has no other way to wait within a call.
        Atomics.wait(pause, 0, 0, pauseMs);
        waitedMs += pauseMs;
      }
    }
  }

  return {
    write(line) {
      if (closed) return;
      try {
        if (lost > 0) {
          put(`{"level":"warn","lost_lines":${lost},"msg":"lines of this log could not be written and are lost"}\n`);
          lost = 0;
        }
        put(line);
        stalled = false;
      } catch (error) {
        lost += 1;
        stalled = true;
        closed = codeOf(error) === "EPIPE" || codeOf(error) === "EBADF";
      }
    },
  };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
