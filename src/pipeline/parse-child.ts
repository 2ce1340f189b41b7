/** The program of a parser child: reads messages from standard input, writes what they say to standard output, ends when its input does. */
import type { FileSink } from "../mail/extract.ts";
import { headersOnly, parse } from "../mail/parse.ts";
import type { ParsedMessage } from "../model/event.ts";
import { type Begin, type FrameKind, frame, frameKinds, maxChunkBytes, readFrames } from "./parsing/frames.ts";
import { giveUpWriting } from "./parsing/writing.ts";
import { writeMail } from "./stored.ts";

/** Bytes that may wait in here for the parser before the pipe is stopped; the daemon then waits too. */
const maxWaitingBytes = 1024 * 1024;

/** One message on its way in. */
interface Incoming {
  readonly begin: Begin;
  chunks: Buffer[];
  state: "open" | "ended" | "dropped";
  wake: () => void;
}

class Dropped extends Error {}

const waiting: Incoming[] = [];
let arriving: Incoming | undefined;
let waitingBytes = 0;
let working = false;

function taken(bytes: number): void {
  waitingBytes -= bytes;
  if (waitingBytes <= maxWaitingBytes / 2 && process.stdin.isPaused()) process.stdin.resume();
}

/**
 * Buffers lie outside of V8's heap, and those that got old are given back by a full collection alone, for which V8 sees no reason before there
 * are 64 MiB of them. One of 20 MiB takes 15 ms: with it a child grows by 20 MiB over a file of 25, without it by 55 (bench/attachments.ts).
 */
const collectEveryBytes = 8 * 1024 * 1024;
let uncollected = 0;

function collectNowAndThen(bytes: number): void {
  uncollected += bytes;
  if (uncollected < collectEveryBytes) return;
  uncollected = 0;
  globalThis.gc?.();
}

async function* bytesOf(message: Incoming): AsyncGenerator<Uint8Array> {
  while (true) {
    // One by one: whoever stops reading leaves the others where they are counted, for `drained`.
    for (let chunk = message.chunks.shift(); chunk !== undefined; chunk = message.chunks.shift()) {
      taken(chunk.length);
      collectNowAndThen(chunk.length);
      yield chunk;
    }
    if (message.state === "dropped") throw new Dropped();
    if (message.state === "ended") return;
    await new Promise<void>((resolve) => {
      message.wake = resolve;
    });
  }
}

/** A message that is here already is parsed in one piece, which is faster. */
function rawOf(message: Incoming): Uint8Array | AsyncIterable<Uint8Array> {
  if (message.state !== "ended") return bytesOf(message);
  const raw = Buffer.concat(message.chunks);
  message.chunks = [];
  taken(raw.length);
  return raw;
}

/** One after the other: whatever ends this process while a message is read, it is the oldest that has no answer. */
async function work(): Promise<void> {
  if (working) return;
  working = true;
  for (let message = waiting[0]; message !== undefined; message = waiting[0]) {
    const answer = await answerTo(message);
    waiting.shift();
    process.stdout.write(answer);
  }
  working = false;
}

async function answerTo(message: Incoming): Promise<Buffer> {
  const { mode, reason, parts } = message.begin;
  const raw = rawOf(message);
  try {
    if (mode === "files") {
      // A child that only parses has no use for it.
      const { extract } = await import("../mail/extract.ts");
      await extract(raw, parts ?? [], sink);
      if (!(raw instanceof Uint8Array)) await drained(message);
      return frame(frameKinds.extracted);
    }
    const parsed: ParsedMessage = mode === "parse" ? await parse(raw) : await headersOnly(raw, reason);
    // What the parser did not want to read is still on the pipe before the next message.
    if (!(raw instanceof Uint8Array)) await drained(message);
    return frame(frameKinds.parsed, writeMail(parsed));
  } catch (error) {
    // Anything else is a defect, and ends the process: the daemon then knows which message it was.
    if (!(error instanceof Dropped)) throw error;
    return frame(frameKinds.dropped);
  }
}

/** Resolves when the daemon has room for more. */
function send(kind: FrameKind, payload: Uint8Array): Promise<void> | undefined {
  if (process.stdout.write(frame(kind, payload))) return undefined;
  return new Promise((resolve) => process.stdout.once("drain", resolve));
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const sink: FileSink = {
  begin: (partId) => send(frameKinds.fileBegin, json(partId)),
  async take(bytes) {
    for (let at = 0; at < bytes.length; at += maxChunkBytes) {
      await send(frameKinds.fileChunk, bytes.subarray(at, at + maxChunkBytes));
    }
  },
  end: (file) => send(frameKinds.fileEnd, json(file)),
};

async function drained(message: Incoming): Promise<void> {
  for await (const _ of bytesOf(message)) {
    // Thrown away.
  }
}

function receive(kind: number, payload: Buffer): void {
  switch (kind) {
    case frameKinds.begin:
      arriving = { begin: JSON.parse(payload.toString()) as Begin, chunks: [], state: "open", wake: () => undefined };
      // Not begun before its end is here or it is known to be long, so that short messages go the short way.
      break;
    case frameKinds.chunk:
      waitingBytes += payload.length;
      arriving?.chunks.push(payload);
      if (waitingBytes > maxWaitingBytes) process.stdin.pause();
      if (arriving !== undefined && arriving.chunks.length > 4) start(arriving);
      break;
    case frameKinds.end:
    case frameKinds.drop:
      if (arriving === undefined) break;
      arriving.state = kind === frameKinds.end ? "ended" : "dropped";
      start(arriving);
      arriving = undefined;
      break;
    default:
      throw new Error(`a frame of unknown kind ${kind}`);
  }
}

function start(message: Incoming): void {
  if (!waiting.includes(message)) waiting.push(message);
  message.wake();
  void work();
}

giveUpWriting();
process.stdin.on("data", readFrames(receive));
// The daemon has gone, or wants this child to go.
process.stdin.on("end", () => process.exit(0));
process.stdin.on("error", () => process.exit(0));
process.stdout.on("error", () => process.exit(0));
process.stdout.write(frame(frameKinds.ready));
