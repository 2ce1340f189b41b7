/** Keeps the files of messages: takes them out of the raw bytes, puts each content into its tenant's store once, and judges them by what is known. */
import type { Stores } from "../model/blob.ts";
import type { FileExtractor, FileToJudge, Judgement } from "../model/checking.ts";
import type { FileKept, FileRow, FilesToKeep, Scan } from "../model/files.ts";
import type { Ledger } from "../model/ledger.ts";
import type { Clock, Log, Metrics, Random } from "../model/ports.ts";
import { retryDelayMs } from "./backoff.ts";
import type { BytesInUse, Held } from "./bytes-in-use.ts";
import { asError, LedgerFailed, viaLedger } from "./faults.ts";
import type { RawPorts } from "./raw.ts";
import { openStoreTrouble } from "./store-trouble.ts";
import { isStale, openTakeout, type Taken } from "./takeout.ts";
import { startTaking, type Taker } from "./taking.ts";

export interface KeepingPorts extends RawPorts {
  readonly ledger: Pick<Ledger, "filesToKeep" | "filesKept" | "filesLater" | "filesDueAt">;
  readonly stores: Stores;
  readonly extractor: Pick<FileExtractor, "extract">;
  /** By the policy of the tenant. */
  readonly judge: (tenant: string, file: FileToJudge) => Judgement;
  /** Whether a scanner is asked. */
  readonly scans: boolean;
  readonly bytes: BytesInUse;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Something was kept, or is not to be: contents may be due for a scan, messages for a plan, bytes for deletion. */
  kept(): void;
}

/** Whoever holds the data folder takes back the leases of the dead when it starts, so that a large message on a slow line costs nothing. */
const leaseMs = 3600_000;
/** A file that could not be taken out, or whose store takes all others, is tried this often. Then its row says why it is not there. */
const mostTries = 6;
const firstRetryMs = 5_000;

