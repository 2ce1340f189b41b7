/** Makes small pictures, each in a child of its own that ends with it: what reads hostile bytes sees one picture, and no other. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setPriority } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Log } from "../model/ports.ts";
import { type NoPreview, noPreviewReasons, type Preview, type Previewer, PreviewerBroken } from "../model/preview.ts";
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
  readonly deadlineMs?: number;
  readonly maxResidentBytes?: number;
  /** Another program in its place, for tests. */
  readonly entry?: string;
}

/**
 * A picture of 3000 x 2000 takes 20 ms and 73 MiB, the child 200 ms and 60 MiB before that. An interlaced PNG of 50 million pixels has to be
 * unpacked whole, which is 200 MiB.
 */
const defaults = { maxBytes: 32 * 1024 * 1024, deadlineMs: 15_000, maxResidentBytes: 448 * 1024 * 1024 };
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
  const { timer = realTimer, deadlineMs, maxResidentBytes, log, maxPixels, edge } = { ...defaults, ...options };
  const child = startProgram(options.entry, [String(maxPixels), String(edge)]);
  let killedFor: NoPreview | undefined;
  const kill = (reason: NoPreview): void => {
    killedFor ??= reason;
    child.kill("SIGKILL");
  };
  const said = gather(child, () => kill("crashed"));
  const stopDeadline = timer(deadlineMs, () => kill("too_slow"));
  let stopWatch: () => void = () => undefined;
  const look = async (): Promise<void> => {
    const resident = await residentBytes(child);
    if (resident !== undefined && resident > maxResidentBytes) kill("too_much_memory");
    else if (!said.ended()) stopWatch = timer(watchMs, () => void look());
  };
  stopWatch = timer(watchMs, () => void look());
  return {
    kill,
    async feed(picture) {
      try {
        await write(child, picture, said.end);
        const { answer, code, lastWords } = await said.end;
        if (killedFor !== undefined) return { kind: "none", reason: killedFor };
        const preview = read(answer);
        if (code === 0 && preview !== undefined) return preview;
        if (/ERR_MODULE_NOT_FOUND|Could not load the "sharp" module/.test(lastWords)) throw broken(lastWords);
        log.warn({ code, reason: lastWords }, "a child that makes previews ended without one");
        return { kind: "none", reason: "crashed" };
      } catch (error) {
        kill("crashed");
        throw error;
      } finally {
        stopDeadline();
        stopWatch();
      }
    },
  };
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
  const child = spawn(process.execPath, [...flags, program, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: {},
    cwd: dirname(program),
  });
  for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.on("error", () => undefined);
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
    const leave = (code: number | null): void => {
      ended = true;
      const words = lastWords.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
      resolve({ answer: Buffer.concat(chunks), code, lastWords: words });
    };
    child.on("error", () => leave(null));
    child.on("close", leave);
  });
  return { end, ended: () => ended };
}

/** Ends early when the child does: it knows enough. */
async function write({ stdin }: ChildProcess, picture: AsyncIterable<Uint8Array>, end: Promise<Said>): Promise<void> {
  let over = false;
  void end.then(() => {
    over = true;
  });
  for await (const bytes of picture) {
    if (over || stdin === null || stdin.destroyed) return;
    if (!stdin.write(bytes)) await Promise.race([new Promise((resolve) => stdin.once("drain", resolve)), end]);
  }
  stdin?.end();
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

async function residentBytes({ pid }: ChildProcess): Promise<number | undefined> {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}
