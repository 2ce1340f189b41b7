/** What the files of mails are kept and checked with, as the settings say: stores, the children that take them out, the judge, the scanner. */
import { judge } from "../mail/inspect/judge.ts";
import { defaultFilePolicy } from "../model/checking.ts";
import { type Previewer, PreviewerBroken, type PreviewOf, type PreviewOfFile } from "../model/preview.ts";
import { openBytesInUse } from "../pipeline/bytes-in-use.ts";
import { startDeleting } from "../pipeline/deleting.ts";
import { openExtractor } from "../pipeline/extracting.ts";
import type { FileRoom } from "../pipeline/files.ts";
import { examine, openPreviewer, sharpMissing } from "../pipeline/previewer.ts";
import { openPreviews } from "../pipeline/previews.ts";
import { type FilesReport, removeByAge } from "../pipeline/retain-files.ts";
import { type StraysReport, sweepStores } from "../pipeline/strays.ts";
import type { Ground } from "./ground.ts";
import { scanLimitsOf, scannerOf } from "./scanner.ts";

/** Beside the parsers of live mail: one takes files out, and a second while that one waits for a store. */
const extractors = 2;
/** Where no scanner is configured there is nothing to wait for. */
const widthUnscanned = 2;
const page = 500;

/** Undefined where the settings want no previews. Rejects with PreviewerBroken, whose message says what to do, where they can not be made here. */
export async function openSettingsPreviewer({
  settings,
  log,
}: Pick<Ground, "settings" | "log">): Promise<Previewer | undefined> {
  const { make, max_pixels: maxPixels, edge } = settings.previews;
  if (!make) return undefined;
  const missing = sharpMissing();
  if (missing !== undefined) throw new PreviewerBroken(missing);
  const previewer = openPreviewer({ maxPixels, edge, log });
  await examine(previewer);
  return previewer;
}

export interface OpenFileRoom extends FileRoom {
  /** Undefined where none are wanted. */
  readonly previewOf: PreviewOfFile | undefined;
  close(): Promise<void>;
}

/** `door`: somebody may ask for a preview. */
export async function openFileRoom(ground: Ground, door: boolean): Promise<OpenFileRoom> {
  const { settings, stores, clock, log, metrics } = ground;
  const previewer = door ? await openSettingsPreviewer(ground) : undefined;
  const bytes = openBytesInUse();
  const doomed = { call: (): void => undefined };
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
    bytes,
    doomed,
    previewOf:
      previewer === undefined ? undefined : openPreviews({ ...ground, previewer, bytes, doomed: () => doomed.call() }),
    async close() {
      await previewer?.close();
      await extractor.close();
      await scanner?.close();
    },
  };
}

export interface OldFilesReport extends FilesReport {
  readonly previews: number;
  /** The first of them, for a list. */
  readonly small: readonly PreviewOf[];
}

const mostListed = 1_000;

/** Rows first; their bytes are deleted by whoever works the folder. */
export async function removeOldFiles({ ledger, clock, settings }: Ground, dryRun: boolean): Promise<OldFilesReport> {
  const { attachment: storedMs, quarantined: quarantinedMs, preview } = settings.retention;
  const before = clock.now() - preview;
  const limit = dryRun ? Number.MAX_SAFE_INTEGER : page;
  let previews = 0;
  const small: PreviewOf[] = [];
  for (let found = limit; found === limit; previews += found) {
    const gone = await ledger.previewsRemoved({ before, limit, dryRun });
    found = gone.length;
    small.push(...gone.slice(0, mostListed - small.length));
  }
  const files = await removeByAge(() => ({ storedMs, quarantinedMs }), dryRun, { ledger, clock });
  return { ...files, previews, small };
}

/** What lies in the stores and is named by no row. Their bytes are deleted by whoever works the folder. */
export const sweepAll = ({ ledger, stores, clock, log }: Ground, dryRun: boolean): Promise<StraysReport> =>
  sweepStores(dryRun, { ledger, places: stores.places, clock, log });

const auditPage = 5_000;

export async function forgetTrail({ ledger, clock, settings }: Ground, dryRun: boolean): Promise<number> {
  const before = clock.now() - settings.retention.audit;
  const limit = dryRun ? Number.MAX_SAFE_INTEGER : auditPage;
  let forgotten = 0;
  for (let found = limit; found === limit; forgotten += found)
    found = await ledger.auditRemoved({ before, limit, dryRun });
  return forgotten;
}

/** Deletes what no file lives on any more, until nothing is left that can be deleted now. Needs the folder's lock. */
export async function deleteUnneeded(ground: Ground): Promise<void> {
  const deleting = startDeleting({ ...ground, bytes: openBytesInUse() });
  await deleting.quiet();
  await deleting.stop();
}
