/** Takes the files of mails away by age: their rows say so first, and whoever deletes bytes finds them after that. */
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
}

const page = 500;

/** `retention` is asked for every tenant that has files, also of one that is not in the configuration any more. */
export async function removeByAge(
  retention: (tenant: string) => FileRetention,
  dryRun: boolean,
  { ledger, clock }: RetainFilesPorts,
): Promise<FilesReport> {
  const now = clock.now();
  const before = (age: number | null) => (age === null ? null : now - age);
  let report: FilesReport = { files: 0, bytes: 0 };
  for (const tenant of new Set((await ledger.fileTally()).map((row) => row.tenant))) {
    const { storedMs, quarantinedMs } = retention(tenant);
    const ages = { tenant, storedBefore: before(storedMs), quarantinedBefore: before(quarantinedMs) };
    for (;;) {
      const found = await ledger.filesToRemove({ ...ages, limit: dryRun ? Number.MAX_SAFE_INTEGER : page });
      if (!dryRun) await ledger.filesRemoved(found, now);
      report = {
        files: report.files + found.reduce((sum, { files }) => sum + files, 0),
        bytes: report.bytes + found.reduce((sum, { bytes }) => sum + bytes, 0),
      };
      if (dryRun || found.length < page) break;
    }
  }
  return report;
}
