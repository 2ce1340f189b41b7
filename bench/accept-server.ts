/**
 * The SMTP edge alone, in a process of its own: source, intake and ledger, without the road behind them. `discard` keeps nothing; `bare` keeps small
 * mails in a bare ledger, which is the least that durability can cost.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKeyRing, openThreadedSpool } from "../src/blobs/index.ts";
import { diskOf, systemClock, systemRandom } from "../src/main/system.ts";
import type { Accepted, Ledger, NewMessage } from "../src/model/ledger.ts";
import { openIntake } from "../src/pipeline/accept.ts";
import { smtp } from "../src/sources/smtp.ts";
import { openLedger } from "../src/store/index.ts";
import { openLog, openMetrics } from "../src/watch/index.ts";
import { type BareLedger, openBareLedger } from "./bare-ledger.ts";

const mode = (["discard", "bare"] as const).find((one) => one === process.argv[2]) ?? "durable";
const dir = mkdtempSync(join(tmpdir(), "mailwright-bench-"));
const log = openLog({ level: "error" });
const metrics = openMetrics();
const key = "00".repeat(32);
const sealer = openKeyRing({ key });
const ledger = await openLedger({ path: join(dir, "ledger.sqlite"), thread: "worker", log });
const spool = await openThreadedSpool(join(dir, "spool"), key, { log });
const bare = mode === "bare" ? await openBareLedger(join(dir, "bare.sqlite")) : undefined;
const counts = { new: 0, duplicate: 0, conflict: 0, fenced: 0 };

/** What the discarding contestant leaves out is exactly what durability costs: the commit and, for large mail, the file. */
const keeping: Pick<Ledger, "accept" | "probe" | "stats"> = {
  async accept(items) {
    const answers = mode === "durable" ? await ledger.accept(items) : items.map(discarded);
    if (bare !== undefined) await Promise.all(items.map((item) => keepBare(bare, item)));
    for (const { outcome } of answers) counts[outcome]++;
    return answers;
  },
  probe: (ms) => ledger.probe(ms),
  stats: (now) => ledger.stats(now),
};

function discarded({ eventId }: { eventId: string }): Accepted {
  return { eventId, outcome: "new", routeAdded: false };
}

let kept = 0;
async function keepBare(into: BareLedger, { raw, digest }: NewMessage): Promise<void> {
  if (raw.kind === "inline") await into.call({ what: "keep", n: kept++, key: `${digest} ${kept}`, sealed: raw.sealed });
}

const nowhere: typeof spool = {
  ...spool,
  create: async () => ({
    write: async () => undefined,
    commit: async () => ({ name: "discarded", sha256: "" }),
    discard: async () => undefined,
  }),
};

const intake = openIntake(
  { maxBytes: 200_000_000, inlineBytes: 65_536, backlog: 100_000_000, diskReserve: () => 0 },
  {
    ledger: keeping,
    spool: mode === "durable" ? spool : nowhere,
    sealer,
    clock: systemClock,
    random: systemRandom,
    log,
    metrics,
    disk: () => diskOf(dir),
    wake: () => undefined,
  },
);
const settings = smtp.settings.parse({
  host: "127.0.0.1",
  port: 0,
  limits: {
    connections: 1_000,
    connections_per_ip: 0,
    connection_rate_per_minute: 0,
    commands: 100_000_000,
    session_seconds: 86_400,
  },
});
const source = await smtp.start(settings, intake, {
  clock: systemClock,
  log,
  metrics,
  route: () => ({ kind: "accepted", tenant: "bench" }),
});
process.send?.({ port: source.address?.port });
process.on("message", (what) => {
  if (what === "counts") process.send?.({ counts, rssBytes: process.memoryUsage.rss(), cpu: process.cpuUsage() });
  if (what === "stop") void stop();
});

async function stop(): Promise<void> {
  await source.stop(1_000);
  await spool.close();
  await ledger.close();
  await bare?.close();
  rmSync(dir, { recursive: true, force: true });
  process.exit(0);
}
