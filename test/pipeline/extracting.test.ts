import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { ExtractFailed, type FileExtractor } from "../../src/model/checking.ts";
import type { Log, LogFields } from "../../src/model/ports.ts";
import { type ExtractorOptions, openExtractor } from "../../src/pipeline/extracting.ts";
import { frameKinds } from "../../src/pipeline/parsing/frames.ts";
import { Frames, handOver } from "../../src/pipeline/parsing/hand-over.ts";
import type { Timer } from "../../src/pipeline/parsing/seat.ts";
import { eicar, mail, pe } from "../support/dangerous/bytes.ts";
import { zip } from "../support/dangerous/zip.ts";

const scripted = join(import.meta.dirname, "fixtures", "scripted-extractor.ts");
const watchMs = 250;

const open: FileExtractor[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** Watches fire when the test says so, nothing else does. */
function handTimer() {
  const watches = new Set<() => void>();
  const timer: Timer = (ms, call) => {
    if (ms !== watchMs) return () => undefined;
    watches.add(call);
    return () => void watches.delete(call);
  };
  return {
    timer,
    /** True when there was something to fire. */
    fire: (): boolean => {
      const [watch] = watches;
      if (watch === undefined) return false;
      watches.delete(watch);
      watch();
      return true;
    },
  };
}

function extractor(options: Partial<ExtractorOptions> = {}) {
  const warned: string[] = [];
  const silent = (): void => undefined;
  const log: Log = {
    debug: silent,
    info: silent,
    error: silent,
    warn: (fields: LogFields) => void warned.push(String(fields.reason)),
    with: () => log,
  };
  const one = openExtractor({ children: 1, log, ...options });
  open.push(one);
  return { one, warned };
}

const from =
  (...chunks: readonly Uint8Array[]) =>
  async (): Promise<AsyncIterable<Uint8Array>> =>
    (async function* () {
      yield* chunks;
    })();

const ignore = async (): Promise<void> => undefined;

const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error) => error,
  );