/** `width`: messages in hand at once, over all tenants; each holds a few pieces of one file in memory. */
export function startKeeping(tenants: readonly string[], width: number, ports: KeepingPorts): Taker {
  const { clock, ledger, log } = ports;
  const trouble = openStoreTrouble("put", ports);
  const takeout = openTakeout(ports, trouble);
  let turn = 0;
  let dueAt: number | null = null;

  async function take(room: number): Promise<readonly FilesToKeep[]> {
    const now = clock.now();
    const first = turn++ % Math.max(1, tenants.length);
    const inTurn = [...tenants.slice(first), ...tenants.slice(0, first)];
    const asked = inTurn.filter((tenant) => trouble.mayAsk({ tenant, store: "" }));
    try {
      const found = await ledger.filesToKeep({ tenants: asked, room, now, leaseMs });
      // Those that are given back are due at a time that only the ledger knows.
      if (found.length === 0) dueAt = earliest(trouble.nextAt(), (await ledger.filesDueAt(now)).keeping);
      return found;
    } catch (error) {
      log.error({ err: asError(error) }, "the ledger gave no files to keep; asking again");
      dueAt = now + firstRetryMs;
      return [];
    }
  }

  async function work(message: FilesToKeep): Promise<void> {
    const story = log.with({ event_id: message.eventId, tenant: message.tenant });
    const held = new Map<string, Held>();
    try {
      await keep(message, held, story);
    } catch (error) {
      if (!(error instanceof LedgerFailed)) ports.metrics.count("defects_total", { where: "keeping" });
      const cause = error instanceof LedgerFailed ? error.cause : error;
      const blameless = error instanceof LedgerFailed;
      const hopeless = !blameless && message.attempts >= mostTries;
      story.error({ err: asError(cause), hopeless }, "the files of a message could not be kept");
      if (hopeless) await refuseAll(message, asError(error), story);
      else await giveBack(message, blameless, story);
    } finally {
      for (const each of held.values()) each.release();
      ports.kept();
    }
  }

  async function giveBack({ eventId, lease, attempts }: FilesToKeep, blameless: boolean, story: Log): Promise<void> {
    try {
      await ledger.filesLater(eventId, lease, { dueAt: soon(attempts), blameless });
    } catch (error) {
      story.error({ err: asError(error) }, "the ledger could not take files back; their lease ends by itself");
    }
  }

  /** Something in us fails on this message, however often. */
  async function refuseAll({ eventId, lease, files }: FilesToKeep, error: Error, story: Log): Promise<void> {
    const reason = `Mailwright could not keep it: ${error.message.slice(0, 200)}`;
    const open = files.filter(({ status }) => status === "checking");
    const kept = open.map((file) => keptAs(file, { status: "refused", reason }));
    try {
      await ledger.filesKept({ eventId, lease, now: clock.now(), kept });
      tell(files, kept, story);
    } catch (failure) {
      story.error(
        { err: asError(failure) },
        "the ledger did not take what became of files; their lease ends by itself",
      );
    }
  }

  const soon = (attempts: number) => clock.now() + retryDelayMs(attempts, ports.random.unit(), firstRetryMs);

  async function keep(message: FilesToKeep, held: Map<string, Held>, story: Log): Promise<void> {
    const { tenant, eventId, lease, files, attempts } = message;
    const wanted = files.filter((file) => needsBytes(file, judged(tenant, file), clock.now()));
    const kept = files.flatMap((file) => (wanted.includes(file) ? [] : keptAs(file, judged(tenant, file))));
    const taken = wanted.length === 0 ? undefined : await takeout(message, wanted, held, story);
    if (taken !== undefined) kept.push(...wanted.flatMap((file) => outcomeOf(file, taken, attempts)));
    const open = files.length > kept.length;
    const later = open ? { later: taken?.later ?? { dueAt: soon(attempts), blameless: false } } : {};
    const written = await viaLedger(ledger.filesKept({ eventId, lease, now: clock.now(), kept, ...later }));
    if (written) tell(files, kept, story);
    else story.warn({}, "the lease on the files of a message was lost; they are kept again");
  }

  const judged = (tenant: string, { filename, contentType, inspection, scan, decision, status }: FileRow): Judgement =>
    ports.judge(tenant, {
      filename,
      contentType,
      inspection,
      scan: ports.scans && status !== "stored" ? unskipped(scan) : scan,
      decision,
    });

  /** Empty where it is tried again. */
  function outcomeOf(file: FileRow, { got, refused, failed }: Taken, attempts: number): FileKept[] {
    const found = got.get(file.partId);
    if (found !== undefined) {
      const asked = ports.scans || file.scan.status !== "pending";
      const scan = asked ? file.scan : { ...noScanner, at: clock.now() };
      const { inspection, storeKey } = found;
      return [
        { ...keptAs({ ...file, scan }, judged(file.tenant, { ...file, inspection, scan })), inspection, storeKey },
      ];
    }
    const reason = refused.get(file.partId) ?? (attempts >= mostTries ? failed.get(file.partId) : undefined);
    return reason === undefined ? [] : [keptAs(file, { status: "refused", reason })];
  }

  function tell(files: readonly FileRow[], kept: readonly FileKept[], story: Log): void {
    const before = new Map(files.map(({ id, status }) => [id, status]));
    for (const { id, status } of kept) {
      if (before.get(id) === status) continue;
      ports.metrics.count("attachments_processed_count", { outcome: status });
      story.info({ file_id: id, status }, "a file was checked");
    }
  }

  return startTaking(clock, { width: () => width, take, dueAt: () => dueAt, work });
}

const noScanner: Scan = { status: "skipped", engine: null, signatures: null, at: null, detail: null };

/** Kept before a scanner was configured: that is no verdict for whoever is not served yet. */
function unskipped(scan: Scan): Scan {
  if (scan.status !== "skipped") return scan;
  return { ...scan, status: scan.detail === null ? "pending" : "unscanned" };
}

const isLiving = ({ status }: Judgement): boolean =>
  status === "checking" || status === "stored" || status === "quarantined";

/** Not one that is stripped for its name, and not one whose content the tenant's store has, and that was looked into under this name and type. */
function needsBytes(file: FileRow, judgement: Judgement, now: number): boolean {
  if (!isLiving(judgement)) return false;
  return file.inspection === null || file.storeKey === null || isStale(file, now);
}

const keptAs = ({ id, scan }: FileRow, { status, reason }: Judgement): FileKept => ({
  id,
  status,
  reason,
  inspection: null,
  storeKey: null,
  scan,
});

const earliest = (...times: readonly (number | null)[]): number | null => {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
};
