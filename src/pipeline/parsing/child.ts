/** One parser child: a process that can be killed, that may read its own code and nothing else, and that speaks frames. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { frameKinds, readFrames } from "./frames.ts";
import { cacheFlags, childrensCache } from "./writing.ts";

export interface ChildOptions {
  /** The program; the default is ours. */
  readonly entry?: string;
  /** V8 heap of a child. */
  readonly maxHeapMb: number;
  /** Where compiled code is kept for the next child. */
  readonly cache?: string;
}

export interface ChildEvents {
  ready(): void;
  /** An answer to the oldest message that has none. */
  answer(kind: "parsed" | "dropped", payload: Buffer): void;
  /** A piece of what is taken out of a message; a frame of frameKinds.fileBegin to extracted. Absent where none is asked for. */
  file?(kind: number, payload: Buffer): void;
  /** Once. `detail`: signal or exit code, and the end of what it wrote to standard error. */
  gone(detail: string): void;
}

export interface ParserChild {
  readonly pid: number | undefined;
  /** Resolves when the pipe has room again, or the child is gone. */
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** Reads nothing more from it, or goes on reading: a child that is not read from comes to a halt. */
  halt(stop: boolean): void;
  kill(): void;
  /** Asks it to end, by closing its input. */
  end(): void;
  /** Resident bytes; undefined where the system does not say. */
  residentBytes(): Promise<number | undefined>;
}

const stderrBytes = 4096;

/**
 * The flags of a child's Node. Its permission model (checked on Node 24.21) then refuses writing, spawning, workers, addons, WASI, the
 * inspector, and reading outside of this package's code and the packages. It does not cover the network. The heap flags
 * keep the young generation small: a child holds one message at a time.
 */
export function childFlags(maxHeapMb: number): string[] {
  const readable = new Set([
    fileURLToPath(new URL("../../", import.meta.url)),
    ...["mailparser", "html-to-text", "iconv-lite", "ical.js"].map((name) =>
      packagesFolder(fileURLToPath(import.meta.resolve(name))),
    ),
    ...manifests(),
  ]);
  return [
    "--permission",
    ...[...readable].map((path) => `--allow-fs-read=${path}`),
    "--disallow-code-generation-from-strings",
    `--max-old-space-size=${maxHeapMb}`,
    "--max-semi-space-size=8",
    "--initial-old-space-size=64",
    // Threads that help collect take more of two busy cores than they give: 14 % of a parse (bench/drain.ts).
    "--single-threaded-gc",
    // On long messages a child says itself when to collect (parse-child.ts).
    "--expose-gc",
  ];
}

/** `.../node_modules/`, the outermost, which holds what the package depends on too. */
export function packagesFolder(path: string): string {
  const marker = "/node_modules/";
  const normal = path.replaceAll("\\", "/");
  const at = normal.indexOf(marker);
  return at === -1 ? dirname(path) : path.slice(0, at + marker.length);
}

const isSource = import.meta.url.endsWith(".ts");

/** The package.json that says what kind of module the code is: above `src`, or above `dist/src` where it is emitted. */
function manifests(): string[] {
  return [fileURLToPath(new URL(isSource ? "../../../package.json" : "../../../../package.json", import.meta.url))];
}

/** Beside this file, in the language that this file is in: sources run as they are, the published package is emitted JavaScript. */
function defaultEntry(): string {
  return fileURLToPath(new URL(`../parse-child.${isSource ? "ts" : "js"}`, import.meta.url));
}

export function startChild(options: ChildOptions, events: ChildEvents): ParserChild {
  const entry = options.entry ?? defaultEntry();
  const cache = options.cache ?? childrensCache();
  const flags = [...childFlags(options.maxHeapMb), `--allow-fs-read=${entry}`];
  if (cache !== undefined) flags.push(...cacheFlags(cache));
  const program = spawn(process.execPath, [...flags, entry], {
    stdio: ["pipe", "pipe", "pipe"],
    // Nothing else in it: no secret of the daemon's reaches a process that reads hostile bytes.
    env: cache === undefined ? {} : { NODE_COMPILE_CACHE: cache },
    cwd: dirname(entry),
  });
  let gone = false;
  let ending = false;
  let lastWords = "";
  const { stdin, stdout, stderr } = program;
  stderr.setEncoding("utf8");
  stderr.on("data", (words: string) => {
    lastWords = (lastWords + words).slice(-stderrBytes);
  });
  const read = readFrames((kind, payload) => {
    if (kind === frameKinds.ready) events.ready();
    else if (kind === frameKinds.parsed) events.answer("parsed", payload);
    else if (kind === frameKinds.dropped) events.answer("dropped", payload);
    else if (events.file !== undefined && kind >= frameKinds.fileBegin && kind <= frameKinds.extracted)
      events.file(kind, payload);
    else throw new Error(`a frame of unknown kind ${kind}`);
  });
  stdout.on("data", (chunk: Buffer) => {
    if (gone) return;
    try {
      read(chunk);
    } catch (error) {
      lastWords += `\n${error instanceof Error ? error.message : String(error)}`;
      program.kill("SIGKILL");
    }
  });
  // A child that dies breaks its pipes; what matters is reported by `close`, after its last words.
  for (const pipe of [stdin, stdout, stderr]) pipe.on("error", () => undefined);
  const leave = (detail: string): void => {
    if (gone) return;
    gone = true;
    stdin.destroy();
    events.gone(lastWords === "" ? detail : `${detail}: ${shown(lastWords)}`);
  };
  // Its end is only seen once all that it said is read.
  const letGo = (): void => {
    ending = true;
    stdout.resume();
  };
  program.on("exit", letGo);
  program.on("error", (error) => leave(error.message));
  program.on("close", (code, signal) => leave(signal === null ? `exit code ${code}` : `signal ${signal}`));

  return {
    pid: program.pid,
    write(bytes) {
      if (gone || stdin.destroyed || stdin.write(bytes)) return undefined;
      return new Promise((resolve) => {
        const go = (): void => {
          stdin.off("drain", go);
          stdin.off("close", go);
          resolve();
        };
        stdin.on("drain", go);
        stdin.on("close", go);
      });
    },
    halt(stop) {
      if (stop && !ending) stdout.pause();
      else stdout.resume();
    },
    kill() {
      letGo();
      program.kill("SIGKILL");
    },
    end: () => void stdin.end(),
    residentBytes: () => residentBytesOf(program),
  };
}

/** One line, without control characters: what a child says may be made of what a mail says. */
function shown(words: string): string {
  return words
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
    .slice(-1000);
}

async function residentBytesOf(child: ChildProcess): Promise<number | undefined> {
  if (child.pid === undefined) return undefined;
  try {
    const status = await readFile(`/proc/${child.pid}/status`, "utf8");
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}
