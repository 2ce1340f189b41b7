import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { command } from "./stage.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mailwright-args-"));
  const tenant = (id: string) => `  - { id: ${id}, recipients: ["*@${id}.example.com"] }\n`;
  writeFileSync(join(folder, "one.yaml"), `dns: { verify: false }\ntenants:\n${tenant("acme")}`);
  writeFileSync(join(folder, "two.yaml"), `dns: { verify: false }\ntenants:\n${tenant("acme")}${tenant("beta")}`);
  writeFileSync(join(folder, "wrong.yaml"), `tenants:\n  - { id: acme, recipient: ["*@acme.example.com"] }\n`);
  writeFileSync(
    join(folder, "mail.eml"),
    "From: a@b.example\r\nSubject: hi\r\nMessage-ID: <1@b.example>\r\n\r\nhello\r\n",
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const here = (name: string) => join(folder, name);

describe("wrong usage ends with 2 and says what is wrong", () => {
  test.each([
    [[], /Usage: mailwright/],
    [["frobnicate"], /unknown command 'frobnicate'/],
    [["evnts"], /Did you mean events\?/],
    [["events"], /Usage: mailwright events/],
    [["explain"], /missing required argument 'event'/],
    [["run", "--nonsense"], /unknown option '--nonsense'/],
    [["events", "list", "--state", "lost"], /Allowed choices are received, pending/],
    [["events", "list", "--limit", "-3"], /whole number from 1 to/],
    [["events", "list", "--since", "yesterday-ish"], /date or time is wanted/],
    [["sandbox", "hubspot", "--port", "70000"], /whole number from 0 to 65535/],
    [["send", "x.eml"], /say to whom: --to address/],
    [["send", "x.eml", "--to", "a@b.example", "--rate", "0"], /Mails a second are wanted/],
    [["scrub", "x.eml"], /required option '--out <folder>' not specified/],
    [["dead-letters", "confirm", "1"], /required option '--ref <crm-id>'/],
    [["parse", "--batch", "x.eml"], /--batch takes its file paths from standard input/],
  ])("mailwright %j", async (args, says) => {
    const { code, out, err } = await command(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(says);
  });

  test("help and version are data, and no failure", async () => {
    const help = await command(["help", "explain"]);
    expect(help).toMatchObject({ code: 0, err: "" });
    expect(help.out).toContain("Usage: mailwright explain");
    const version = await command(["--version"]);
    expect(version.code).toBe(0);
    expect(version.out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("--config is taken before the command and after it", async () => {
    for (const args of [
      ["--config", here("one.yaml"), "config", "check"],
      ["config", "check", "--config", here("one.yaml")],
    ]) {
      expect(await command(args)).toMatchObject({ code: 0, out: `${here("one.yaml")}: accepted\n` });
    }
  });
});

describe("a configuration that is refused ends with 3", () => {
  test("with file, line, column, what was found, what is expected and the nearest key", async () => {
    const { code, out, err } = await command(["config", "check", "--config", here("wrong.yaml")]);
    expect({ code, out }).toEqual({ code: 3, out: "" });
    expect(err).toContain(`${here("wrong.yaml")}:2:17: tenants[0]: found the unknown key "recipient"`);
    expect(err).toContain("did you mean `recipients`?");
  });

  test("as JSON too, and the sentences still go to standard error", async () => {
    const { code, err, json } = await command(["config", "check", "--json", "--config", here("wrong.yaml")]);
    expect(code).toBe(3);
    expect(json()).toMatchObject({ ok: false, settings: null });
    expect(json()).toHaveProperty("problems.0.place", { file: here("wrong.yaml"), line: 2, column: 17 });
    expect(err).not.toBe("");
  });

  test("whatever the command is", async () => {
    for (const args of [["run"], ["doctor"], ["events", "list"], ["parse", here("mail.eml")]]) {
      expect((await command([...args, "--config", here("wrong.yaml")])).code).toBe(3);
    }
  });

  test("a file that is not there is a refusal too", async () => {
    const { code, err } = await command(["run", "--config", here("none.yaml")]);
    expect(code).toBe(3);
    expect(err).toContain("cannot be read (ENOENT)");
  });
});

describe("whose a mail file is", () => {
  const parsed = async (...args: string[]) => await command(["parse", here("mail.eml"), ...args]);

  test("the only tenant's, when nothing is said", async () => {
    const { code, json } = await parsed("--config", here("one.yaml"));
    expect(code).toBe(0);
    expect(json()).toMatchObject({ tenant: "acme", routes: [], source: { kind: "import" } });
  });

  test("with two tenants it has to be said", async () => {
    const { code, err } = await parsed("--config", here("two.yaml"));
    expect(code).toBe(2);
    expect(err).toContain("there are 2 tenants (acme, beta): say whose mail it is with --tenant or --to");
  });

  test("an inbound address says it", async () => {
    const { json } = await parsed("--config", here("two.yaml"), "--to", "sales+x@beta.example.com");
    expect(json()).toMatchObject({ tenant: "beta", routes: ["sales+x@beta.example.com"] });
  });

  test.each([
    [["--to", "x@elsewhere.example"], "no tenant of the configuration takes mail for x@elsewhere.example"],
    [["--tenant", "gamma"], "there is no tenant gamma; the configuration has acme, beta"],
    [["--tenant", "acme", "--to", "x@beta.example.com"], "x@beta.example.com belongs to tenant beta, not to acme"],
  ])("%j is refused", async (args, says) => {
    const { code, err } = await parsed("--config", here("two.yaml"), ...args);
    expect(code).toBe(2);
    expect(err).toContain(says);
  });
});

describe("what only reads makes nothing", () => {
  test("without a ledger there is nothing to list, and no data folder appears", async () => {
    const { code, err } = await command(["events", "list", "--config", here("one.yaml")]);
    expect(code).toBe(1);
    expect(err).toContain("there is no ledger at");
    expect(await command(["crm", "contacts", "--config", here("one.yaml")])).toMatchObject({ code: 1 });
    const { existsSync } = await import("node:fs");
    expect(existsSync(here("data"))).toBe(false);
  });
});
