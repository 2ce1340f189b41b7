/** What the files of mails are kept and checked with, as the settings say: stores, the children that take them out, the judge, the scanner. */
import { defaultFilePolicy, defaultScanLimits, judge } from "../mail/inspect/judge.ts";
import { openBytesInUse } from "../pipeline/bytes-in-use.ts";
import { startDeleting } from "../pipeline/deleting.ts";
import { openExtractor } from "../pipeline/extracting.ts";
import type { FileRoom } from "../pipeline/files.ts";
import { type FilesReport, removeByAge } from "../pipeline/retain-files.ts";
import type { Ground } from "./ground.ts";

/** Beside the parsers of live mail: one takes files out, and a second while that one waits for a store. */
const extractors = 2;
const scanWidth = 2;

export function openFileRoom({ stores, log, metrics }: Ground): FileRoom & { close(): Promise<void> } {
  const extractor = openExtractor({ children: extractors, log, metrics });
  return {
    stores,
    extractor,
    scanner: undefined,
    judge: (_tenant, file) => judge(file, defaultFilePolicy, defaultScanLimits),
    scanWidth,
    close: () => extractor.close(),
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
