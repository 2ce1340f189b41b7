/** Makes small pictures, each in a child of its own that ends with it: what reads hostile bytes sees one picture, and no other. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setPriority } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Log } from "../model/ports.ts";
import {
  type NoPreview,
  noPreviewReasons,
  type Preview,
  type Previewer,
  PreviewerBroken,
  PreviewStopped,
} from "../model/preview.ts";
import { childFlags, packagesFolder } from "./parsing/child.ts";
import { realTimer, type Timer } from "./parsing/seat.ts";

export interface PreviewerOptions {
  readonly log: Log;
  readonly maxPixels: number;
  /** Of the longer side, in pixels. */
  readonly edge: number;
  /** A larger file is not looked at. */
  readonly maxBytes?: number;
  readonly timer?: Timer;
  /** Of processor time of the child, where the system tells it: a busy machine is no fault of a picture. */
  readonly deadlineMs?: number;
  /** Of a clock on the wall, without what the store takes. */
  readonly wallMs?: number;
  readonly maxResidentBytes?: number;
  /** Another program in its place, for tests. */
  readonly entry?: string;
}

/**
 * A picture of 3000 x 2000 takes 20 ms and 73 MiB, the child 200 ms and 60 MiB before that. An interlaced PNG of 50 million pixels has to be
 * unpacked whole, which is 200 MiB.
 */
const defaults = {
  maxBytes: 32 * 1024 * 1024,
  deadlineMs: 15_000,
  wallMs: 60_000,
  maxResidentBytes: 448 * 1024 * 1024,
};
const watchMs = 50;
/** A small picture has tens of kilobytes, and 4 bytes a pixel at the very most. */
const maxAnswerBytes = 1024 * 1024;
const maxWaiting = 16;
const stderrBytes = 2048;

/** A sentence where it cannot be used here; undefined where it is installed. Whether it also runs is for `examine` to say. */
export function sharpMissing(): string | undefined {
  try {
    import.meta.resolve("sharp");
    return undefined;
  } catch {
    return "previews need a library that is not installed; run: npm install --save-prod sharp (or set previews.make to false)";
  }
}

/** Makes one of a picture that is known to be well. Rejects with PreviewerBroken, whose message says what to do. */
export async function examine(previewer: Pick<Previewer, "make">): Promise<void> {
  const { kind } = await previewer.make(
    (async function* () {
      yield onePixel;
    })(),
    onePixel.length,
  );
  if (kind === "none") throw new PreviewerBroken("previews cannot be made: a picture of one pixel could not be read");
}

const onePixel = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

export function openPreviewer(options: PreviewerOptions): Previewer {
  const { maxBytes } = { ...defaults, ...options };
  const running = new Set<Run>();
  let closed = false;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  async function one(picture: AsyncIterable<Uint8Array>): Promise<Preview> {
    if (closed) throw new PreviewerBroken("the daemon stops");
    const run = startRun(options);
    running.add(run);
    try {
      const preview = await run.feed(picture);
      if (closed && preview.kind === "none") throw new PreviewerBroken("the daemon stops");
      return preview;
    } finally {
      running.delete(run);
    }
  }

  return {
    async make(picture, size) {
      if (size > maxBytes) return { kind: "none", reason: "too_large" };
      if (waiting >= maxWaiting) throw new PreviewerBroken("too many previews are wanted at once");
      waiting++;
      const mine = last.then(() => one(picture));
      // One at a time: it is a favour, and mail is parsed on the same processor.
      last = mine.catch(() => undefined);
      try {
        return await mine;
      } finally {
        waiting--;
      }
    },
    async close() {
      closed = true;
      for (const run of running) run.kill("crashed");
      await last;
    },
  };
}

interface Run {
  feed(picture: AsyncIterable<Uint8Array>): Promise<Preview>;
  kill(reason: NoPreview): void;
}