/** Until the child has come so far. */
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe("the extractor", () => {
  test("hands over the bytes of each file, and says what was found in it", async () => {
    const { one } = extractor();
    const seen: [string, Buffer][] = [];
    const program = zip([{ name: "e.txt", bytes: eicar }]);
    const raw = mail("files.zip", program);
    const files = await one.extract(from(raw.subarray(0, 100), raw.subarray(100)), ["2"], async ({ partId, bytes }) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of bytes) pieces.push(piece);
      seen.push([partId, Buffer.concat(pieces)]);
    });
    expect(seen).toEqual([["2", program]]);
    expect(files).toEqual([
      {
        partId: "2",
        sha256: createHash("sha256").update(program).digest("hex"),
        size: program.length,
        inspection: {
          detectedType: "application/zip",
          findings: [
            { code: "archive_executable", detail: "e.txt: EICAR" },
            {
              code: "unpacked",
              detail: `entries=1 bytes=${eicar.length + program.length} largest=${program.length} depth=1`,
            },
          ],
        },
      },
    ]);
  });

  test("takes one message after the other with one child, also where nobody wants the bytes", async () => {
    const { one } = extractor();
    const raws = Array.from({ length: 5 }, (_, at) => mail(`${at}.bin`, Buffer.alloc(200_000, at)));
    const all = await Promise.all(raws.map((raw) => one.extract(from(raw), ["2"], ignore)));
    expect(all.map(([file]) => file?.size)).toEqual(raws.map(() => 200_000));
    expect(await one.extract(from(mail("a.exe", pe())), [], ignore)).toEqual([]);
  });

  test("waits for a slow store, whatever the time it takes, and holds little of what waits", async () => {
    const { timer, fire } = handTimer();
    const { one } = extractor({ timer, deadlineMs: 100 * watchMs });
    const size = 8 * 1024 * 1024;
    let taken = 0;
    let waited = 0;
    await one.extract(from(mail("big.bin", Buffer.alloc(size, 1))), ["2"], async ({ bytes }) => {
      for await (const piece of bytes) {
        taken += piece.length;
        if (taken < 200_000)
          for (let tick = 0; tick < 60; tick++) {
            await soon();
            if (fire()) waited++;
          }
      }
    });
    expect(taken).toBe(size);
    expect(waited).toBeGreaterThan(100);
  });

  test("rejects with what the taker rejects with, and goes on with the next message", async () => {
    const { one, warned } = extractor();
    const full = new Error("the store is full");
    expect(await failure(one.extract(from(mail("a", pe())), ["2"], () => Promise.reject(full)))).toBe(full);
    expect(await one.extract(from(mail("a", pe())), ["2"], ignore)).toHaveLength(1);
    expect(warned).toEqual([]);
  });

  test("says when it was the raw message that could not be read", async () => {
    const { one } = extractor();
    const gone = await failure(one.extract(() => Promise.reject(new Error("gone")), ["2"], ignore));
    expect(gone).toMatchObject({ name: "ExtractFailed", kind: "raw" });
    const broken = async () =>
      (async function* () {
        yield mail("a", Buffer.alloc(500_000)).subarray(0, 300_000);
        throw new Error("the disk is gone");
      })();
    expect(await failure(one.extract(broken, ["2"], ignore))).toMatchObject({
      kind: "raw",
      cause: new Error("the disk is gone"),
    });
    expect(await one.extract(from(mail("a", pe())), ["2"], ignore)).toHaveLength(1);
  });

  test("says when the child died of the message, and starts another", async () => {
    const { one, warned } = extractor({ entry: scripted });
    expect(await failure(one.extract(from(Buffer.from("DIE")), ["1"], ignore))).toMatchObject({ kind: "message" });
    expect(warned).toEqual([expect.stringContaining("exit code 7")]);
    expect(await one.extract(from(Buffer.from("hello")), ["1"], ignore)).toMatchObject([{ size: 5 }]);
  });

  test("does not wait for ever for the end of a child that died while it was halted", async () => {
    const { one } = extractor({ entry: scripted });
    const raw = Buffer.concat([Buffer.from("DIE"), Buffer.alloc(3 * 1024 * 1024)]);
    const slow = async ({ bytes }: { bytes: AsyncIterable<Uint8Array> }): Promise<void> => {
      for await (const _ of bytes) await soon();
    };
    expect(await failure(one.extract(from(raw), ["1"], slow))).toMatchObject({ kind: "message" });
  });

  test("stops a child that works too long", async () => {
    const { timer, fire } = handTimer();
    const { one, warned } = extractor({ entry: scripted, timer, deadlineMs: 10 * watchMs });
    const failed = failure(one.extract(from(Buffer.from("SPIN")), ["1"], ignore));
    let result: unknown;
    void failed.then((error) => {
      result = error;
    });
    while (result === undefined) {
      fire();
      await soon();
    }
    expect(result).toMatchObject({ kind: "message", message: "the parser was stopped after 2500 ms" });
    expect(warned).toHaveLength(1);
  });

  test("stops a child that takes too much memory", async () => {
    const { timer, fire } = handTimer();
    const { one } = extractor({ entry: scripted, timer, maxResidentBytes: 1 });
    const failed = failure(one.extract(from(Buffer.from("SPIN")), ["1"], ignore));
    let result: unknown;
    void failed.then((error) => {
      result = error;
    });
    while (result === undefined) {
      fire();
      await soon();
    }
    expect(result).toMatchObject({ kind: "message", message: expect.stringMatching(/MiB of memory$/) });
  });

  test("takes an answer out of order for what it is", async () => {
    const { one } = extractor({ entry: scripted });
    expect(await failure(one.extract(from(Buffer.from("BABBLE")), ["1"], ignore))).toMatchObject({ kind: "message" });
  });

  test("gives up what is in flight and what waits when it is closed", async () => {
    const { one } = extractor({ entry: scripted });
    const kinds = Promise.all(
      ["SPIN", "hello"].map(async (text) => failure(one.extract(from(Buffer.from(text)), ["1"], ignore))),
    );
    await soon();
    await one.close();
    for (const error of await kinds) expect(error).toMatchObject({ kind: "closed" });
    expect(await failure(one.extract(from(Buffer.from("x")), ["1"], ignore))).toBeInstanceOf(ExtractFailed);
  });
});

describe("what waits for its taker", () => {
  test("halts the child above half a mebibyte, and lets it go on below half of that", async () => {
    const halts: boolean[] = [];
    const frames = new Frames((stop) => void halts.push(stop));
    const chunk = Buffer.alloc(64 * 1024);
    for (let count = 0; count < 9; count++) frames.push(frameKinds.fileChunk, chunk);
    expect(halts).toEqual([true]);
    for (let count = 0; count < 5; count++) await frames.next();
    expect(halts).toEqual([true, false]);
  });

  test("takes what came before the child ended, and then says so", async () => {
    const frames = new Frames(() => undefined);
    frames.push(frameKinds.fileBegin, Buffer.from('"1"'));
    frames.push(frameKinds.fileChunk, Buffer.from("x"));
    frames.fail(new Error("ended"));
    let taken = 0;
    const each = async ({ bytes }: { bytes: AsyncIterable<Uint8Array> }): Promise<void> => {
      for await (const piece of bytes) taken += piece.length;
    };
    await expect(handOver(frames, each)).rejects.toThrow("ended");
    expect(taken).toBe(1);
  });
});
