/**
 * What a durable accept costs the ledger: messages a second and the caller's waiting time, on the calling thread and through the worker, for
 * one connection and for many. `node bench/ledger.ts [accept|claim|start] [messages]`; `claim` and `start` fill a ledger first.
 */
import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NewMessage, Prepared } from "../src/model/ledger.ts";
import { openLedger, type SqliteLedger } from "../src/store/index.ts";

const what = process.argv[2] ?? "accept";
const messages = Number(process.argv[3] ?? (what === "accept" ? 20_000 : 1_000_000));
const print = (line: string) => process.stdout.write(`${line}\n`);

function message(n: number, bytes: number): NewMessage {
  const digest = n.toString(16).padStart(64, "0");
  return {
    eventId: `0190a000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`,
    tenant: `tenant-${n % 4}`,
    messageId: `<${n}.bench@mail.example.com>`,
    digest,
    receivedAt: 1_700_000_000_000 + n,
    envelope: {
      kind: "smtp",
      tenant: `tenant-${n % 4}`,
      routes: ["deals@in.example.com"],
      received_at: 1_700_000_000_000 + n,
      smtp: {
        remote_ip: "192.0.2.7",
        helo: "mx.example.net",
        tls: null,
        mail_from: "a@example.net",
        rcpt_to: ["deals@in.example.com"],
      },
    },
    rawSha256: digest,
    rawSize: bytes,
    raw: { kind: "inline", sealed: new Uint8Array(bytes).fill(n % 251) },
  };
}

