import fc from "fast-check";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { openScanner, type ScannerOptions, versionOf } from "../../src/blobs/scan.ts";
import type { Scan } from "../../src/model/files.ts";
import { fakeClamd, type Told } from "../support/fake-clamd.ts";

const clock = { now: () => 1_000, sleep: async () => undefined };
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function beside(told: Told | (() => Told), options: Partial<ScannerOptions> = {}) {
  const clamd = await fakeClamd(told);
  const scanner = openScanner({ at: clamd.at, timeoutMs: 60_000, connections: 2, clock, ...options });
  stops.push(clamd.stop, () => scanner.close());
  return { clamd, scanner };
}

async function* bytesOf(...pieces: readonly (Uint8Array | string)[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

/** What never ends is ended by the limit, however fast the machine is. */
const soon = { timeoutMs: 50 };
const answered = async (told: Told, options: Partial<ScannerOptions> = {}): Promise<Scan> =>
  (await beside(told, options)).scanner.scan(bytesOf("hello", Buffer.alloc(200_000)));

describe("clamd's word", () => {
  test("OK over the whole file is clean, with who said so", async () => {
    expect(await answered({})).toEqual({
      status: "clean",
      engine: "ClamAV 1.4.6",
      signatures: "27500",
      at: 1_000,
      detail: null,
    });
  });

  test("FOUND is infected, with the name", async () => {
    expect(await answered({ verdict: () => "2: stream: Win.Test.EICAR_HDB-1 FOUND\0" })).toMatchObject({
      status: "infected",
      detail: "Win.Test.EICAR_HDB-1",
      signatures: "27500",
    });
  });

  const hopeless: readonly (readonly [what: string, told: Told, detail: RegExp, options?: Partial<ScannerOptions>])[] =
    [
      ["an ERROR", { verdict: () => "2: Can't allocate memory ERROR\0" }, /Can't allocate memory ERROR/],
      ["an OK of something else", { verdict: () => "2: stream: OK, mostly\0" }, /OK, mostly/],
      ["an OK without a number", { verdict: () => "stream: OK\0" }, /it answered: stream: OK/],
      ["an OK to another question", { verdict: () => "7: stream: OK\0" }, /it answered: 7/],
      [
        "an OK whose end does not come",
        { verdict: () => "2: stream: OK", onWhole: (socket) => void socket.end() },
        /closed the connection/,
      ],
      ["silence", { verdict: () => undefined }, /did not answer in 0.05 s/, soon],
      ["silence from the beginning", { version: undefined }, /did not answer/, soon],
      [
        "a connection closed without a word",
        { verdict: () => undefined, onWhole: (socket) => void socket.end() },
        /closed the connection/,
      ],
      ["a connection closed in mid-file", { onPiece: (socket) => void socket.destroy() }, /closed the connection/],
      [
        "a connection reset in mid-file",
        { onPiece: (socket) => void socket.resetAndDestroy() },
        /closed the connection/,
      ],
      ["noise without an end", { verdict: () => "x".repeat(10_000) }, /no answer/],
      ["noise with ends", { verdict: () => "\0\0\0" }, /it answered/],
      ["a version that is none", { version: "1: HTTP/1.1 400 Bad Request\0" }, /a version that is none/],
      ["a page", { version: "HTTP/1.1 400 Bad Request\r\n\r\n\0" }, /it answered: HTTP/],
      [
        "a limit in mid-file",
        {
          onPiece: (socket) => {
            socket.write("2: INSTREAM size limit exceeded. ERROR\0");
            socket.end();
          },
        },
        /INSTREAM size limit exceeded|closed the connection/,
      ],
    ];
  test.each(hopeless.map(([what, told, detail, options]) => ({ what, told, detail, options })))(
    "$what is no verdict",
    async ({ told, detail, options }) => {
      const scan = await answered(told, options);
      expect(scan).toMatchObject({ status: "unscanned", at: 1_000 });
      expect(scan.detail).toMatch(detail);
      expect(scan.detail).toMatch(/^[ -~]{1,200}$/);
    },
  );

  test("an OK before all was there is no verdict", async () => {
    let said = false;
    const { scanner } = await beside({
      onPiece: (socket) => {
        if (!said) socket.write("2: stream: OK\0");
        said = true;
      },
      verdict: () => undefined,
    });
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        yield Buffer.from("hello");
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    expect(await scanner.scan(endless())).toMatchObject({
      status: "unscanned",
      detail: "it answered before it had the whole file",
    });
  });

  test("nobody there is no verdict, and is asked again the next time", async () => {
    const { clamd, scanner } = await beside({});
    await clamd.stop();
    expect(await scanner.scan(bytesOf("x"))).toMatchObject({
      status: "unscanned",
      detail: "it cannot be reached (ECONNREFUSED)",
    });
    expect(await scanner.signatures()).toBeUndefined();
    const nowhere = openScanner({ at: { socket: "/nonexistent/clamd.ctl" }, timeoutMs: 1000, connections: 1, clock });
    expect(await nowhere.scan(bytesOf("x"))).toMatchObject({
      status: "unscanned",
      detail: "it cannot be reached (ENOENT)",
    });
  });

  test("a clamd that was started again is found at once", async () => {
    let broken = true;
    const { scanner } = await beside(() => (broken ? { onPiece: (socket) => void socket.destroy() } : {}));
    expect((await scanner.scan(bytesOf("x"))).status).toBe("unscanned");
    broken = false;
    expect((await scanner.scan(bytesOf("x"))).status).toBe("clean");
  });

  test("whatever it says, only that one answer is clean", async () => {
    let say = "";
    const { scanner } = await beside(() => ({ verdict: () => say, onWhole: (socket) => void socket.end() }));
    const likely = fc.constantFrom(
      "2: ",
      "1: ",
      "stream: ",
      "OK",
      "FOUND",
      " ",
      "\0",
      "x",
      "stream: OK",
      "ERROR",
      "\n",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(likely, { maxLength: 6 }), async (words) => {
        say = words.join("");
        const { status } = await scanner.scan(bytesOf("x"));
        if (status === "clean") expect(say.startsWith("2: stream: OK\0")).toBe(true);
        if (status === "infected") expect(say).toMatch(/^2: stream: [^\0]+ FOUND\0/);
      }),
      { numRuns: 100 },
    );
  });
});

describe("what clamd is given", () => {
  test("is all bytes in their order, whatever the pieces are", async () => {
    const { clamd, scanner } = await beside({});
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 20 }),
        fc.integer({ min: 0, max: 200_000 }),
        async (pieces, more) => {
          const all = [...pieces, Buffer.alloc(more, 7)];
          expect((await scanner.scan(bytesOf(...all))).status).toBe("clean");
          expect(clamd.streams.pop()?.equals(Buffer.concat(all))).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });

  test("comes over as many connections as are allowed and no more", async () => {
    const { clamd, scanner } = await beside({}, { connections: 3 });
    const scans = await Promise.all(Array.from({ length: 12 }, () => scanner.scan(bytesOf(Buffer.alloc(300_000)))));
    expect(scans.every(({ status }) => status === "clean")).toBe(true);
    // One may be on its way out while the next comes in.
    expect(clamd.most()).toBeLessThanOrEqual(6);
  });

  test("is not counted as scanned where it could not be read", async () => {
    const { clamd, scanner } = await beside({});
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("hello");
      throw new Error("the bucket is gone");
    }
    await expect(scanner.scan(broken())).rejects.toThrow("the bucket is gone");
    expect(clamd.streams).toEqual([]);
  });

  test("may come slowly: only the time that clamd takes is limited", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    async function* slow(): AsyncGenerator<Uint8Array> {
      for (let count = 0; count < 5; count++) {
        vi.advanceTimersByTime(3_600_000);
        yield Buffer.from("x");
      }
    }
    let heard = (): void => undefined;
    const whole = new Promise<void>((resolve) => {
      heard = resolve;
    });
    let silent = false;
    const { scanner } = await beside(() => (silent ? { verdict: () => undefined, onWhole: () => heard() } : {}));
    expect((await scanner.scan(slow())).status).toBe("clean");
    silent = true;
    const scan = scanner.scan(slow());
    await whole;
    vi.advanceTimersByTime(60_000);
    expect(await scan).toMatchObject({ status: "unscanned", detail: "it did not answer in 60 s" });
  });

  test("is not waited for when the daemon stops", async () => {
    const { scanner } = await beside({ verdict: () => undefined }, { connections: 1 });
    const scans = [scanner.scan(bytesOf("x")), scanner.scan(bytesOf("y"))];
    await scanner.close();
    for (const scan of await Promise.all(scans))
      expect(scan).toMatchObject({ status: "unscanned", detail: expect.stringMatching(/the daemon stops/) });
  });
});

test.each([
  ["ClamAV 1.4.6/27500/Sat Nov 28 09:00:00 2026", { engine: "ClamAV 1.4.6", signatures: "27500" }],
  ["ClamAV 1.4.6", { engine: "ClamAV 1.4.6", signatures: null }],
  ["ClamAV 1.5.0-rc/1/Mon Jan  1 00:00:00 2026", { engine: "ClamAV 1.5.0-rc", signatures: "1" }],
  ["", undefined],
  ["ClamAV", undefined],
  ["UNKNOWN COMMAND", undefined],
  ["ClamAV 1.4.6/27500/<script>", undefined],
])("the version %j", (answer, version) => expect(versionOf(answer)).toEqual(version));