function startRun(options: PreviewerOptions): Run {
  const given = { ...defaults, ...options };
  const { timer = realTimer, deadlineMs, wallMs, maxResidentBytes, log, maxPixels, edge } = given;
  const child = startProgram(options.entry, [String(maxPixels), String(edge)]);
  let killedFor: NoPreview | undefined;
  const kill = (reason: NoPreview): void => {
    killedFor ??= reason;
    child.kill("SIGKILL");
  };
  const said = gather(child, () => kill("crashed"));
  /** What the store takes to give the picture is not the child's. */
  const feeding = { waits: false };
  let stopWatch: () => void = () => undefined;
  let waited = 0;
  let late = false;
  const look = async (): Promise<void> => {
    const { residentBytes, cpuMs } = await usedBy(child);
    if (!feeding.waits) waited += watchMs;
    if (residentBytes !== undefined && residentBytes > maxResidentBytes) kill("too_much_memory");
    else if ((cpuMs ?? waited) >= deadlineMs) kill("too_slow");
    else if (waited >= wallMs) {
      late = true;
      child.kill("SIGKILL");
    } else if (!said.ended()) stopWatch = timer(watchMs, () => void look());
  };
  stopWatch = timer(watchMs, () => void look());
  return {
    kill,
    async feed(picture) {
      try {
        await write(child, picture, said.end, feeding, timer);
        const end = await said.end;
        if (late) throw new PreviewStopped(`the program that makes previews was stopped after ${wallMs} ms`);
        if (killedFor !== undefined) return { kind: "none", reason: killedFor };
        const preview = read(end.answer);
        if (end.code === 0 && preview !== undefined) return preview;
        log.warn({ code: end.code, reason: end.lastWords }, "a child that makes previews ended without one");
        return failed(end);
      } catch (error) {
        kill("crashed");
        throw error;
      } finally {
        stopWatch();
      }
    },
  };
}

/** By which a picture brings a reader of pictures down. */
const ofThePicture: ReadonlySet<string> = new Set([
  "SIGSEGV",
  "SIGABRT",
  "SIGBUS",
  "SIGILL",
  "SIGFPE",
  "SIGTRAP",
  "SIGSYS",
]);
/** Node's own for an abort, and ours for a library that had no memory or thread. */
const aborted = 134;
const starved = 3;

/** Whose fault it is. Throws unless it is the picture's. */
function failed({ code, signal, failure, lastWords }: Said): Preview {
  if (failure !== undefined) {
    const why = "code" in failure ? String(failure.code) : failure.message;
    throw new PreviewerBroken(`the program that makes previews cannot be started (${why})`);
  }
  if (/ERR_MODULE_NOT_FOUND|Could not load the "sharp" module/.test(lastWords)) throw broken(lastWords);
  const isPicture = code === null ? ofThePicture.has(signal ?? "") : code === 0 || code === aborted;
  if (isPicture) return { kind: "none", reason: "crashed" };
  const end = `the program that makes previews ended with ${signal ?? code}`;
  // What it threw is no error of a reader of pictures: those are answers.
  if (code !== null && code !== starved) throw new PreviewerBroken(`${end} (${lastWords.slice(0, 300)})`);
  throw new PreviewStopped(end);
}

const broken = (words: string): PreviewerBroken =>
  new PreviewerBroken(
    `the library that makes previews does not run here (${words.slice(0, 300)}); run: npm install --save-prod --include=optional sharp (or set previews.make to false)`,
  );

function startProgram(entry: string | undefined, args: readonly string[]): ChildProcess {
  const isSource = import.meta.url.endsWith(".ts");
  const program = entry ?? fileURLToPath(new URL(`./preview-child.${isSource ? "ts" : "js"}`, import.meta.url));
  const packages = sharpMissing() === undefined ? [packagesFolder(fileURLToPath(import.meta.resolve("sharp")))] : [];
  const flags = [
    ...childFlags(64),
    ...[program, ...packages].map((path) => `--allow-fs-read=${path}`),
    // The library is native code, which Node's permissions do not bind: it is bound by being one picture's process, without secrets, that is killed.
    "--allow-addons",
    "--no-warnings",
  ];
  const child: ChildProcess = spawn(process.execPath, [...flags, program, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: {},
    cwd: dirname(program),
  });
  // Where the system has no file handles left there are no pipes.
  for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe?.on("error", () => undefined);
  try {
    if (child.pid !== undefined) setPriority(child.pid, 10);
  } catch {
    // It has ended already, or the system does not let us.
  }
  return child;
}

