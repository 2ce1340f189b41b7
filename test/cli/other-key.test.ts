/** A data folder with another master key than the one its mail was sealed with: whoever asks is told so. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { shapes } from "../../src/cli/shapes.ts";
import { command } from "./stage.ts";

test("another key than the one that mail was sealed with is a problem, and no message is told of as if it were read", async () => {
  const dir = mkdtempSync(join(tmpdir(), "mailwright-other-key-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const config = join(dir, "m.yaml");
  const tenant = { id: "acme", recipients: ["deals@in.test"], destinations: [{ id: "crm", type: "local" }] };
  const limits = { disk_reserve_bytes: 0, disk_reserve_percent: 0 };
  const ports = { smtp: { port: 0 }, http: { port: 0 } };
  writeFileSync(
    config,
    JSON.stringify({ data_dir: "./data", limits, dns: { verify: false }, ...ports, tenants: [tenant] }),
  );
  writeFileSync(join(dir, "a.eml"), "From: ada@client.example\r\nMessage-ID: <1@client.example>\r\n\r\nHello\r\n");
  const run = (...args: string[]) => command([...args, "--config", config], { cwd: dir });
  expect((await run("reprocess", "a.eml", "--to", "deals@in.test")).code).toBe(0);
  const about = async () => {
    const ran = await run("doctor", "--json");
    const { findings } = shapes.doctor.parse(ran.json());
    return [
      ran.code,
      ...findings.filter((found) => found.about === "key").map(({ level, what }) => `${level}: ${what}`),
    ];
  };
  expect(await about()).toEqual([0, expect.stringMatching(/^warning: nobody has said that the master key has a copy/)]);

  const file = join(dir, "data", "master.key");
  expect(existsSync(file)).toBe(true);
  writeFileSync(file, `${"ab".repeat(32)}\n`);
  expect(await about()).toEqual([
    1,
    expect.stringMatching(
      /^problem: the stored mail \S+ cannot be opened: sealed with the master key [0-9a-f]{16}, which/,
    ),
  ]);
  const told = await run("explain", "1@client.example");
  expect(told.out).toContain("sealed with another key, or is damaged: mailwright doctor");
});
