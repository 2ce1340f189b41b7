/** The nightly audit: a figure for the whole mailbox, and no reassurance from a part of it. */
import { expect, it } from "vitest";
import { auditOne } from "../../src/main/coverage.ts";
import type { Ground } from "../../src/main/ground.ts";
import { mail, rig } from "../sources/imap/rig.ts";
import { memoryTokens } from "../support/tokens.ts";

async function audited(folders: readonly string[], closed?: string) {
  const r = await rig();
  r.server.put("INBOX", mail("old"));
  r.server.folder("Sales");
  const { clock, log, metrics, ledger, intake } = r;
  const random = { unit: () => 0.5, uuid: () => "event" };
  const ground = { clock, log, metrics, ledger, random, tokens: memoryTokens() } as unknown as Ground;
  if (closed !== undefined)
    r.server.hook = ({ name, rest, tag, connection }) => {
      if (name !== "EXAMINE" || !rest.includes(closed)) return undefined;
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
  const r = await audited(["INBOX", "Projects"]);
  expect([...r.metrics.gauges.keys()].filter((key) => /ratio|at_seconds/.test(key))).toEqual([]);
  expect(r.log.lines).toMatchObject([
    { level: "warn", fields: { no_such_folder: "Projects", unopened: "", refused: "" } },
  ]);
});

it("audits the others where the server refuses a folder, names it, and gives no figure for the whole", async () => {
  const r = await audited(["INBOX", "Sales"], "Sales");
  const { gauges } = r.metrics;
  expect([...gauges.keys()].filter((key) => /ratio|at_seconds/.test(key))).toEqual([]);
  expect(gauges.get("imap_coverage_folders_unread")).toBe(1);
  expect(r.server.commands.filter((line) => line.startsWith("UID SEARCH"))).not.toEqual([]);
  expect(r.log.lines).toMatchObject([{ level: "warn", fields: { refused: "Sales", missing: 0 } }]);
});

it("repeats no words of the server", async () => {
  const r = await audited(["INBOX"], "INBOX");
  expect(r.log.lines).toMatchObject([{ level: "warn", fields: { refused: "INBOX" } }]);
  expect(JSON.stringify(r.log.lines)).not.toContain("ana@");
});
