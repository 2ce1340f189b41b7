import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { mkdir, open, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Home, makeHome, startDaemon } from "../process/daemon.ts";
import type { Verdict } from "../process/verdict.ts";
import { openLoad, settle } from "./load.ts";
import { canMount, canTrace, hasTool, libfaketime } from "./tools.ts";

const local = [{ id: "crm", type: "local" }];
const wellKept = { lost: [], doubled: [], mangled: [], phantom: [] };
const faultsOf = ({ lost, doubled, mangled, phantom }: Verdict) => ({ lost, doubled, mangled, phantom });

/** Our own trouble is never the sender's: 2xx when it is durable, 4xx otherwise, nothing else (Haraka answered 5xx to a full disk, and mail bounced). */
function expectNoBounce(replies: readonly string[]): void {
  expect(replies.filter((reply) => reply !== "none" && !/^[24]/.test(reply))).toEqual([]);
}

async function withHome(more: Record<string, unknown>, work: (home: Home) => Promise<void>): Promise<void> {
  const home = await makeHome(local, more);
  try {
    await work(home);
  } finally {
    await home.remove();
  }
}

describe("a full disk", () => {
  test.skipIf(!hasTool("prlimit"))("a file size limit makes senders wait, and nothing is lost or doubled", async () => {
    await withHome({}, async (home) => {
      const load = openLoad("fsize", 20_000);
      const daemon = await startDaemon(home, { under: ["prlimit", "--fsize=2000000"] });
      await load.send(daemon.smtpPort, 200);
      expect(daemon.process.exitCode).toBeNull();
      await daemon.kill("SIGKILL");
      expectNoBounce(load.replies);
      expect(load.replies.some((reply) => reply.startsWith("4"))).toBe(true);
      expect(faultsOf(await settle(home, load))).toEqual(wellKept);
    });
  });

  test.skipIf(!canMount())(
    "ten times full and free again: 4xx while full, 250 after, and every mail once",
    async () => {
      await withHome({}, async (home) => {
        await mkdir(home.dataDir);
        execFileSync("mount", ["-t", "tmpfs", "-o", "size=400m,mode=0700", "tmpfs", home.dataDir]);
        try {
          const load = openLoad("tmpfs", 90_000);
          const daemon = await startDaemon(home);
          const filler = join(home.dataDir, "filler");
          for (let round = 0; round < 10; round++) {
            await load.send(daemon.smtpPort, 10);
            fill(filler);
            const whileFull = await load.send(daemon.smtpPort, 10);
            expect(whileFull.some(({ kind }) => kind === "refused")).toBe(true);
            await rm(filler);
            await load.resend(daemon.smtpPort);
          }
          expect(daemon.process.exitCode).toBeNull();
          expectNoBounce(load.replies);
          expect(faultsOf(await settle(home, load, daemon))).toEqual(wellKept);
        } finally {
          execFileSync("umount", ["-l", home.dataDir]);
        }
      });
    },
  );

  test.skipIf(!canMount())("below the reserve mail is put off at MAIL already, with 452 4.3.1", async () => {
    await withHome({ limits: { disk_reserve_bytes: "20MiB", disk_reserve_percent: 0 } }, async (home) => {
      await mkdir(home.dataDir);
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs", home.dataDir]);
      try {
        const daemon = await startDaemon(home);
        const load = openLoad("reserve");
        const [outcome] = await load.send(daemon.smtpPort, 1);
        expect(outcome).toMatchObject({ kind: "refused", reply: expect.stringMatching(/^452[ -]4\.3\.1/) });
        await daemon.kill("SIGTERM");
      } finally {
        execFileSync("umount", ["-l", home.dataDir]);
      }
    });
  });
});

/** Writes until the volume has not a byte left. */
function fill(file: string): void {
  try {
    writeFileSync(file, Buffer.alloc(420 * 1024 * 1024));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  }
}

