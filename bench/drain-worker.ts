/**
 * One process that takes a backlog in and drains it to a HubSpot account, limits lifted. Told what to do by its parent over IPC:
 * `fill` accepts mails into the ledger, `drain` starts the road and reports when everything is settled.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFiles, openHasher, openKeyRing, openSpool } from "../src/blobs/index.ts";
import { destinations } from "../src/destinations/index.ts";
import { compilePeople, noLists } from "../src/mail/people.ts";
import { openThreadTokens } from "../src/mail/thread-token.ts";
import { messagesPerParser } from "../src/main/daemon.ts";
import { tuneHeap } from "../src/main/heap.ts";
import { systemClock, systemRandom } from "../src/main/system.ts";
import { defaultMarks } from "../src/model/threads.ts";
import { openIntake } from "../src/pipeline/accept.ts";
import { openBucket } from "../src/pipeline/bucket.ts";
import { openParsePool } from "../src/pipeline/parsing.ts";
import { startRoad } from "../src/pipeline/road.ts";
import { openSenders, unverified } from "../src/pipeline/senders.ts";
import { openVerifier } from "../src/pipeline/verifying.ts";
import { smtp } from "../src/sources/smtp.ts";
import { openKeptTokens, openLedger, openLocalRecords } from "../src/store/index.ts";
import { openLog, openMetrics } from "../src/watch/index.ts";
import { openWire } from "../src/wire/http.ts";
import { startDnsServer } from "../test/support/dns-server.ts";
import { authZone, client, signedMails } from "./auth-mails.ts";
import { benchMails, type Mix } from "./mail.ts";

export type Order =
  | { readonly what: "fill"; readonly count: number; readonly senders: number; readonly run: string; readonly mix: Mix }
  | { readonly what: "listen" }
  | { readonly what: "drain" }
  /** Stops the road again; what is accepted afterwards waits. */
  | { readonly what: "halt" }
  /** Answer when this many deliveries have settled; with `more`, though the road has more to do. */
  | { readonly what: "settled"; readonly count: number; readonly more?: boolean }
  | { readonly what: "stop" };

/** `verify`: the senders are verified, and the mails are really signed. Each name is asked for once, of a server in this process. */
const [, , url, how] = process.argv;
if (url === undefined) throw new Error("usage: drain-worker URL [verify]");
const dns = how === "verify" ? await startDnsServer(authZone()) : undefined;
tuneHeap();
const dir = mkdtempSync(join(tmpdir(), "mailwright-drain-"));
const log = openLog({ level: "error" });
const metrics = openMetrics();
const sealer = openKeyRing({ key: "00".repeat(32) });
const hasher = openHasher("00".repeat(32));
const threadTokens = openThreadTokens(Buffer.alloc(32));
const ledger = await openLedger({ path: join(dir, "ledger.sqlite"), thread: "worker", log });
const spool = await openSpool(join(dir, "spool"), sealer);
const blobs = await openFiles(join(dir, "blobs"));
const records = openLocalRecords(join(dir, "crm.sqlite"));
const clock = systemClock;
const random = systemRandom;
const base = { ledger, sealer, hasher, threadTokens, spool, blobs, clock, random, log, metrics };

const hubspot = destinations.find(({ name }) => name === "hubspot")?.bind({ base_url: url, token: "pat-bench" });
if (hubspot?.reach === undefined) throw new Error("no hubspot destination");
const { facts, reach } = hubspot;
const wire = openWire({ baseUrl: reach.baseUrl, headers: reach.headers, vendor: "hubspot", clock, metrics });
const tokens = openKeptTokens({ rows: ledger, sealer, log, holder: "bench" });
const ports = { tenant: "bench", lane: "bench/crm", wire, wireTo: () => wire, tokens, clock, log, metrics, records };
const session = hubspot.open(ports);
const lane = {
  lane: "bench/crm",
  tenant: "bench",
  destination: "crm",
  facts: { ...facts, width: 64 },
  firstRetryMs: 1_000,
  retryWindowMs: 3_600_000,
};
const parsers = 2;
const pool = await openParsePool({ children: parsers, log, metrics });
const verifier = openVerifier({
  entry: new URL("../src/main/verify-thread.ts", import.meta.url),
  data: { dns: { servers: dns === undefined ? [] : [dns.address], timeoutMs: 5_000 } },
  log,
  metrics,
});
const senders = dns === undefined ? unverified : openSenders([], "mx.in.test", verifier);
const startDraining = () =>
  startRoad(
    [
      {
        tenant: "bench",
        mapping: { createContact: "unverified", internal: "skip", disposableContacts: "hold" },
        people: compilePeople(noLists, () => false),
        threads: defaultMarks,
        arcSealers: [],
        lanes: [lane.lane],
      },
    ],
    [{ settings: lane, session, bucket: openBucket([], clock) }],
    parsers * messagesPerParser,
    { ...base, pool, senders },
  );
