/** Keeps the ledger small: raw bytes of settled messages move to the attic, and what is older than the operator wants is deleted. */
import type { Blobs, Spool } from "../model/blob.ts";
import type { Ledger, Purged, RawPlace } from "../model/ledger.ts";
import type { Clock, Log, Metrics } from "../model/ports.ts";
import { asError } from "./faults.ts";
import { rawKey } from "./raw.ts";
import { openSignal } from "./signal.ts";

export interface Retention {
  /** Age after which raw bytes, and event bodies, are deleted; null keeps them for ever. */
  readonly rawMs: number | null;
  readonly eventMs: number | null;
}

export interface RetainPorts {
  readonly ledger: Pick<Ledger, "archivable" | "archived" | "purge" | "find" | "stats">;
  readonly spool: Spool;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Gives freed pages back to the file system; when nothing else is going on. */
  maintain(): Promise<void>;
}

const batch = 64;
/** A draft or a spool file that no row names for this long was never covered by a 250. */
const orphanMs = 3600_000;
/** Between its fsync and its row an accept waits for one commit: seconds, or it fails. */
const secondLookMs = 60_000;
const pageRows = 1_000;

/** Moves the raw bytes of settled messages to the attic until none are left or `go` says stop. Returns how many moved. */
export async function archiveSettled(ports: RetainPorts, go: () => boolean = () => true): Promise<number> {
  let moved = 0;
  while (go()) {
    const items = await ports.ledger.archivable(batch);
    if (items.length === 0) break;
    const moves: { eventId: string; key: string }[] = [];
    for (const { eventId, raw, sealed } of items) {
      const bytes = sealed === undefined ? await spooledBytes(raw, ports.spool) : oneChunk(sealed);
      const key = rawKey(eventId);
      // A spool file that is gone was moved before a crash kept the ledger from hearing of it.
      if (bytes !== undefined) await ports.blobs.put(key, bytes);
      moves.push({ eventId, key });
    }
    // First the attic, then the ledger, then the spool: at every moment one of them has the bytes.
    await ports.ledger.archived(moves);
    for (const { raw } of items) if (raw.kind === "spool") await ports.spool.remove(raw.name);
    moved += items.length;
  }
  return moved;
}

async function spooledBytes(raw: RawPlace, spool: Spool): Promise<AsyncIterable<Uint8Array> | undefined> {
  return raw.kind === "spool" ? await spool.read(raw.name) : undefined;
}

