/** The nightly audit: a figure for the whole mailbox, and no reassurance from a part of it. */
import { expect, it } from "vitest";
import { auditOne } from "../../src/main/coverage.ts";
import type { Ground } from "../../src/main/ground.ts";
import { mail, rig } from "../sources/imap/rig.ts";
import { memoryTokens } from "../support/tokens.ts";

async function audited(folders: readonly string[], break_ = false) {
  const r = await rig();
  r.server.put("INBOX", mail("old"));
  const { clock, log, metrics, ledger, intake } = r;
  const random = { unit: () => 0.5, uuid: () => "event" };
  const ground = { clock, log, metrics, ledger, random, tokens: memoryTokens() } as unknown as Ground;
  if (break_)
    r.server.hook = ({ name, tag, connection }) => {
      if (name !== "EXAMINE") return undefined;
      connection.say(`${tag} NO ana@client.test is not yours`);
      return true;
    };
  const account = { tenant: "acme", settings: r.settings({ folders: [...folders] }) };
  await auditOne(ground, account, intake, new AbortController().signal);
  return r;
}

it("says that all is accounted for where it saw all", async () => {
  const r = await audited(["INBOX"]);
  expect(r.metrics.gauges.get("imap_coverage_ratio")).toBe(1);
  expect(r.log.lines.map(({ level }) => level)).toEqual(["info"]);
});

it("says no such thing where a folder is missing: it warns, with counts", async () => {
  const r = await audited(["INBOX", "Sales"]);
  expect([...r.metrics.gauges.keys()].filter((key) => /ratio|at_seconds/.test(key))).toEqual([]);
  expect(r.log.lines).toMatchObject([{ level: "warn", fields: { no_such_folder: 1, unopened: 0 } }]);
});

it("repeats no words of the server", async () => {
  const r = await audited(["INBOX"], true);
  expect(r.log.lines).toMatchObject([{ level: "warn", fields: { reason: "refused" } }]);
  expect(JSON.stringify(r.log.lines)).not.toContain("ana@");
});