let road: ReturnType<typeof startDraining> | undefined;

const intake = openIntake(
  { maxBytes: 50_000_000, inlineBytes: 65_536, backlog: 100_000_000, diskReserve: () => 0 },
  { ...base, disk: async () => ({ freeBytes: 1e12, totalBytes: 1e12 }), wake: () => road?.wake() },
);

async function fill(count: number, senders: number, run: string, mix: Mix): Promise<void> {
  let waiting: Promise<unknown>[] = [];
  const mails = benchMails(count, senders, run, mix);
  for (const { from, data } of dns === undefined ? mails : signedMails(mails)) {
    const smtpFacts = { remote_ip: client, helo: "bench", tls: null, mail_from: from, rcpt_to: ["sales@in.test"] };
    const envelope = {
      kind: "smtp",
      tenant: "bench",
      routes: ["sales@in.test"],
      received_at: clock.now(),
      smtp: smtpFacts,
    } as const;
    waiting.push(intake.accept(oneChunk(data), [{ ...envelope, routes: [...envelope.routes] }]));
    if (waiting.length >= 500) {
      await Promise.all(waiting);
      waiting = [];
    }
  }
  await Promise.all(waiting);
}

async function* oneChunk(data: Uint8Array): AsyncIterable<Uint8Array> {
  yield data;
}

async function listen(): Promise<number | undefined> {
  const settings = smtp.settings.parse({
    host: "127.0.0.1",
    port: 0,
    limits: { connections_per_ip: 0, connection_rate_per_minute: 0, commands: 100_000_000 },
  });
  const source = await smtp.start(settings, intake, {
    clock,
    log,
    metrics,
    route: () => ({ kind: "accepted", tenant: "bench" }),
  });
  return source.address?.port;
}

/** Answers with the most memory that was seen meanwhile: the peak of the process would be that of whatever filled the ledger. */
async function settled(count: number, more: boolean): Promise<number> {
  let most = 0;
  for (;;) {
    if (!more) await road?.settled();
    most = Math.max(most, process.memoryUsage.rss());
    const { deliveries } = await ledger.stats(clock.now());
    if (deliveries.processed + deliveries.failed + deliveries.skipped + deliveries.held >= count) return most;
    await clock.sleep(20);
  }
}

async function obey(order: Order): Promise<unknown> {
  switch (order.what) {
    case "fill":
      await fill(order.count, order.senders, order.run, order.mix);
      return { rssBytes: process.memoryUsage.rss() };
    case "listen":
      return { port: await listen() };
    case "drain":
      road = startDraining();
      return {};
    case "settled":
      return {
        rssBytes: await settled(order.count, order.more === true),
        stats: await ledger.stats(clock.now()),
        peakRssKiB: process.resourceUsage().maxRSS,
        cpu: process.cpuUsage(),
      };
    case "halt":
      await road?.stop(60_000);
      road = undefined;
      return {};
    case "stop":
      await road?.stop(5_000);
      await verifier.close();
      await dns?.close();
      await pool.close();
      await wire.close();
      records.close();
      await ledger.close();
      rmSync(dir, { recursive: true, force: true });
      return {};
    default:
      return order satisfies never;
  }
}

// Also where the bench was stopped: its SMTP listener would keep this process for ever.
process.on("disconnect", () => process.exit(0));
process.on("message", (order: Order) => {
  void obey(order).then((answer) => {
    process.send?.(answer);
    if (order.what === "stop") process.disconnect();
  });
});
process.send?.({ ready: true });
