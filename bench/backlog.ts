/**
 * What a backlog costs: fills a ledger with pending deliveries and measures the memory it takes and how fast a lane claims and settles from
 * it, against a backlog of a thousand in the same run. `node bench/backlog.ts 1000000`
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, systemRandom } from "../src/main/system.ts";
import { openLedger, type SqliteLedger } from "../src/store/index.ts";

const wanted = Number(process.argv[2] ?? "1000000");
const small = 1_000;
const lane = "bench/crm";
const batch = 1_000;
const sealed = new Uint8Array(600);
const clock = systemClock;

async function fill(ledger: SqliteLedger, count: number): Promise<void> {
  for (let done = 0; done < count; done += batch) {
    const now = clock.now();
    await ledger.accept(
      Array.from({ length: Math.min(batch, count - done) }, (_, index) => ({
        eventId: systemRandom.uuid(now),
        tenant: "bench",
        messageId: `<${done + index}@bench.test>`,
        digest: (done + index).toString(16).padStart(64, "0"),
        receivedAt: now,
        envelope: { kind: "import" as const, tenant: "bench", routes: ["a@bench.test"], received_at: now },
        rawSha256: "0".repeat(64),
        rawSize: sealed.length,
        raw: { kind: "inline" as const, sealed: sealed.slice() },
      })),
    );
    const attempts = await ledger.attempt({ tenants: ["bench"], room: batch, now, leaseMs: 60_000 });
    await ledger.prepare(
      attempts.map(({ eventId, lease, digest }) => ({
        eventId,
        lease,
        now,
        sealedEvent: sealed.slice(),
        schemaVersion: 1,
        mappingVersion: 1,
        parseStatus: "ok",
        threadKey: digest,
        deliveries: [
          {
            lane,
            decision: {
              kind: "steps",
              rule: "bench",
              steps: [{ kind: "activity", key: digest, why: "bench" }],
              sealedSteps: sealed.slice(),
            },
          },
        ],
      })),
    );
    if (process.stderr.isTTY) process.stderr.write(`\r${done + batch} of ${count}`);
  }
}

/** Claims and settles per second at a window of 32. */
async function claimRate(ledger: SqliteLedger, count: number): Promise<number> {
  const from = performance.now();
  let done = 0;
  while (done < count) {
    const { claims } = await ledger.claim({ lane, room: 32, now: clock.now(), leaseMs: 60_000 });
    if (claims.length === 0) break;
    await Promise.all(
      claims.map((claim) => {
        const at = clock.now();
        const steps = claim.steps.map(({ id }) => ({
          step: id,
          state: "confirmed" as const,
          at,
          ref: `r${id}`,
          adopted: false,
        }));
        return ledger.settle({ claim, at, settlement: { state: "processed" }, steps });
      }),
    );
    done += claims.length;
  }
  return done / ((performance.now() - from) / 1000);
}

const mib = (bytes: number): string => (bytes / 1_048_576).toFixed(0);
const dir = mkdtempSync(join(tmpdir(), "mailwright-backlog-"));
try {
  const little = await openLedger({ path: join(dir, "little.sqlite"), thread: "worker" });
  await fill(little, small);
  const littleRate = await claimRate(little, small);
  await little.close();

  const path = join(dir, "much.sqlite");
  const filling = await openLedger({ path, thread: "worker" });
  const fillFrom = performance.now();
  await fill(filling, wanted);
  const filled = wanted / ((performance.now() - fillFrom) / 1000);
  await filling.close();

  const idle = process.memoryUsage.rss();
  const openFrom = performance.now();
  const much = await openLedger({ path, thread: "worker" });
  const opened = performance.now() - openFrom;
  const muchRate = await claimRate(much, 20_000);
  const { backlog, bytes } = await much.stats(clock.now());
  const rss = process.memoryUsage.rss();
  await much.close();
  process.stdout.write(
    `backlog of ${wanted}: filled at ${filled.toFixed(0)}/s, ledger ${mib(bytes)} MiB, opened (checked) in ${opened.toFixed(0)} ms, ` +
      `${backlog} left after 20,000 settled; memory ${mib(rss)} MiB, ${mib(rss - idle)} MiB more than before it was opened; ` +
      `claim and settle ${muchRate.toFixed(0)}/s, ${(muchRate / littleRate).toFixed(2)}x of a backlog of ${small}\n`,
  );
} finally {
  rmSync(dir, { recursive: true, force: true });
}
