/** The scanner beside the real clamd of Debian (1.4), with signatures of our own: nothing is downloaded. */
import { mkdir, rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScanner, type ScannerOptions } from "../../src/blobs/scan.ts";
import type { Scanner } from "../../src/model/checking.ts";
import { eicar, letter } from "../support/dangerous/bytes.ts";
import { zip } from "../support/dangerous/zip.ts";
import { type Clamd, startClamd } from "./clamd.ts";
import { hasTool } from "./tools.ts";

const clock = { now: () => 1_000, sleep: async () => undefined };
const present = hasTool("clamd");

describe.skipIf(!present)("beside clamd", () => {
  let clamd: Clamd;
  let scanner: Scanner;
  const open = (options: Partial<ScannerOptions> = {}): Scanner =>
    openScanner({ at: clamd.at, timeoutMs: 30_000, connections: 4, clock, ...options });

  beforeAll(async () => {
    clamd = await startClamd({ version: 101, contents: { "Test.EICAR": eicar } });
    scanner = open();
  });
  afterAll(async () => {
    await scanner?.close();
    await clamd?.stop();
  });

  async function* bytesOf(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
    yield* pieces;
  }

  test("what is harmless is clean, what is not is infected, also within a zip", async () => {
    expect(await scanner.scan(bytesOf(letter))).toMatchObject({
      status: "clean",
      engine: "ClamAV 1.4.6",
      signatures: "101",
    });
    expect(await scanner.scan(bytesOf(eicar))).toMatchObject({
      status: "infected",
      detail: expect.stringMatching(/^Test\.EICAR/),
    });
    const bundle = zip([
      { name: "a.txt", bytes: letter },
      { name: "e", bytes: eicar },
    ]);
    expect((await scanner.scan(bytesOf(bundle.subarray(0, 40), bundle.subarray(40)))).status).toBe("infected");
    expect(await scanner.signatures()).toBe("101");
  });

  test("a unix socket does as well, and so does a file of no bytes", async () => {
    const local = open({ at: { socket: clamd.socket } });
    expect((await local.scan(bytesOf(eicar))).status).toBe("infected");
    expect((await local.scan(bytesOf())).status).toBe("clean");
  });

  test("many at once are each answered for what they are", async () => {
    const scans = await Promise.all(
      Array.from({ length: 20 }, (_, at) => scanner.scan(bytesOf(at % 2 === 0 ? eicar : letter))),
    );
    expect(scans.map(({ status }) => status)).toEqual(scans.map((_, at) => (at % 2 === 0 ? "infected" : "clean")));
  });

  test("more than its StreamMaxLength is no verdict", async () => {
    const scan = await scanner.scan(bytesOf(...Array.from({ length: 64 }, () => Buffer.alloc(65_536, 7))));
    expect(scan.status).toBe("unscanned");
    expect(scan.detail).toMatch(/size limit exceeded|closed the connection/);
  });

  test("a base with a new signature finds what the old one did not, and says that it is another", async () => {
    const sample = Buffer.from("nobody has seen this before, and now somebody has");
    expect(await scanner.scan(bytesOf(sample))).toMatchObject({ status: "clean", signatures: "101" });
    await clamd.learn({ version: 102, contents: { "Test.EICAR": eicar, "Test.New": sample } });
    await clamd.reload();
    expect(await scanner.signatures()).toBe("102");
    expect(await scanner.scan(bytesOf(sample))).toMatchObject({
      status: "infected",
      signatures: "102",
      detail: expect.stringMatching(/^Test\.New/),
    });
  });

  test("stopped in mid-scan it gives no verdict, and the same file is scanned when it goes on", async () => {
    const impatient = open({ timeoutMs: 500 });
    async function* stopping(): AsyncGenerator<Uint8Array> {
      yield letter;
      clamd.signal("SIGSTOP");
      yield letter;
    }
    expect(await impatient.scan(stopping())).toMatchObject({
      status: "unscanned",
      detail: "it did not answer in 0.5 s",
    });
    expect(await impatient.scan(bytesOf(letter))).toMatchObject({ status: "unscanned" });
    clamd.signal("SIGCONT");
    expect((await scanner.scan(bytesOf(letter, letter))).status).toBe("clean");
  });

  test("killed in mid-scan it gives no verdict; away, neither; started again, it does", async () => {
    async function* killing(): AsyncGenerator<Uint8Array> {
      yield eicar;
      clamd.signal("SIGKILL");
      await clamd.exited();
      yield letter;
    }
    expect((await scanner.scan(killing())).status).toBe("unscanned");
    expect(await scanner.scan(bytesOf(letter))).toMatchObject({
      status: "unscanned",
      detail: "it cannot be reached (ECONNREFUSED)",
    });
    expect(await scanner.signatures()).toBeNull();
    await clamd.start();
    expect((await scanner.scan(bytesOf(eicar))).status).toBe("infected");
  });

  test("a fault of its own in mid-scan is no verdict", async () => {
    // It has nowhere to keep what it is sent.
    await rm(clamd.temporary, { recursive: true });
    const scan = await scanner.scan(bytesOf(letter));
    expect(scan).toMatchObject({ status: "unscanned", detail: expect.stringMatching(/ERROR$|closed the connection/) });
    await mkdir(clamd.temporary);
    expect((await scanner.scan(bytesOf(letter))).status).toBe("clean");
  });
});
