/** Has kept contents looked at by a scanner: each once, again while there is no verdict, and again when its signatures have changed. */
import type { Stores } from "../model/blob.ts";
import type { Scanner } from "../model/checking.ts";
import type { FileToScan, Scan, ScanAgain } from "../model/files.ts";
import type { Ledger } from "../model/ledger.ts";
import type { Clock, Log, Metrics, Random } from "../model/ports.ts";
import { retryDelayMs } from "./backoff.ts";
import { asError, viaLedger } from "./faults.ts";
import { openStoreTrouble, placeOf } from "./store-trouble.ts";
import { startTaking, type Taker } from "./taking.ts";

export interface ScanningPorts {
  readonly ledger: Pick<Ledger, "filesToScan" | "filesScanned" | "filesDueAt">;
  readonly stores: Stores;
  /** Undefined where none is configured: then what waits for one is judged without. */
  readonly scanner: Scanner | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** There is a verdict: messages may be due. */
  scanned(): void;
}

const leaseMs = 3600_000;
const firstRetryMs = 5_000;
/** Beyond so many looks without a verdict it is not the scanner that is away but this file that it cannot look at. */
const patientTries = 12;
const hopelessMs = 24 * 3600_000;
/** A content that its store does not give back is not held to be checked for ever. */
const mostUnread = 8;
const signaturesEveryMs = 3600_000;
/** Signatures change several times a day; reading a whole store for each change would be its main work. */
const roundEveryMs = 24 * 3600_000;
/** Where signatures have no version, a walk passes over what was looked at since: a daemon that is started often would read its stores each time. */
const notAgainMs = 12 * 3600_000;

/** `width`: contents in hand at once. */
export function startScanning(tenants: readonly string[], width: number, ports: ScanningPorts): Taker {
  const { clock, ledger, log, scanner } = ports;
  const trouble = openStoreTrouble("open", ports);
  const rounds = openRounds(ports);
  let turn = 0;
  let dueAt: number | null = null;

  async function take(room: number): Promise<readonly FileToScan[]> {
    const now = clock.now();
    const first = turn++ % Math.max(1, tenants.length);
    const asked = [...tenants.slice(first), ...tenants.slice(0, first)];
    const away = trouble.away();
    try {
      const again = await rounds.current();
      const more = { skipped: scanner !== undefined, ...(again ? { again } : {}) };
      const found = await ledger.filesToScan({ tenants: asked, room, now, leaseMs, away, ...more });
      // What lies in a store that is away is part of the round still, for as long as a round takes: one that is gone must not be the last round's end.
      if (found.length === 0 && (away.length === 0 || rounds.isLong())) rounds.ended();
      if (found.length === 0) {
        const times = [rounds.nextAt(), trouble.nextAt(), (await ledger.filesDueAt(now)).scanning];
        const known = times.filter((time) => time !== null);
        dueAt = known.length === 0 ? null : Math.min(...known);
      }
      return found;
    } catch (error) {
      log.error({ err: asError(error) }, "the ledger gave no files to scan; asking again");
      dueAt = now + firstRetryMs;
      return [];
    }
  }

  async function work(content: FileToScan): Promise<void> {
    try {
      const { scan, dueAt: due } = await look(content);
      const { tenant, sha256, lease } = content;
      const written = await viaLedger(
        ledger.filesScanned({ tenant, sha256, lease, now: clock.now(), scan, dueAt: due }),
      );
      if (!written) log.warn({ tenant }, "the lease of a scan was lost; its verdict is dropped");
    } catch (error) {
      // Its lease ends by itself.
      log.error({ err: asError(error), tenant: content.tenant }, "the ledger did not take the verdict about a file");
    } finally {
      ports.scanned();
    }
  }

  /** Never rejects. */
  async function look(content: FileToScan): Promise<{ scan: Scan; dueAt: number | null }> {
    const { tenant, sha256, storeKey, attempts } = content;
    const at = clock.now();
    if (scanner === undefined) return { scan: { ...nothing, status: "skipped", at }, dueAt: null };
    try {
      const opened = await ports.stores.of(tenant).open(storeKey);
      if (opened === undefined) return lost(content, "its bytes are not in the store");
      const scan = await scanner.scan(opened.plain);
      trouble.succeeded(placeOf(tenant, storeKey));
      ports.metrics.observe("scan_seconds", (clock.now() - at) / 1000);
      ports.metrics.count("scans_total", { outcome: scan.status });
      if (scan.status !== "unscanned") return { scan: { ...scan, at: clock.now() }, dueAt: null };
      log.warn({ tenant, attempt: attempts, reason: scan.detail }, "a file could not be scanned; it is tried again");
      // A scanner that goes away in the middle of a round would take back every link that there is, and have every mail planned again.
      if (hasVerdict(content.scan)) return { scan: content.scan, dueAt: laterOn(attempts) };
      // What is served since before there was a scanner is served on; whoever comes now is told why he waits.
      if (content.scan.status === "skipped") {
        const detail = scan.detail ?? "it was not looked at";
        return { scan: { ...content.scan, at: clock.now(), detail }, dueAt: laterOn(attempts) };
      }
      return { scan: { ...scan, at: clock.now() }, dueAt: laterOn(attempts) };
    } catch (error) {
      const { dueAt: due } = trouble.failed(placeOf(tenant, storeKey), sha256, error);
      if (attempts >= mostUnread) return lost(content, "its bytes cannot be read from the store");
      return { scan: content.scan, dueAt: due };
    }
  }

  function lost({ tenant, attempts, scan }: FileToScan, detail: string): { scan: Scan; dueAt: number } {
    ports.metrics.count("scans_total", { outcome: "unread" });
    log.error({ tenant, attempt: attempts, reason: detail }, "a kept file cannot be scanned; it is not served");
    // Where files without a verdict are allowed, it would be served as soon as its store is back.
    if (scan.status === "infected") return { scan, dueAt: laterOn(attempts) };
    return { scan: { ...nothing, status: "unscanned", at: clock.now(), detail }, dueAt: laterOn(attempts) };
  }

  function laterOn(attempts: number): number {
    if (attempts > patientTries) return clock.now() + hopelessMs;
    return clock.now() + retryDelayMs(attempts, ports.random.unit(), firstRetryMs);
  }

  return startTaking(clock, { width: () => width, take, dueAt: () => dueAt, work });
}

