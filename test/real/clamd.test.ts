/** The scanner beside the real clamd of Debian (1.4), with signatures of our own: nothing is downloaded. */
import { mkdir, rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScanner, type ScannerOptions } from "../../src/blobs/scan.ts";
import type { Scanner } from "../../src/model/checking.ts";
import { makeHome, startDaemon } from "../process/daemon.ts";
import { leaks, losses, opener, type Shown, sent } from "../process/dangerous-road.ts";
import { eicar, letter, ooxml } from "../support/dangerous/bytes.ts";
import { sample } from "../support/dangerous/rows.ts";
import { dangerous } from "../support/dangerous/table.ts";
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
    expect(await scanner.signatures()).toBeUndefined();
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

/** What a tenant says who wants everything that the scanner lets pass. */
const trusting = {
  executables: "allow",
  macros: "allow",
  encrypted: "allow",
  archives_with_executables: "allow",
  archives_unlisted: "allow",
  mismatch: "allow",
  active_documents: "allow",
};

function zips(levels: number): Buffer {
  let inner = zip([{ name: "eicar.com", bytes: eicar }]);
  for (let level = 1; level < levels; level++) inner = zip([{ name: "inner.zip", bytes: inner }]);
  return inner;
}

describe.skipIf(!present)("a daemon beside clamd", () => {
  test("serves no file of the table and every twin; where all is allowed, clamd alone holds EICAR back", async () => {
    const clamd = await startClamd({ version: 101, contents: { "Test.EICAR": eicar } }, "40M");
    const crm = { id: "crm", type: "local" };
    const home = await makeHome([crm], {
      http: { host: "127.0.0.1", port: 0, public_url: "http://mail.example.com", trusted_proxies: ["127.0.0.1"] },
      // As clamd itself has them, where its configuration says nothing.
      clamd: { ...clamd.at, max_recursion: 17 },
      tenants: [
        { id: "acme", recipients: ["*@in.test"], destinations: [crm] },
        { id: "bold", recipients: ["*@bold.test"], destinations: [crm], attachments: trusting },
      ],
    });
    const daemon = await startDaemon(home);
    try {
      const rows = dangerous();
      const all = rows.flatMap(({ what, file, twin }) => [
        { what, sample: file },
        { what: `the twin of ${what}`, sample: twin },
      ]);
      const viruses = [
        { what: "bare", sample: sample("eicar.com", eicar) },
        { what: "in a zip", sample: sample("a.zip", zip([{ name: "e", bytes: eicar }])) },
        { what: "30 deep", sample: sample("a.zip", zips(30)) },
        { what: "in a document", sample: sample("letter.docx", ooxml({ "word/media/image1.bin": eicar })) },
        { what: "a letter", sample: sample("letter.txt", letter) },
      ];
      const shown = await sent(home, daemon, "deals@in.test", all);
      const bold = await sent(home, daemon, "deals@bold.test", viruses);
      const open = opener(daemon);
      const look = async (files: readonly Shown[], how: typeof leaks): Promise<string[]> => {
        const wrong: string[] = [];
        for (const file of files) wrong.push(...(await how(file, open())));
        return wrong;
      };
      expect(await look([...shown.filter((_, at) => at % 2 === 0), ...bold.slice(0, 4)], leaks)).toEqual([]);
      expect(await look([...shown.filter((_, at) => at % 2 === 1), ...bold.slice(4)], losses)).toEqual([]);
    } finally {
      await daemon.kill("SIGTERM");
      await home.remove();
      await clamd.stop();
    }
  });
});
