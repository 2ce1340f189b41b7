/** What bench/parse.ts measures of the daemon's own parser children: the memory of one, and how long a poison message holds up the others. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../src/model/ports.ts";
import { type ParserChild, startChild } from "../src/pipeline/parsing/child.ts";
import { frame, frameKinds, maxChunkBytes } from "../src/pipeline/parsing/frames.ts";
import { openParsePool } from "../src/pipeline/parsing.ts";
import type { Case } from "./parse-cases.ts";

/** The flags the daemon gives it. */
const maxHeapMb = 256;

export interface Memory {
  readonly idle: number;
  readonly peak: number;
}

/** A child fed over its pipe as the daemon feeds it; undefined where the system does not say what a process holds. */
export async function childMemory(small: Case, wanted: Case): Promise<Memory | undefined> {
  let answered = (): void => undefined;
  let failed: (error: Error) => void = () => undefined;
  const next = (): Promise<void> =>
    new Promise((resolve, reject) => {
      answered = resolve;
      failed = reject;
    });
  let event = next();
  const child = startChild(
    { maxHeapMb },
    {
      ready: () => answered(),
      answer: () => answered(),
      gone: (detail) => failed(new Error(`the parser child ended: ${detail}`)),
    },
  );
  const ask = async (message: Case): Promise<void> => {
    event = next();
    await send(child, message);
    await event;
  };
  await event;
  await ask(small);
  const idle = kib(child, "VmRSS");
  await ask(wanted);
  const peak = kib(child, "VmHWM");
  event = next().catch(() => undefined);
  child.end();
  await event;
  return idle === undefined || peak === undefined ? undefined : { idle, peak };
}

async function send(child: ParserChild, { chunks }: Case): Promise<void> {
  await child.write(frame(frameKinds.begin, Buffer.from(JSON.stringify({ mode: "parse", reason: "" }))));
  for (const chunk of chunks(0)) {
    for (let at = 0; at < chunk.length; at += maxChunkBytes) {
      await child.write(frame(frameKinds.chunk, chunk.subarray(at, at + maxChunkBytes)));
    }
  }
  await child.write(frame(frameKinds.end));
}

function kib({ pid }: ParserChild, field: string): number | undefined {
  try {
    const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return found === undefined ? undefined : Number(found) * 1024;
  } catch {
    return undefined;
  }
}

export interface Delays {
  readonly honest: number;
  readonly longestMs: number;
  readonly poisonMs: number;
}

/**
 * Two children that run the tests' scripted parser, a message that spins until it is killed, and one honest message every 20 ms: how long
 * the longest of these waited. The deadline is shorter than the daemon's so that both tries of the poison message fall into the run.
 */
export async function poisonDelays(deadlineMs = 3000): Promise<Delays> {
  const silent = (): void => undefined;
  const log: Log = { debug: silent, info: silent, warn: silent, error: silent, with: () => log };
  const entry = join(import.meta.dirname, "../test/pipeline/fixtures/scripted-parser.ts");
  const pool = await openParsePool({ children: 2, log, entry, deadlineMs });
  async function* mail(body: string): AsyncGenerator<Uint8Array> {
    yield Buffer.from(`Subject: x\r\n\r\n${body}\r\n`);
  }
  const timed = async (body: string): Promise<number> => {
    const from = performance.now();
    await pool.parse(mail(body), 1);
    return performance.now() - from;
  };
  await Promise.all(Array.from({ length: 8 }, () => timed("warm")));
  let isOver = false;
  const poison = timed("SPIN").finally(() => {
    isOver = true;
  });
  const honest: Promise<number>[] = [];
  while (!isOver) {
    honest.push(timed("hello"));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const waits = await Promise.all(honest);
  await pool.close();
  return { honest: waits.length, longestMs: Math.max(...waits), poisonMs: await poison };
}
