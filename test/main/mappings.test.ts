/** Mapping texts come out of the ledger by their number, and each file of an `else` has its own. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { knownVersions, openRules, registerMapping } from "../../src/main/mappings.ts";
import { tenantPlans } from "../../src/main/plans.ts";
import { versionFor } from "../../src/mapping/plan.ts";
import type { MappingRow } from "../../src/model/mappings.ts";
import { LedgerFailed } from "../../src/pipeline/faults.ts";
import { loadMapping, loadSettings } from "../../src/settings/index.ts";
import { address, eventWith } from "../mapping/fakes.ts";
import { folder, tenantLines, written } from "../settings/sample.ts";

test("a ledger that does not answer is no judgement of a mapping, and is asked again; one without the text is", async () => {
  const answers = [() => Promise.reject(new Error("busy")), () => Promise.resolve(undefined)];
  const mappingText = () => answers.shift()?.() ?? Promise.reject(new Error("asked too often"));
  const rules = openRules({ mappingText, mappings: () => Promise.resolve([]) });
  await expect(rules(7, "acme")).rejects.toBeInstanceOf(LedgerFailed);
  const missing = await Promise.resolve(rules(7, "acme")).catch((error: unknown) => error);
  expect(missing).not.toBeInstanceOf(LedgerFailed);
  expect(String(missing)).toContain("no mapping version 7");
});

/** Numbers from 100 on, as the ledger gives them. */
function ledgerOf() {
  const rows: (MappingRow & { readonly text: string })[] = [];
  return {
    registerMapping: async ({
      tenant,
      sha256,
      text,
      now,
    }: {
      tenant: string;
      sha256: string;
      text: string;
      now: number;
    }) => {
      const known = rows.find((row) => row.tenant === tenant && row.sha256 === sha256);
      if (known === undefined) rows.push({ version: 100 + rows.length, tenant, sha256, text, at: now });
      return known?.version ?? 99 + rows.length;
    },
    mappings: async (tenant: string) => rows.filter((row) => row.tenant === tenant),
    mappingText: async (version: number) => rows.find((row) => row.version === version)?.text,
  };
}

test("the file of else keeps the number that it had, and what it decides has that one", async () => {
  const inFolder = folder();
  const file = written(`${tenantLines}    mapping: new.yaml\n`, inFolder);
  writeFileSync(join(inFolder, "old.yaml"), "rules: []\n");
  writeFileSync(join(inFolder, "new.yaml"), "only: { domain: client.example }\nelse: old.yaml\nrules: []\n");
  const ledger = ledgerOf();
  const load = (name: string) => loadMapping(join(inFolder, name)).text;
  const [tenant] = loadSettings(file, {}).tenants;
  const id = tenant?.id ?? "";
  expect(await registerMapping(ledger, { tenant: id, text: load("old.yaml"), now: 1 })).toEqual([100]);
  expect(await registerMapping(ledger, { tenant: id, text: load("new.yaml"), now: 2 })).toEqual([101, 100]);

  const settings = loadSettings(file, {});
  const [plan] = tenantPlans(settings, { versions: await knownVersions(settings, ledger) });
  if (plan === undefined) throw new Error("there is no tenant");
  const from = (email: string) => eventWith({ tenant: id, message: { from: address(email) } });
  const pinned = { ...plan.mapping, rules: await openRules(ledger)(101, id) };
  for (const mapping of [plan.mapping, pinned]) {
    expect(versionFor(from("ada@client.example"), mapping)).toBe(101);
    expect(versionFor(from("ada@other.example"), mapping)).toBe(100);
  }
});
