/** The process that a command really runs in: its streams, environment and signals. */
import { userInfo } from "node:os";
import type { Readable } from "node:stream";
import { isatty } from "node:tty";
import { systemClock } from "./system.ts";

function outputOf(stream: NodeJS.WriteStream) {
  // A reader that went away (`mailwright events list | head`) wants no more; that is no failure of the command.
  stream.on("error", () => undefined);
  return {
    write: (text: string) => new Promise<void>((resolve) => stream.write(text, () => resolve())),
    isTerminal: stream.isTTY === true,
    get columns() {
      return stream.isTTY === true ? stream.columns : undefined;
    },
  };
}

/** Opened on first use: merely looking at standard input would hold the process. */
const input = {
  isTerminal: isatty(0),
  setRaw(raw: boolean): void {
    if (process.stdin.isTTY === true) process.stdin.setRawMode(raw);
  },
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const stdin: Readable = process.stdin;
    for await (const chunk of stdin) yield typeof chunk === "string" ? Buffer.from(chunk) : chunk;
  },
};

/** A container's user often has a number and no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}

export function processSurroundings() {
  return {
    env: process.env,
    cwd: process.cwd(),
    get user() {
      return userName();
    },
    clock: systemClock,
    stdin: input,
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    onSignal(name: "SIGTERM" | "SIGINT" | "SIGHUP", heard: () => void): void {
      process.on(name, heard);
    },
    onUncaught(heard: (error: unknown) => void): void {
      process.on("uncaughtException", heard);
      process.on("unhandledRejection", heard);
    },
    exit: (code: number): never => process.exit(code),
  };
}