async function withLedger<T>(
  thread: "calling" | "worker",
  work: (ledger: SqliteLedger, path: string) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), "mailwright-ledger-bench-"));
  try {
    const path = join(dir, "ledger.sqlite");
    const ledger = await openLedger({ path, thread });
    try {
      return await work(ledger, path);
    } finally {
      await ledger.close();
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

interface Load {
  readonly perSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Longest time the calling thread was not free for anything else. */
  readonly blockedMs: number;
}

/** `connections` senders, each waiting for its answer before it sends the next. */
async function accepts(ledger: SqliteLedger, connections: number, count: number, bytes: number): Promise<Load> {
  const waits: number[] = [];
  let next = 0;
  let blockedMs = 0;
  let beat = performance.now();
  const heart = setInterval(() => {
    const now = performance.now();
    blockedMs = Math.max(blockedMs, now - beat);
    beat = now;
  }, 1);
  const sender = async () => {
    while (next < count) {
      const item = message(next++, bytes);
      // A turn of the loop, as a socket would need one.
      await new Promise((resolve) => setImmediate(resolve));
      const began = performance.now();
      await ledger.accept([item]);
      waits.push(performance.now() - began);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: connections }, sender));
  const seconds = (performance.now() - began) / 1000;
  clearInterval(heart);
  waits.sort((a, b) => a - b);
  const at = (share: number) => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? 0;
  return { perSecond: count / seconds, medianMs: at(0.5), p99Ms: at(0.99), blockedMs };
}

async function benchAccept(): Promise<void> {
  for (const bytes of [4_096, 65_536]) {
    for (const connections of [1, 10, 50, 200]) {
      const count = Math.ceil((connections === 1 ? messages / 4 : messages) / (bytes > 4_096 ? 8 : 1));
      // Interleaved, so that both meet the same neighbours.
      const runs: Record<"calling" | "worker", Load[]> = { calling: [], worker: [] };
      for (let round = 0; round < 3; round++) {
        for (const thread of ["calling", "worker"] as const) {
          runs[thread].push(await withLedger(thread, (ledger) => accepts(ledger, connections, count, bytes)));
        }
      }
      for (const thread of ["calling", "worker"] as const) {
        const best = runs[thread].toSorted((a, b) => b.perSecond - a.perSecond)[1];
        if (best === undefined) continue;
        print(
          `${bytes} B, c=${String(connections).padStart(3)}, ${thread.padEnd(7)}: ${best.perSecond.toFixed(0).padStart(6)}/s, ` +
            `median ${best.medianMs.toFixed(2)} ms, p99 ${best.p99Ms.toFixed(2)} ms, caller blocked ${best.blockedMs.toFixed(1)} ms at most`,
        );
      }
    }
  }
}

const now = 1_800_000_000_000;

/** Messages that all wait for one lane, in one thread or each in its own. */
async function fill(ledger: SqliteLedger, count: number, threads: "one" | "each"): Promise<void> {
  const chunk = 2_000;
  for (let from = 0; from < count; from += chunk) {
    const items = Array.from({ length: Math.min(chunk, count - from) }, (_, n) => ({
      ...message(from + n, 100),
      tenant: "acme",
    }));
    await ledger.accept(items);
    const attempts = await ledger.attempt({ tenants: ["acme"], room: chunk, now, leaseMs: 60_000 });
    const prepared = attempts.map(
      ({ eventId, lease }): Prepared => ({
        eventId,
        lease,
        now,
        sealedEvent: new Uint8Array(400),
        schemaVersion: 1,
        mappingVersion: 1,
        parseStatus: "ok",
        threadKey: threads === "one" ? "one" : eventId,
        deliveries: [
          {
            lane: "acme/crm",
            decision: {
              kind: "steps",
              rule: "inbound",
              sealedSteps: new Uint8Array(400),
              steps: [
                { kind: "person", key: `p${eventId}`, why: "sender" },
                { kind: "activity", key: `a${eventId}`, why: "mail" },
              ],
            },
          },
        ],
      }),
    );
    await ledger.prepare(prepared);
  }
}

async function timed<T>(label: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  print(`${label}: ${(performance.now() - began).toFixed(2)} ms`);
  return result;
}

async function settleSome(ledger: SqliteLedger, rounds: number): Promise<number> {
  let settled = 0;
  for (let round = 0; round < rounds; round++) {
    const { claims } = await ledger.claim({ lane: "acme/crm", room: 20, now, leaseMs: 60_000 });
    settled += claims.length;
    await Promise.all(
      claims.map((claim) =>
        ledger.settle({
          claim,
          at: now,
          settlement: { state: "processed" },
          steps: claim.steps.map(({ id }) => ({
            step: id,
            state: "confirmed",
            at: now,
            ref: `r${id}`,
            adopted: false,
          })),
        }),
      ),
    );
  }
  return settled;
}

async function benchClaim(): Promise<void> {
  for (const threads of ["each", "one"] as const) {
    await withLedger("worker", async (ledger, path) => {
      const began = performance.now();
      await fill(ledger, messages, threads);
      const seconds = (performance.now() - began) / 1000;
      print(
        `\n${messages} pending, ${threads === "one" ? "one thread" : "a thread each"}: filled in ${seconds.toFixed(1)} s`,
      );
      print(
        `resident ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB, volume free ${(statfsSync(path).bavail / 2 ** 20).toFixed(0)} Mi blocks`,
      );
      const rounds = threads === "one" ? 1_000 : 200;
      const settled = await timed(`${rounds} rounds of claim(20) and settle`, () => settleSome(ledger, rounds));
      print(`settled ${settled}`);
      await timed("stats", () => ledger.stats(now));
      await timed("lanes", () => ledger.lanes());
      await timed("find the newest 20", () => ledger.find({ limit: 20 }));
      await timed("find 20 pending", () => ledger.find({ limit: 20, state: "pending" }));
      await timed("deadLetters", () => ledger.deadLetters({ limit: 20 }));
      await timed("archivable(64)", () => ledger.archivable(64));
      await ledger.close();
      const again = await timed("open with quick_check", () => openLedger({ path, thread: "worker" }));
      await timed("reclaim", () => again.reclaim(now));
      await again.close();
    });
  }
}

if (what === "accept") await benchAccept();
else await benchClaim();