/** It was looked at whole before, with older signatures. */
const hasVerdict = ({ status }: Scan): boolean => status === "clean" || status === "infected";

const nothing = { engine: null, signatures: null, detail: null } as const;

/** One walk a day at most over what has a verdict of older signatures, or of such as have no version: those may have changed on any day. */
function openRounds({ scanner, clock, log }: ScanningPorts) {
  let known: string | null | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let round: Pick<ScanAgain, "before"> | undefined;
  let lastBegan = Number.NEGATIVE_INFINITY;
  let lastFor: string | undefined;

  async function ask(now: number): Promise<void> {
    if (scanner === undefined || (askedAt <= now && now - askedAt < signaturesEveryMs)) return;
    askedAt = now;
    known = await scanner.signatures().catch((error: unknown) => {
      log.warn({ err: asError(error) }, "the scanner does not say which signatures it has");
      return undefined;
    });
  }

  return {
    async current(): Promise<ScanAgain | undefined> {
      const now = clock.now();
      await ask(now);
      if (known === undefined) return undefined;
      if (round === undefined && known !== lastFor && now - lastBegan >= roundEveryMs) {
        round = { before: known === null ? now - notAgainMs : now };
        lastBegan = now;
        lastFor = known ?? undefined;
      }
      return round === undefined ? undefined : { signatures: known, ...round };
    },
    isLong: (): boolean => round !== undefined && clock.now() - lastBegan >= roundEveryMs,
    /** Nothing is left: what is looked at again leaves the walk by that. */
    ended(): void {
      round = undefined;
    },
    nextAt: (): number | null => (scanner === undefined ? null : askedAt + signaturesEveryMs),
  };
}
