/** Keeps the ledger small: raw bytes of settled messages move to the attic, and what is older than the operator wants is deleted. */
import type { Blobs, Spool } from "../model/blob.ts";
import type { Ledger, PurgeCursor, Purged, RawPlace } from "../model/ledger.ts";
import { Refused } from "../model/outcome.ts";
import type { Clock, Log, Metrics } from "../model/ports.ts";
import { archiveSettled, eventAsideMs, nothingSetAside, removeSpooled, tenantAsideMs } from "./archive.ts";
import { asError } from "./faults.ts";
import type { FilesReport } from "./retain-files.ts";
import { openSignal } from "./signal.ts";

export interface Retention {
  /** Age after which raw bytes, and event bodies, are deleted; null keeps them for ever. */
  readonly rawMs: number | null;
  readonly eventMs: number | null;
}

export interface RetainPorts {
  readonly ledger: Pick<Ledger, "archivable" | "archived" | "purge" | "find" | "stats">;
  readonly spool: Spool;
  /** An attic also has drafts that a crash left half written. */
  readonly blobs: Blobs & { sweepDrafts?(olderThan: number): Promise<number> };
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Gives freed pages back to the file system; when nothing else is going on. */
  maintain(): Promise<void>;
  /** Takes the files of mails away by age. */
  removeFiles?(): Promise<Pick<FilesReport, "files" | "bytes">>;
  /** Deletes what lies in the stores and is named by no row. Answers how many objects. */
  sweepStores?(): Promise<number>;
  /** Forgets what is too old of the audit trail. Answers how many entries. */
  forgetTrail?(): Promise<number>;
}

/** A draft or a spool file that no row names for this long was never covered by a 250. */
const orphanMs = 3600_000;
/** Between its fsync and its row an accept waits for one commit: seconds, or it fails. */
const secondLookMs = 60_000;
const pageRows = 1_000;

/** What purging did, or with `dryRun` would do. */
export interface PurgeReport {
  readonly raws: number;
  readonly rawBytes: number;
  readonly events: number;
  /** Raw mails past their age whose bytes could not be deleted: the next run finds them again. */
  readonly failed: number;
  /** The first of them, for a list. */
  readonly listed: { readonly raws: Purged["raws"]; readonly events: readonly string[] };
}

type PurgedRaw = Purged["raws"][number];
const mostListed = 1_000;

/**
 * Deletes by age. First the bytes go, then the ledger forgets them: a crash between the two leaves a row that the next run finds again,
 * while the other order would leave bytes on disk that nobody knows of. What cannot be deleted is stepped over, however much of it there is.
 */
export async function purgeByAge(retention: Retention, dryRun: boolean, ports: RetainPorts): Promise<PurgeReport> {
  const now = ports.clock.now();
  const before = (age: number | null) => (age === null ? null : now - age);
  const ages = { rawBefore: before(retention.rawMs), eventBefore: before(retention.eventMs), now };
  const limit = dryRun ? Number.MAX_SAFE_INTEGER : 500;
  const total = { raws: 0, rawBytes: 0, events: 0, failed: 0 };
  const listed = { raws: [] as PurgedRaw[], events: [] as string[] };
  const away = new Map<string, number>();
  let after: PurgeCursor | undefined;
  for (;;) {
    const policy = { ...ages, limit, ...(after === undefined ? {} : { after }) };
    const seen = await ports.ledger.purge({ ...policy, dryRun: true });
    let purged = seen;
    if (!dryRun) {
      // Deleting hundreds takes a while, in which a person may have one of them worked again: each is looked at right before it goes.
      const still = async ({ eventId }: PurgedRaw) =>
        (await ports.ledger.purge({ ...ages, limit, dryRun: true, only: eventId })).raws[0];
      const except = await deleteBytes(seen, ports, away, still);
      total.failed += except.length;
      purged = await ports.ledger.purge({ ...policy, dryRun: false, except, upTo: seen.through ?? none });
      // What settled between the two calls; for all others there is nothing left to delete.
      await deleteBytes(purged, ports, away);
    }
    total.raws += purged.raws.length;
    total.rawBytes += purged.raws.reduce((sum, { bytes }) => sum + bytes, 0);
    total.events += purged.events.length;
    listed.raws.push(...purged.raws.slice(0, mostListed - listed.raws.length));
    listed.events.push(...purged.events.slice(0, mostListed - listed.events.length));
    after = seen.through ?? after;
    if (dryRun || !seen.more) break;
  }
  if (total.failed > 0)
    ports.log.warn({ messages: total.failed }, "raw mail past its age is still there: its store did not delete it");
  return { ...total, listed };
}

/** Before every message. */
const none: PurgeCursor = { receivedAt: Number.MIN_SAFE_INTEGER, seq: 0 };