interface Said {
  readonly answer: Buffer;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It could not be started. */
  readonly failure: Error | undefined;
  readonly lastWords: string;
}

function gather(child: ChildProcess, tooMuch: () => void): { readonly end: Promise<Said>; ended(): boolean } {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let lastWords = "";
  let ended = false;
  child.stdout?.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) tooMuch();
    else chunks.push(chunk);
  });
  child.stderr?.setEncoding("utf8").on("data", (words: string) => {
    lastWords = (lastWords + words).slice(-stderrBytes);
  });
  const end = new Promise<Said>((resolve) => {
    const leave = (code: number | null, signal: NodeJS.Signals | null, failure?: Error): void => {
      ended = true;
      const words = lastWords.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
      resolve({ answer: Buffer.concat(chunks), code, signal, failure, lastWords: words });
    };
    child.on("error", (error) => leave(null, null, error));
    child.on("close", (code, signal) => leave(code, signal));
  });
  return { end, ended: () => ended };
}

/** A store that gives nothing for so long is away. */
const storeMs = 60_000;

/** Ends early when the child does: it knows enough. Rejects as the picture does, and where it does not come. */
async function write(
  { stdin }: ChildProcess,
  picture: AsyncIterable<Uint8Array>,
  end: Promise<Said>,
  feeding: { waits: boolean },
  timer: Timer,
): Promise<void> {
  const bytes = picture[Symbol.asyncIterator]();
  const over = end.then(() => ({ done: true, value: undefined }) as const);
  try {
    for (;;) {
      feeding.waits = true;
      const late = Promise.withResolvers<never>();
      const stop = timer(storeMs, () => late.reject(new Error("the store did not give the picture within a minute")));
      const next = await Promise.race([bytes.next(), over, late.promise]).finally(stop);
      feeding.waits = false;
      if (next.done === true || stdin === null || stdin.destroyed) break;
      if (!stdin.write(next.value)) await Promise.race([new Promise((go) => stdin.once("drain", go)), end]);
    }
    stdin?.end();
  } finally {
    feeding.waits = false;
    // One that hangs would not answer this either.
    bytes.return?.().catch(() => undefined);
  }
}

/** Undefined where it is no answer of ours. A picture has to begin as WebP does: nothing else is ever handed on. */
function read(answer: Buffer): Preview | undefined {
  const at = answer.indexOf("\n");
  const head = answer.subarray(0, at).toString("latin1");
  const bytes = answer.subarray(at + 1);
  if (head === "made")
    return bytes.toString("latin1", 0, 4) === "RIFF" && bytes.toString("latin1", 8, 12) === "WEBP"
      ? { kind: "made", bytes }
      : undefined;
  const reason = head.startsWith("none ") ? head.slice("none ".length) : "";
  return Object.hasOwn(noPreviewReasons, reason) ? { kind: "none", reason: reason as NoPreview } : undefined;
}

interface Used {
  readonly residentBytes: number | undefined;
  readonly cpuMs: number | undefined;
}

/** proc(5), where there is one: a clock tick is 10 ms. */
async function usedBy({ pid }: ChildProcess): Promise<Used> {
  const about = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
  const [status, stat] = await Promise.all([about("status"), about("stat")]);
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  // Behind the name in brackets; user and system time are the 14th and 15th fields.
  const ticks = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
    .map(Number);
  const isKnown = ticks.length === 2 && ticks.every(Number.isFinite);
  return {
    residentBytes: kib === undefined ? undefined : Number(kib) * 1024,
    cpuMs: isKnown ? ticks.reduce((sum, one) => sum + one, 0) * 10 : undefined,
  };
}
