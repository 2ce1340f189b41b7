/** Mapping texts come out of the ledger by their number. */
import { expect, test } from "vitest";
import { openRules } from "../../src/main/mappings.ts";
import { LedgerFailed } from "../../src/pipeline/faults.ts";

test("a ledger that does not answer is no judgement of a mapping, and is asked again; one without the text is", async () => {
  const answers = [() => Promise.reject(new Error("busy")), () => Promise.resolve(undefined)];
  const rules = openRules({ mappingText: () => answers.shift()?.() ?? Promise.reject(new Error("asked too often")) });
  await expect(rules(7)).rejects.toBeInstanceOf(LedgerFailed);
  const missing = await Promise.resolve(rules(7)).catch((error: unknown) => error);
  expect(missing).not.toBeInstanceOf(LedgerFailed);
  expect(String(missing)).toContain("no mapping version 7");
});