/** The events whose bytes could not be deleted: told in the log, and no reason to keep the others'. `away`: refusals so far, by store. */
async function deleteBytes(
  purged: Purged,
  ports: RetainPorts,
  away: Map<string, number>,
  still: (found: PurgedRaw) => Promise<PurgedRaw | undefined> | PurgedRaw = (found) => found,
): Promise<string[]> {
  const failed: string[] = [];
  for (const found of purged.raws) {
    const { eventId } = found;
    const store = storeOf(found.raw);
    if ((away.get(store) ?? 0) >= refusalsEnough) {
      failed.push(eventId);
      continue;
    }
    try {
      const raw = (await still(found))?.raw;
      if (raw?.kind === "blob") await ports.blobs.delete(raw.key);
      if (raw?.kind === "spool") await ports.spool.remove(raw.name);
    } catch (error) {
      if (error instanceof Refused) away.set(store, (away.get(store) ?? 0) + 1);
      ports.metrics.count("defects_total", { where: "retain" });
      ports.log.error(
        { event_id: eventId, err: asError(error) },
        "raw bytes past their retention could not be deleted",
      );
      failed.push(eventId);
    }
  }
  return failed;
}

/** A bucket that refuses so many takes half a minute for each, and would for hundreds. */
const refusalsEnough = 3;

/** `s3:mail` of `s3:mail/raw/acme/…`; what lies on this machine has one name together. */
function storeOf(raw: RawPlace): string {
  return raw.kind === "blob" && raw.key.includes(":") ? (raw.key.split("/")[0] ?? "") : "";
}

/**
 * Deletes drafts and spool files that no row names. Never replays them: their sender was told nothing and sends again. A file between its
 * fsync and its row looks the same, and under a clock that leapt ahead it even looks old; so what is to go is looked at again after longer
 * than an accept can take, by a timer, which no clock can hurry.
 */
export async function sweepSpool(ports: RetainPorts, stop?: AbortSignal): Promise<number> {
  const old = ports.clock.now() - orphanMs;
  let swept = await ports.spool.sweepDrafts(old);
  swept += (await ports.blobs.sweepDrafts?.(old)) ?? 0;
  const orphans = new Set<string>();
  for await (const { name, at } of ports.spool.list()) if (at < old) orphans.add(name);
  await takeNamed(orphans, ports.ledger);
  if (orphans.size === 0) return swept;
  await ports.clock.sleep(secondLookMs, stop);
  if (stop?.aborted === true) return swept;
  await takeNamed(orphans, ports.ledger);
  for (const name of orphans) if (await removeSpooled(name, ports)) swept++;
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
  const aside = nothingSetAside();
  let purgeIsDue = true;

  /** By a timer, which no clock can hurry: under one that leapt ahead, until somebody sets it right, all mail is past its age. */
  function purgeIn(ms: number): void {
    void ports.clock.sleep(ms, stop.signal).then(() => {
      purgeIsDue = true;
      signal.wake();
    });
  }

  function again(): number {
    if (aside.tenants.size > 0) return tenantAsideMs;
    return aside.events.size > 0 ? eventAsideMs : dailyMs;
  }

  async function purge(): Promise<void> {
    purgeIsDue = false;
    // What fails is tried again in an hour, and not with every settled message.
    let againMs = eventAsideMs;
    try {
      await purgeAndSweep(() => {
        againMs = dailyMs;
      });
    } finally {
      purgeIn(againMs);
    }
  }

  async function purgeAndSweep(purged: () => void): Promise<void> {
    const report = await purgeByAge(retention, false, ports);
    const removed = (await ports.removeFiles?.()) ?? { files: 0, bytes: 0 };
    const audit_entries = (await ports.forgetTrail?.()) ?? 0;
    const swept = await sweepSpool(ports, stop.signal);
    purged();
    const strays = stop.signal.aborted ? 0 : ((await ports.sweepStores?.()) ?? 0);
    const { raws, rawBytes: raw_bytes, events, failed: raws_left } = report;
    const { files, bytes: file_bytes } = removed;
    const went = { raws, raw_bytes, raws_left, events, files, file_bytes, audit_entries, strays };
    ports.log.info({ ...went, spool_orphans: swept }, "retention applied");
  }

  /** True when live mail cut it short and there is more to move. */
  async function once(): Promise<boolean> {
    const { unarchived } = await ports.ledger.stats(ports.clock.now());
    const patient = unarchived < impatientAt;
    let moved = 0;
    // As it was when it was asked: by the end the live mail may be done, and nothing else would wake this for what is left.
    let cutShort = false;
    const go = (): boolean => {
      cutShort = patient && busy();
      return !stop.signal.aborted && !cutShort;
    };
    try {
      moved = await archiveSettled(ports, go, aside);
    } finally {
      // An attic that takes nothing is no reason to keep what is past its age.
      if (purgeIsDue && !stop.signal.aborted) await purge();
    }
    if (moved > 0) await ports.maintain();
    return cutShort;
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
      if (!more) await signal.wait(ports.clock, ports.clock.now() + again());
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
