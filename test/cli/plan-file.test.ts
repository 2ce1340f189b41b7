/** `plan FILE`, with and without `--live`: it looks at what is there, and makes neither a folder nor a file. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openGround } from "../../src/main.ts";
import { loadSettings } from "../../src/settings/index.ts";
import { recordingLog } from "../destinations/fixtures.ts";
import { command, shapedBy } from "./stage.ts";

const dir = mkdtempSync(join(tmpdir(), "mailwright-plan-file-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const [config, data] = [join(dir, "m.yaml"), join(dir, "data")];
const tenant = { id: "acme", recipients: ["deals@in.test"], destinations: [{ id: "crm", type: "local" }] };
writeFileSync(config, JSON.stringify({ data_dir: "./data", dns: { verify: false }, tenants: [tenant] }));
writeFileSync(join(dir, "a.eml"), "From: ada@client.example\r\nMessage-ID: <1@client.example>\r\n\r\nHello\r\n");

const run = (...args: string[]) => command([...args, "--config", config], { cwd: dir });
const steps = async (...more: string[]) => {
  const { lanes } = await shapedBy(run, "plan", ["a.eml", "--to", "deals@in.test", ...more]);
  return lanes.flatMap((lane) => lane.steps.map(({ kind, known_from, live }) => [kind, known_from, live]));
};
const contents = () =>
  readdirSync(data, { recursive: true, encoding: "utf8" })
    // What SQLite has between those that have a file open.
    .filter((name) => !/-(?:wal|shm)$/.test(name))
    .sort()
    .map((name) => [name, statSync(join(data, name)).isFile() ? readFileSync(join(data, name), "base64") : ""]);

test("where nothing was received yet, the CRM is asked all the same, and no data folder is made", async () => {
  expect(await steps()).toEqual([
    ["person", null, null],
    ["activity", null, null],
  ]);
  expect(await steps("--live")).toEqual([
    ["person", null, "absent"],
    ["activity", null, "absent"],
  ]);
  expect(existsSync(data)).toBe(false);
});

test("beside a ledger it knows what that and the CRM know, and leaves all as it was", async () => {
  const settings = loadSettings(config, {});
  const ground = await openGround(settings, { thread: "calling", log: recordingLog().log });
  const at = { tenant: "acme", createdAt: 1_000, links: [] };
  ground.records.create({ ...at, kind: "contact", key: "other", natural: "ada@client.example", fields: {} });
  await ground.close();
  for (const folder of ["spool", "blobs"]) rmSync(join(data, folder), { recursive: true });
  const before = contents();
  expect(await steps()).toEqual([
    ["person", null, null],
    ["activity", null, null],
  ]);
  expect(await steps("--live")).toEqual([
    ["person", "live", "found"],
    ["activity", null, "absent"],
  ]);
  expect(contents()).toEqual(before);
});
