/** What the files of mails are kept and checked with, as the settings say: stores, the children that take them out, the judge, the scanner. */
import { judge } from "../mail/inspect/judge.ts";
import { defaultFilePolicy } from "../model/checking.ts";
import { openBytesInUse } from "../pipeline/bytes-in-use.ts";
import { startDeleting } from "../pipeline/deleting.ts";
import { openExtractor } from "../pipeline/extracting.ts";
import type { FileRoom } from "../pipeline/files.ts";
import { type FilesReport, removeByAge } from "../pipeline/retain-files.ts";
import type { Ground } from "./ground.ts";
import { scanLimitsOf, scannerOf } from "./scanner.ts";

/** Beside the parsers of live mail: one takes files out, and a second while that one waits for a store. */
const extractors = 2;
/** Where no scanner is configured there is nothing to wait for. */
const widthUnscanned = 2;

export function openFileRoom({ settings, stores, clock, log, metrics }: Ground): FileRoom & { close(): Promise<void> } {
  const extractor = openExtractor({ children: extractors, log, metrics });
  const scanner = scannerOf(settings, clock);
  const limits = scanLimitsOf(settings);
  const policies = new Map(settings.tenants.map(({ id, attachments }) => [id, attachments]));
  return {
    stores,
    extractor,
    scanner,
    judge: (tenant, file) => judge(file, policies.get(tenant) ?? defaultFilePolicy, limits),
    scanWidth: settings.clamd?.connections ?? widthUnscanned,
    async close() {
      await extractor.close();
      await scanner?.close();
    },
  };
}

/** Rows first; their bytes are deleted by whoever works the folder. */
export function removeOldFiles({ ledger, clock, settings }: Ground, dryRun: boolean): Promise<FilesReport> {
  const { attachment: storedMs, quarantined: quarantinedMs } = settings.retention;
  return removeByAge(() => ({ storedMs, quarantinedMs }), dryRun, { ledger, clock });
}

/** Deletes what no file lives on any more, until nothing is left that can be deleted now. Needs the folder's lock. */
export async function deleteUnneeded(ground: Ground): Promise<void> {
  const deleting = startDeleting({ ...ground, bytes: openBytesInUse() });
  await deleting.quiet();
  await deleting.stop();
}