async function* oneChunk(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** What purging did, or with `dryRun` would do. */
export interface PurgeReport {
  readonly raws: number;
  readonly rawBytes: number;
  readonly events: number;
}

/**
 * Deletes by age. First the bytes go, then the ledger forgets them: a crash between the two leaves a row that the next run finds again,
 * while the other order would leave bytes on disk that nobody knows of.
 */
export async function purgeByAge(retention: Retention, dryRun: boolean, ports: RetainPorts): Promise<PurgeReport> {
  const now = ports.clock.now();
  const before = (age: number | null) => (age === null ? null : now - age);
  let report: PurgeReport = { raws: 0, rawBytes: 0, events: 0 };
  for (;;) {
    const limit = dryRun ? Number.MAX_SAFE_INTEGER : 500;
    const policy = { rawBefore: before(retention.rawMs), eventBefore: before(retention.eventMs), now, limit };
    let purged = await ports.ledger.purge({ ...policy, dryRun: true });
    if (!dryRun) {
      await deleteBytes(purged, ports);
      purged = await ports.ledger.purge({ ...policy, dryRun: false });
      // What settled between the two calls; for all others there is nothing left to delete.
      await deleteBytes(purged, ports);
    }
    report = {
      raws: report.raws + purged.raws.length,
      rawBytes: report.rawBytes + purged.raws.reduce((sum, { bytes }) => sum + bytes, 0),
      events: report.events + purged.events.length,
    };
    if (dryRun || !purged.more) return report;
  }
}

async function deleteBytes(purged: Purged, ports: RetainPorts): Promise<void> {
  for (const { raw } of purged.raws) {
    if (raw.kind === "blob") await ports.blobs.delete(raw.key);
    if (raw.kind === "spool") await ports.spool.remove(raw.name);
  }
}

/**
 * Deletes drafts and spool files that no row names. Never replays them: their sender was told nothing and sends again. A file between its
 * fsync and its row looks the same, and under a clock that leapt ahead it even looks old; so what is to go is looked at again after longer
 * than an accept can take, by a timer, which no clock can hurry.
 */
export async function sweepSpool(ports: RetainPorts, stop?: AbortSignal): Promise<number> {
  const old = ports.clock.now() - orphanMs;
  let swept = await ports.spool.sweepDrafts(old);
  const orphans = new Set<string>();
  for await (const { name, at } of ports.spool.list()) if (at < old) orphans.add(name);
  await takeNamed(orphans, ports.ledger);
  if (orphans.size === 0) return swept;
  await ports.clock.sleep(secondLookMs, stop);
  if (stop?.aborted === true) return swept;
  await takeNamed(orphans, ports.ledger);
  for (const name of orphans) {
    await ports.spool.remove(name);
    swept++;
  }
  return swept;
}

/** Takes out every name that a row has, page by page: one page that was taken for all of them would cost promised mail. */
async function takeNamed(names: Set<string>, ledger: Pick<Ledger, "find">): Promise<void> {
  let before: number | undefined;
  while (names.size > 0) {
    const rows = await ledger.find({ spooled: true, limit: pageRows, ...(before === undefined ? {} : { before }) });
    for (const { raw } of rows) if (raw.kind === "spool") names.delete(raw.name);
    before = rows.at(-1)?.seq;
    if (before === undefined) return;
  }
}

export interface Retaining {
  /** Messages have settled; the attic may have work. */
  wake(): void;
  stop(): Promise<void>;
}

const archiveDelayMs = 2_000;
const dailyMs = 24 * 3600_000;
/** Archiving waits for quiet, unless the ledger holds this many settled messages already. */
const impatientAt = 20_000;

/** Runs the moves in quiet moments and the purge once a day. `busy` says whether live mail is being worked. */
export function startRetaining(retention: Retention, busy: () => boolean, ports: RetainPorts): Retaining {
  const stop = new AbortController();
  const signal = openSignal();
  let purgedAt = Number.NEGATIVE_INFINITY;

  /** A day is over; or the clock was set back, and nobody knows how much of a day is. */
  function purgeIsDue(): boolean {
    const age = ports.clock.now() - purgedAt;
    return age >= dailyMs || age < 0;
  }

  /** True when live mail cut it short and there is more to move. */
  async function once(): Promise<boolean> {
    const { unarchived } = await ports.ledger.stats(ports.clock.now());
    const patient = unarchived < impatientAt;
    const moved = await archiveSettled(ports, () => !stop.signal.aborted && (!patient || !busy()));
    if (purgeIsDue() && !stop.signal.aborted) {
      const report = await purgeByAge(retention, false, ports);
      const swept = await sweepSpool(ports, stop.signal);
      purgedAt = ports.clock.now();
      ports.log.info(
        { raws: report.raws, raw_bytes: report.rawBytes, events: report.events, spool_orphans: swept },
        "retention applied",
      );
    }
    if (moved > 0) await ports.maintain();
    return patient && busy();
  }

  async function loop(): Promise<void> {
    while (!stop.signal.aborted) {
      let more = true;
      try {
        more = await once();
      } catch (error) {
        ports.metrics.count("defects_total", { where: "retain" });
        ports.log.error({ err: asError(error) }, "the attic could not be kept; trying again");
      }
      if (!more) await signal.wait(ports.clock, ports.clock.now() + dailyMs);
      // Settlements come in bursts: one round for many of them.
      await ports.clock.sleep(archiveDelayMs, stop.signal);
    }
  }

  const running = loop();
  return {
    wake: signal.wake,
    async stop() {
      stop.abort();
      signal.wake();
      await running;
    },
  };
}
