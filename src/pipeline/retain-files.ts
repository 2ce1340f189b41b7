/** Takes the files of mails away by age: their rows say so first, and whoever deletes bytes finds them after that. */
import type { FilesOld } from "../model/files.ts";
import type { Ledger } from "../model/ledger.ts";
import type { Clock } from "../model/ports.ts";

/** Ages after which files are removed; null keeps them for ever. */
export interface FileRetention {
  readonly storedMs: number | null;
  readonly quarantinedMs: number | null;
}

export interface RetainFilesPorts {
  readonly ledger: Pick<Ledger, "fileTally" | "filesToRemove" | "filesRemoved">;
  readonly clock: Clock;
}

/** What went, or with `dryRun` would go. */
export interface FilesReport {
  readonly files: number;
  readonly bytes: number;
  /** The first of them, for a list. */
  readonly contents: readonly FilesOld[];
}

const page = 500;
const mostListed = 1_000;

/** `retention` is asked for every tenant that has files, also of one that is not in the configuration any more. */
export async function removeByAge(
  retention: (tenant: string) => FileRetention,
  dryRun: boolean,
  { ledger, clock }: RetainFilesPorts,
): Promise<FilesReport> {
  const now = clock.now();
  const before = (age: number | null) => (age === null ? null : now - age);
  let report: FilesReport = { files: 0, bytes: 0, contents: [] };
  for (const tenant of new Set((await ledger.fileTally()).map((row) => row.tenant))) {
    const { storedMs, quarantinedMs } = retention(tenant);
    const ages = { storedBefore: before(storedMs), quarantinedBefore: before(quarantinedMs) };
    for (;;) {
      const found = await ledger.filesToRemove({ ...ages, tenant, limit: dryRun ? Number.MAX_SAFE_INTEGER : page });
      const went = dryRun ? found.length : await ledger.filesRemoved(found, now, ages);
      report = {
        files: report.files + found.reduce((sum, { files }) => sum + files, 0),
        bytes: report.bytes + found.reduce((sum, { bytes }) => sum + bytes, 0),
        contents: [...report.contents, ...found].slice(0, mostListed),
      };
      // Where none went, all of them changed under our hands: another day.
      if (dryRun || found.length < page || went === 0) break;
    }
  }
  return report;
}
