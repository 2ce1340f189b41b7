/** Whatever a stranger sends: an event, from a child that was not stopped; and work that grows no faster than the mail does. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "../../src/mail/parse.ts";
import { messageSchema } from "../../src/model/event.ts";
import type { Log, LogFields } from "../../src/model/ports.ts";
import { openParsePool, type ParsePool } from "../../src/pipeline/parsing.ts";
import { shapes } from "./hostile-shapes.ts";

/** The runner's patience, for a machine that does ten things at once; the daemon's own deadline is 30 s of it. */
const patience = 240_000;
const chunkBytes = 64 * 1024;

async function* chunks(raw: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < raw.length; at += chunkBytes) yield raw.subarray(at, at + chunkBytes);
}

describe("through the daemon's own children, with its limits on memory", () => {
  const stopped: string[] = [];
  let pool: ParsePool;
  beforeAll(async () => {
    const silent = (): void => undefined;
    const warn = ({ reason }: LogFields): void => void stopped.push(String(reason));
    const log: Log = { debug: silent, info: silent, error: silent, warn, with: () => log };
    pool = await openParsePool({ children: 2, log, deadlineMs: patience });
  });
  afterAll(() => pool.close());

  test.each(shapes)("$name ($full)", { timeout: patience }, async ({ make, full, subject }) => {
    const raw = make(full);
    const { message, parse_status, anomalies } = await pool.parse(chunks(raw), raw.length);
    expect(stopped.splice(0)).toEqual([]);
    expect(messageSchema.parse(message)).toEqual(message);
    if (subject !== undefined && parse_status !== "failed") expect(message.subject).toBe(subject);
    // What is not read whole is said.
    if (parse_status !== "ok") expect(anomalies.length).toBeGreaterThan(0);
  });
});

/** CPU microseconds of so many parses, of this thread alone: neither the collector's threads nor another test's. */
async function work(raw: Uint8Array, times: number): Promise<number> {
  const before = process.threadCpuUsage();
  for (let time = 0; time < times; time++) await parse(raw);
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}

/** Some systems count CPU in ticks of 4 ms, and the least of several counts is a tick too low: here that is a sixth. */
const measurable = 24_000;
/** A collection in the middle can spoil any of them, so the least of several counts. */
const mostTries = 12;
/**
 * Four times the mail is four times the work where it grows with the mail, and sixteen where with its square: the middle by ratio. Two doublings, so that a
 * step (a buffer that no longer fits, a function compiled anew) is not taken for growth.
 */
const mostGrowth = 8;

/** How many times the work of `small` that of `large` is, as little as it was seen to be. */
async function growth(small: Uint8Array, large: Uint8Array): Promise<number> {
  await work(large, 1);
  let times = 1;
  while ((await work(small, times)) < measurable) times *= 2;
  let [least, most] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let tries = 0; tries < mostTries && (tries < 2 || most > least * mostGrowth); tries++) {
    least = Math.min(least, await work(small, times));
    most = Math.min(most, await work(large, times));
  }
  return most / least;
}

describe("the work grows with the mail, not with its square", () => {
  test.each(shapes)("$name", { timeout: patience }, async ({ make, few }) => {
    const first = await growth(make(few), make(few * 4));
    // Where objects outlive the young generation the work of all steps up by half, at one size; growth shows at every size.
    const grown = first <= mostGrowth ? first : await growth(make(few * 2), make(few * 8));
    expect(grown).toBeLessThanOrEqual(mostGrowth);
  });
});
