/** The numbers of the tenants' mapping files: each text that was ever in force has one, and stays in the ledger to replay with. */
import { createHash } from "node:crypto";
import { type CompiledMapping, compileMapping } from "../mapping/rules/compile.ts";
import type { RulesOf } from "../pipeline/enrich.ts";
import { viaLedger } from "../pipeline/faults.ts";
import { type LoadedMapping, parseMapping, type Settings } from "../settings/index.ts";
import type { Ground } from "./ground.ts";

export const mappingSha256 = ({ text }: Pick<LoadedMapping, "text">): string =>
  createHash("sha256").update(text).digest("hex");

/** By tenant; those without a file are left out. */
export async function registerMappings({ settings, ledger, clock, log }: Ground): Promise<Map<string, number>> {
  const versions = new Map<string, number>();
  for (const { id: tenant, mapping } of settings.tenants) {
    if (mapping === undefined) continue;
    const { text } = mapping;
    const version = await ledger.registerMapping({ tenant, sha256: mappingSha256(mapping), text, now: clock.now() });
    log.info({ tenant, version, rules: mapping.file.rules.length }, "mapping file in force");
    versions.set(tenant, version);
  }
  return versions;
}

/** Without writing: of a file that was never in force there is no number. */
export async function knownVersions(
  settings: Settings,
  ledger: Pick<Ground["ledger"], "mappings">,
): Promise<Map<string, number>> {
  const versions = new Map<string, number>();
  for (const { id, mapping } of settings.tenants) {
    if (mapping === undefined) continue;
    const sha256 = mappingSha256(mapping);
    const row = (await ledger.mappings(id)).find((one) => one.sha256 === sha256);
    if (row !== undefined) versions.set(id, row.version);
  }
  return versions;
}

/** The rules of any file that was ever in force or given to `mapping apply`, by its number; each is read once. */
export function openRules(ledger: Pick<Ground["ledger"], "mappingText">): RulesOf {
  const read = new Map<number, Promise<CompiledMapping>>();
  const rulesOf = async (version: number): Promise<CompiledMapping> => {
    // Says nothing against the message whose rules they are.
    const text = await viaLedger(ledger.mappingText(version));
    if (text === undefined) throw new Error(`the ledger holds no mapping version ${version}`);
    return compileMapping(parseMapping(text, `mapping version ${version}`));
  };
  return (version) => {
    let found = read.get(version);
    if (found === undefined) {
      found = rulesOf(version);
      read.set(version, found);
      // Asked again when the ledger could not answer.
      found.catch(() => read.delete(version));
    }
    return found;
  };
}
