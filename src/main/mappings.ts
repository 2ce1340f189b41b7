/** The numbers of the tenants' mapping files: each text that was ever in force has one, and stays in the ledger to replay with. */
import { createHash } from "node:crypto";
import { type CompiledMapping, compileMapping } from "../mapping/rules/compile.ts";
import type { MappingRow } from "../model/mappings.ts";
import type { RulesOf } from "../pipeline/enrich.ts";
import { viaLedger } from "../pipeline/faults.ts";
import { mappingTexts, parseMapping, type Settings } from "../settings/index.ts";
import type { Ground } from "./ground.ts";

/** The number of a file, and those of the files that its `else` leads to, in their order; undefined for a text that the ledger does not hold. */
export type Versions = readonly [number | undefined, ...(number | undefined)[]];

const sha256Of = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Each file by itself, the last of them first: what decides about a mail is told by its own number, and the version of before has the lower one. */
export async function registerMapping(
  ledger: Pick<Ground["ledger"], "registerMapping">,
  { tenant, text, now }: { readonly tenant: string; readonly text: string; readonly now: number },
): Promise<readonly [number, ...number[]]> {
  const [own, ...others] = mappingTexts(text);
  const found: number[] = [];
  for (const each of others.reverse())
    found.unshift(await ledger.registerMapping({ tenant, sha256: sha256Of(each), text: each, now }));
  return [await ledger.registerMapping({ tenant, sha256: sha256Of(own), text: own, now }), ...found];
}

/** By tenant; those without a file are left out. */
export async function registerMappings({ settings, ledger, clock, log }: Ground): Promise<Map<string, Versions>> {
  const versions = new Map<string, Versions>();
  for (const { id: tenant, mapping } of settings.tenants) {
    if (mapping === undefined) continue;
    const all = await registerMapping(ledger, { tenant, text: mapping.text, now: clock.now() });
    log.info({ tenant, version: all[0], rules: mapping.file.rules.length }, "mapping file in force");
    versions.set(tenant, all);
  }
  return versions;
}

/** Without writing: of a file that was never in force there is no number. */
export async function knownVersions(
  settings: Settings,
  ledger: Pick<Ground["ledger"], "mappings">,
): Promise<Map<string, Versions>> {
  const versions = new Map<string, Versions>();
  for (const { id, mapping } of settings.tenants)
    if (mapping !== undefined) versions.set(id, versionsIn(mapping.text, await ledger.mappings(id)));
  return versions;
}

function versionsIn(text: string, rows: readonly MappingRow[]): Versions {
  const known = new Map(rows.map(({ sha256, version }) => [sha256, version]));
  const [own, ...others] = mappingTexts(text);
  const numberOf = (each: string): number | undefined => known.get(sha256Of(each));
  return [numberOf(own), ...others.map(numberOf)];
}

/** The rules of any file that was ever in force or given to `mapping apply`, by its number; each is read once. */
export function openRules(ledger: Pick<Ground["ledger"], "mappingText" | "mappings">): RulesOf {
  const read = new Map<number, Promise<CompiledMapping>>();
  const rulesOf = async (version: number, tenant: string): Promise<CompiledMapping> => {
    // Says nothing against the message whose rules they are.
    const text = await viaLedger(ledger.mappingText(version));
    if (text === undefined) throw new Error(`the ledger holds no mapping version ${version}`);
    const file = parseMapping(text, `mapping version ${version}`);
    if (file.otherwise === undefined) return compileMapping(file);
    return compileMapping(file, versionsIn(text, await viaLedger(ledger.mappings(tenant))));
  };
  return (version, tenant) => {
    let found = read.get(version);
    if (found === undefined) {
      found = rulesOf(version, tenant);
      read.set(version, found);
      // Asked again when the ledger could not answer.
      found.catch(() => read.delete(version));
    }
    return found;
  };
}
