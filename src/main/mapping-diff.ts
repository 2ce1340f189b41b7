/** Opens what a comparison of two mappings reads: a ledger that cannot be written through it, the key, and the two versions by name. */
import { existsSync } from "node:fs";
import { loadOrCreateMasterKey, openKeyRing } from "../blobs/index.ts";
import type { Mapping } from "../mapping/plan.ts";
import { compileMapping } from "../mapping/rules/compile.ts";
import type { StoredMails } from "../model/reading.ts";
import { type ComparisonReport, compareStored } from "../pipeline/comparing.ts";
import { loadMapping, parseMapping, type Settings } from "../settings/index.ts";
import { openStoredMails } from "../store/index.ts";
import { dataPaths } from "./ground.ts";
import { tenantPlans } from "./plans.ts";

export interface DiffRequest {
  readonly tenant: string;
  readonly before: Version;
  readonly after: Version;
  readonly since?: number | undefined;
  readonly most: number;
  /** Between two pages; true ends the walk. */
  pause(done: number, total: number): Promise<boolean>;
}

/** current: the file of the configuration, as it is now. none: the built-in rules. stored: by its number in the ledger. */
export type Version =
  | { readonly kind: "current" }
  | { readonly kind: "none" }
  | { readonly kind: "stored"; readonly version: number }
  | { readonly kind: "file"; readonly path: string };

/** A version that nobody knows. */
export class UnknownVersion extends Error {
  override readonly name = "UnknownVersion";
}

/** Rejects with BadConfiguration for a file that is wrong, UnknownVersion, StoreFailed, or KeyRefused: each a sentence. */
export async function diffMappings(settings: Settings, request: DiffRequest): Promise<ComparisonReport> {
  const paths = dataPaths(settings.data_dir);
  const plan = tenantPlans(settings).find(({ tenant }) => tenant === request.tenant);
  if (plan === undefined) throw new UnknownVersion(`there is no tenant ${request.tenant} in the configuration`);
  const key =
    settings.seal.key ?? (await loadOrCreateMasterKey(paths.masterKey, { dataExists: existsSync(paths.ledger) }));
  const mails = openStoredMails(paths.ledger);
  try {
    const [before, after] = [
      versionOf(request.before, plan.mapping, request.tenant, mails),
      versionOf(request.after, plan.mapping, request.tenant, mails),
    ];
    const { tenant, since, most, pause } = request;
    return await compareStored(
      { tenant, people: plan.people, before, after, since, most },
      { mails, sealer: openKeyRing({ key }), pause },
    );
  } finally {
    mails.close();
  }
}

function versionOf(asked: Version, current: Mapping, tenant: string, mails: StoredMails): Mapping {
  switch (asked.kind) {
    case "current":
      return current;
    case "none":
      return { ...current, rules: undefined };
    case "file":
      return { ...current, rules: compileMapping(loadMapping(asked.path).file) };
    case "stored": {
      const { version } = asked;
      const known = mails.mappings(tenant).map((row) => row.version);
      const text = known.includes(version) ? mails.mappingText(version) : undefined;
      if (text === undefined) {
        const those = known.length === 0 ? "it has none" : `it has ${known.slice(0, 20).join(", ")}`;
        throw new UnknownVersion(`the ledger has no mapping version ${version} of tenant ${tenant}: ${those}`);
      }
      return { ...current, rules: compileMapping(parseMapping(text, `mapping version ${version}`)) };
    }
    default:
      return asked satisfies never;
  }
}