describe("a disk that fails", () => {
  const inject = (what: string) => [
    "strace",
    "-f",
    "-o",
    "/dev/null",
    "-e",
    "trace=fsync,fdatasync",
    "-e",
    `inject=fsync,fdatasync:${what}`,
  ];

  test.skipIf(!canTrace()).each([
    ["once", "error=EIO:when=60"],
    ["in bursts", "error=EIO:when=60+7"],
    ["for ever", "error=EIO:when=60+"],
  ])(
    "fsync answers EIO %s: 451 or an honest stop, and every mail once after the disk is sound",
    async (_how, fault) => {
      await withHome({}, async (home) => {
        const load = openLoad("eio", 3_000);
        const daemon = await startDaemon(home, { under: inject(fault) });
        await load.send(daemon.smtpPort, 80);
        await daemon.kill("SIGKILL");
        expectNoBounce(load.replies);
        expect(faultsOf(await settle(home, load))).toEqual(wellKept);
      });
    },
  );

  // MAILWRIGHT_FSYNCS=20,33,47,58,71,90,110,140 is the long form.
  const fsyncs = (process.env.MAILWRIGHT_FSYNCS ?? "20,47,71,110").split(",").map(Number);
  test.skipIf(!canTrace()).each(fsyncs)("killed at fsync number %i, nothing acknowledged is lost", async (number) => {
    await withHome({}, async (home) => {
      const load = openLoad(`kill${number}`, 90_000);
      const daemon = await startDaemon(home, { under: inject(`signal=KILL:when=${number}`) }).catch(() => undefined);
      if (daemon !== undefined) {
        await load.send(daemon.smtpPort, 60, 4);
        await daemon.kill("SIGKILL");
      }
      expectNoBounce(load.replies);
      expect(faultsOf(await settle(home, load))).toEqual(wellKept);
    });
  });

  test.skipIf(!canTrace())(
    "a disk that takes 100 ms for an fsync: mail is taken and delivered all the same, once",
    async () => {
      await withHome({}, async (home) => {
        const load = openLoad("slow");
        const daemon = await startDaemon(home, { under: inject("delay_enter=100000") });
        await load.send(daemon.smtpPort, 30, 30);
        expect(load.sent.filter(({ acknowledged }) => acknowledged)).toHaveLength(30);
        expect(faultsOf(await settle(home, load, daemon))).toEqual(wellKept);
      });
    },
  );
});

const faketime = libfaketime();

describe("a clock that jumps", () => {
  test.skipIf(faketime === undefined).each(["-10d", "+10d", "+1825d"])(
    "by %s while mail comes in: nothing is stuck, lost or doubled",
    async (jump) => {
      await withHome({}, async (home) => {
        const clock = join(home.dir, "clock");
        await writeFile(clock, "+0\n");
        const env = {
          FAKETIME_TIMESTAMP_FILE: clock,
          FAKETIME_NO_CACHE: "1",
          DONT_FAKE_MONOTONIC: "1",
          LD_PRELOAD: faketime,
        };
        const load = openLoad("clock");
        const daemon = await startDaemon(home, { env });
        await load.send(daemon.smtpPort, 20);
        await writeFile(clock, `${jump}\n`);
        await load.send(daemon.smtpPort, 20);
        await writeFile(clock, "+0\n");
        await load.send(daemon.smtpPort, 20);
        expect(load.sent.filter(({ acknowledged }) => !acknowledged)).toEqual([]);
        expect(faultsOf(await settle(home, load, daemon))).toEqual(wellKept);
      });
    },
  );
});

describe("a process that is held", () => {
  test("SIGSTOP for five seconds under load: it goes on, and every mail is there once", async () => {
    await withHome({}, async (home) => {
      const load = openLoad("stop");
      const daemon = await startDaemon(home);
      const sending = load.send(daemon.smtpPort, 150);
      daemon.process.kill("SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      daemon.process.kill("SIGCONT");
      await sending;
      expect(faultsOf(await settle(home, load, daemon))).toEqual(wellKept);
    });
  });

  test("SIGTERM under load: it ends by itself within ten seconds, and nothing acknowledged is lost", async () => {
    await withHome({}, async (home) => {
      const load = openLoad("term");
      const daemon = await startDaemon(home);
      const sending = load.send(daemon.smtpPort, 300, 16);
      const from = Date.now();
      const code = await daemon.kill("SIGTERM");
      expect(code).toBe(0);
      expect(Date.now() - from).toBeLessThan(11_000);
      await sending;
      expect(faultsOf(await settle(home, load))).toEqual(wellKept);
    });
  });

  test("a second daemon on the same data folder refuses to start and says why", async () => {
    await withHome({}, async (home) => {
      const daemon = await startDaemon(home);
      await expect(startDaemon(home)).rejects.toThrow(/already|another/i);
      await daemon.kill("SIGTERM");
    });
  });
});

describe("a damaged ledger", () => {
  test("is refused at start with what is wrong and what to do, and is never replaced by an empty one", async () => {
    await withHome({}, async (home) => {
      const load = openLoad("damage", 8_000);
      const daemon = await startDaemon(home);
      await load.send(daemon.smtpPort, 60);
      await daemon.kill("SIGTERM");
      const ledger = join(home.dataDir, "ledger.sqlite");
      const handle = await open(ledger, "r+");
      const { size } = await handle.stat();
      for (let at = 4096 * 3; at + 4096 <= size; at += 4096 * 5)
        await handle.write(Buffer.alloc(4096, 0xa5), 0, 4096, at);
      await handle.close();
      await expect(startDaemon(home)).rejects.toThrow(/recover/);
      await expect(startDaemon(home)).rejects.toThrow(/ledger\.sqlite/);
    });
  });
});
