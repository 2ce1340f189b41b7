/** A mailbox under test: the source, a real ledger in memory with the real intake before it, a server that does as it is told, and time in the hand. */
// The source loads it when it connects; on a busy machine that takes longer than the rig lets its clock stand.
import "imapflow";
import { onTestFinished } from "vitest";
import type { EventRow } from "../../../src/model/ledger.ts";
import type { Intake } from "../../../src/model/source.ts";
import { openIntake } from "../../../src/pipeline/accept.ts";
import { type ImapSettings, imapSettings } from "../../../src/sources/imap/settings.ts";
import { type RunningImap, startImap } from "../../../src/sources/imap.ts";
import { openLedger, type SqliteLedger } from "../../../src/store/index.ts";
import { memoryTokens } from "../../support/tokens.ts";
import { KeptLog, KeptMetrics, ManualClock, settle } from "../fakes.ts";
import { ImapServer } from "./server.ts";

export interface Rig {
  readonly server: ImapServer;
  readonly clock: ManualClock;
  readonly log: KeptLog;
  readonly metrics: KeptMetrics;
  readonly ledger: SqliteLedger;
  readonly intake: Intake;
  /** Raw bytes by event, as they were accepted. */
  readonly bytes: Map<string, Buffer>;
  start(settings?: Partial<ImapSettings>): RunningImap;
  /** Lets sockets and clock go on until it holds; fails when it does not after so much time of the clock. */
  until(what: string, holds: () => boolean | Promise<boolean>, ms?: number): Promise<void>;
  rows(): Promise<readonly EventRow[]>;
  subjects(): string[];
  /** As `start` takes them. */
  settings(changes?: Partial<ImapSettings>): ImapSettings;
}

export const mail = (name: string, body = `This is ${name}.`): string =>
  `From: Ana <ana@client.test>\r\nTo: sales@acme.test\r\nSubject: ${name}\r\nMessage-ID: <${name}@client.test>\r\nDate: Thu, 1 Jan 2026 10:00:00 +0000\r\n\r\n${body}\r\n`;

const maxBytes = 2 * 1024 * 1024;

/** `finished`: of the test, where several run side by side. */
export async function rig(finished: (end: () => Promise<void>) => void = onTestFinished): Promise<Rig> {
  const server = await new ImapServer().listen();
  server.folder("INBOX", "\\Inbox");
  const clock = new ManualClock();
  const log = new KeptLog();
  const metrics = new KeptMetrics();
  const ledger = await openLedger({ path: ":memory:", thread: "calling" });
  const bytes = new Map<string, Buffer>();
  const intake = intakeOn(ledger, clock, log, metrics, bytes);
  const running: RunningImap[] = [];
  finished(async () => {
    const stopped = Promise.all(running.map((one) => one.stop(1_000)));
    for (let turn = 0; turn < 20; turn++) await settle(5);
    await clock.advance(5_000);
    await stopped;
    await server.close();
    await ledger.close();
  });
  let number = 0;
  const random = { unit: () => 0.5, uuid: () => `event-${++number}` };
  const self: Rig = {
    server,
    clock,
    log,
    metrics,
    ledger,
    intake,
    bytes,
    settings: (changes = {}) =>
      imapSettings.parse({
        id: "sales",
        host: "127.0.0.1",
        port: server.port,
        tls: "none",
        user: "sales@acme.test",
        password: "secret",
        folders: ["INBOX"],
        command_seconds: 900,
        ...changes,
      }),
    start(changes = {}) {
      const settings = self.settings(changes);
      const imap = startImap([{ tenant: "acme", settings }], intake, {
        clock,
        random,
        log,
        metrics,
        ledger,
        tokens: memoryTokens(),
      });
      running.push(imap);
      return imap;
    },
    async until(what, holds, ms = 120_000) {
      const end = clock.now() + ms;
      let seen = -1;
      for (let idle = 0; ; idle++) {
        await settle(6);
        if (await holds()) return;
        if (clock.now() > end)
          throw new Error(`not after ${ms} ms: ${what}; said: ${server.commands.slice(-12).join(" | ")}`);
        // Time goes on only where nothing moves.
        if (server.activity !== seen) idle = 0;
        seen = server.activity;
        if (idle < 16) continue;
        idle = 0;
        await clock.advance(Math.max(1, (clock.next ?? clock.now()) - clock.now()));
      }
    },
    rows: () => ledger.find({ limit: 1_000 }),
    subjects: () =>
      [...bytes.values()].map((raw) => /^Subject: (.*)\r$/m.exec(raw.toString("latin1"))?.[1] ?? "?").sort(),
  };
  return self;
}

function intakeOn(
  ledger: SqliteLedger,
  clock: ManualClock,
  log: KeptLog,
  metrics: KeptMetrics,
  bytes: Map<string, Buffer>,
): Intake {
  let number = 0;
  const kept = new Map<string, Buffer>();
  // Spool files of this test, in memory.
  const spool = {
    async create() {
      const parts: Uint8Array[] = [];
      return {
        write: async (part: Uint8Array) => void parts.push(Buffer.from(part)),
        async commit() {
          const name = `spool-${++number}`;
          kept.set(name, Buffer.concat(parts));
          return { name, sha256: name, size: 0 };
        },
        discard: async () => undefined,
      };
    },
    link: async (name: string) => name,
    remove: async (name: string) => void kept.delete(name),
  };
  const watched = {
    probe: (ms: number) => ledger.probe(ms),
    stats: (now: number) => ledger.stats(now),
    async accept(items: Parameters<SqliteLedger["accept"]>[0]) {
      const answers = await ledger.accept(items);
      for (const [index, { outcome, eventId }] of answers.entries()) {
        const raw = items[index]?.raw;
        if (raw === undefined || (outcome !== "new" && outcome !== "conflict")) continue;
        bytes.set(eventId, raw.kind === "inline" ? Buffer.from(raw.sealed) : (kept.get(raw.name) ?? Buffer.alloc(0)));
      }
      return answers;
    },
  };
  return openIntake(
    { maxBytes, inlineBytes: 64 * 1024, backlog: 1_000_000, diskReserve: () => 0 },
    {
      ledger: watched,
      spool: spool as never,
      sealer: { keyId: "k", seal: (plain: Uint8Array) => Uint8Array.from(plain) } as never,
      clock,
      random: { unit: () => 0.5, uuid: () => `mail-${++number}` },
      log,
      metrics,
      disk: async () => ({ freeBytes: 1e12, totalBytes: 1e12 }),
      wake: () => undefined,
    },
  );
}
