import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { mappingTested } from "../../src/cli/mapping-shapes.ts";
import { command } from "./stage.ts";

const folder = mkdtempSync(join(tmpdir(), "mailwright-mapping-test-"));
afterAll(() => rmSync(folder, { recursive: true }));
const presets = join(import.meta.dirname, "../../config/presets");

const run = (...args: string[]) => command(["mapping", "test", ...args], { cwd: folder });

describe("mailwright mapping test", () => {
  test("the shipped mappings do what their cases say", async () => {
    const names = ["sales-inbox", "support-inbox", "team-mailboxes"];
    const ended = await run(...names.map((name) => join(presets, `${name}.cases.yaml`)), "--json");
    const tested = z.array(mappingTested).parse(ended.json());
    expect(tested.filter(({ passed }) => !passed)).toEqual([]);
    expect(new Set(tested.map(({ mapping }) => mapping))).toEqual(
      new Set(names.map((name) => join(presets, `${name}.yaml`))),
    );
    expect(ended.code).toBe(0);
  });

  test("a case that fails is shown with what was expected, what was found, and why each rule did not apply", async () => {
    writeFileSync(
      join(folder, "m.yaml"),
      "rules:\n  - { name: big, when: { subject: quote }, do: { skip: enough } }\n",
    );
    writeFileSync(join(folder, "mail.eml"), "From: ada@client.example\r\nSubject: A quote\r\n\r\nHello\r\n");
    const cases = [
      "mapping: m.yaml",
      'tenant: { recipients: ["deals@in.acme.example"] }',
      "cases:",
      "  - { name: from a file, file: mail.eml, expect: { outcome: skip, reason: enough } }",
      "  - { name: other words, mail: { subject: Grüße }, expect: { outcome: skip, rule: big } }",
      "  - { name: with a file, mail: { files: [{ name: ä.pdf }] }, expect: { steps: [{ kind: activity, attachments: [ä.pdf] }] } }",
    ];
    writeFileSync(join(folder, "m.cases.yaml"), cases.join("\n"));
    const ended = await run("m.cases.yaml");
    expect(ended.code).toBe(1);
    expect(ended.err).toBe("mailwright: 1 of 3 cases failed\n");
    expect(ended.out.split("\n").map((line) => line.trimEnd())).toEqual([
      "ok      from a file",
      `failed  other words  ${join(folder, "m.cases.yaml")}:5`,
      "        outcome",
      "          expected: skip",
      expect.stringMatching(/^ {10}found: {4}steps by default\.inbound: person ada@client\.example, activity$/),
      "        rule",
      "          expected: big",
      "          found:    default.inbound",
      "        rule big does not apply: subject",
      "ok      with a file",
      "2 passed, 1 failed",
      "",
    ]);
  });

  test("a case can say that a person trusts the sender, who makes a company then where the mail is not in doubt", async () => {
    writeFileSync(join(folder, "t.yaml"), "rules:\n  - { name: all, do: { company: { create: trusted } } }\n");
    const of = (known: string, expect: string, mail = "{}") =>
      `  - { name: n, mail: ${mail}, known: { trust: ${known} }, expect: ${expect} }`;
    const cases = [
      "mapping: t.yaml",
      'tenant: { recipients: ["deals@in.acme.example"] }',
      "cases:",
      of("trusted", "{ steps: [{ kind: company, domain: client.example }] }"),
      of("aligned-weak", "{ no: [company] }"),
      of("trusted", "{ no: [company] }", "{ headers: { Reply-To: x@elsewhere.example } }"),
    ];
    writeFileSync(join(folder, "t.cases.yaml"), cases.join("\n"));
    const ended = await run("t.cases.yaml");
    expect([ended.out, ended.err, ended.code]).toEqual([expect.stringContaining("3 passed, 0 failed"), "", 0]);
  });

  test("a file of cases that is wrong, and a mail that is not there, are refused as configuration", async () => {
    writeFileSync(join(folder, "bad.yaml"), "cases:\n  - { name: a, mial: {}, expect: { rule: x } }\n");
    const bad = await run("bad.yaml");
    expect([bad.code, bad.err]).toEqual([3, expect.stringContaining("bad.yaml:2:16: cases[0]: found the unknown key")]);
    writeFileSync(
      join(folder, "lost.yaml"),
      'tenant: { recipients: ["*@in.acme.example"] }\ncases:\n  - { name: a, file: none.eml, expect: { rule: x } }\n',
    );
    const lost = await run("lost.yaml");
    expect([lost.code, lost.err]).toEqual([3, expect.stringMatching(/lost\.yaml:3:1: cases\[0\]\.file: .*ENOENT/)]);
  });
});
