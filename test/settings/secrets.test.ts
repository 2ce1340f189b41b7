/** Secrets: never shown, and taken anew on SIGHUP without anything else changing under way. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BadConfiguration, describeSettings, loadSettings, reresolve, secretsOf } from "../../src/settings/index.ts";
import { folder, load, tenantLines, written } from "./sample.ts";

const key = "ab".repeat(32);
const nextKey = "cd".repeat(32);

test.each([
  ["from the file itself", `seal: { key: ${key} }\n`, {}, "*** (in the file)"],
  ["from a variable", 'seal: { key: "${env:K}" }\n', { K: key }, "*** (from ${env:K})"],
  ["from a default, which is not shown either", `seal: { key: "\${env:K:-${key}}" }\n`, {}, "*** (from ${env:K})"],
  ["from an override", "", { MAILWRIGHT__SEAL__KEY: key }, "*** (from MAILWRIGHT__SEAL__KEY)"],
  ["from an override of the whole section", "", { MAILWRIGHT__SEAL: `{ key: ${key} }` }, "*** (from MAILWRIGHT__SEAL)"],
])("a secret %s is described by its source alone", (_, text, env, shown) => {
  const settings = load(text + tenantLines, env);
  expect(settings.seal.key).toBe(key);
  const described = describeSettings(settings);
  expect(described).toMatchObject({ seal: { key: shown } });
  expect(JSON.stringify(described)).not.toContain(key);
  expect(secretsOf(settings)).toEqual([key]);
});

test("the description has the defaults filled in, as they would be written", () => {
  expect(describeSettings(load(tenantLines))).toMatchObject({
    http: { host: "127.0.0.1", port: 8025 },
    limits: { max_message_bytes: "35MiB", backlog: 1_000_000 },
    retention: { raw: "90d" },
    tenants: [{ id: "acme", destinations: [{ id: "crm", type: "local" }] }],
  });
});

test("a secret file that changed is taken, and named without its value", () => {
  const inFolder = folder();
  writeFileSync(join(inFolder, "token"), "first");
  const running = loadSettings(written(destinationLines('token: "${file:token}"'), inFolder), {});
  writeFileSync(join(inFolder, "token"), "second");
  const { settings, rotated, needRestart } = reresolve(running, {});
  expect(settings.tenants[0]?.destinations[0]?.settings).toMatchObject({ token: "second" });
  expect({ rotated, needRestart }).toEqual({ rotated: ["tenants[0].destinations[0].token"], needRestart: [] });
});

const operators = (hash: string) => `http: { operators: [{ name: Ada, password_hash: "${hash}" }] }\n`;
const hashOf = (letter: string) => `scrypt$15$8$3$${letter.repeat(22)}$${letter.repeat(43)}`;

test.each([
  ["the master key", `seal: { key: ${key} }\n`, `seal: { key: ${nextKey} }\n`, "seal.key"],
  ["who may sign in", operators(hashOf("a")), operators(hashOf("b")), "http.operators[0].password_hash"],
])("%s is taken at a start alone, and no reload says that it has it", (_, before, after, path) => {
  const inFolder = folder();
  const running = loadSettings(written(before + tenantLines, inFolder), {});
  written(after + tenantLines, inFolder);
  expect(reresolve(running, {})).toEqual({ settings: running, remapped: [], rotated: [], needRestart: [path] });
});

test("a configuration without secrets has none to blot out", () => {
  expect(secretsOf(load(tenantLines))).toEqual([]);
});

test("nothing changed: nothing is reported", () => {
  const running = load(tenantLines);
  expect(reresolve(running, {})).toMatchObject({ rotated: [], needRestart: [] });
});

test("what is not a secret stays as it was, and is named as needing a restart", () => {
  const inFolder = folder();
  const running = loadSettings(written(tenantLines, inFolder), {});
  written(`http: { port: 9 }\n${tenantLines}`, inFolder);
  const { settings, needRestart } = reresolve(running, {});
  expect(settings).toBe(running);
  expect(needRestart).toEqual(["http"]);
});

const mapped = (folderOf: string, more = "") => written(`${more}${tenantLines}    mapping: ./mapping.yaml\n`, folderOf);
const skipping = (reason: string): string => `rules:\n  - { name: all, do: { skip: "${reason}" } }\n`;
const mappingText = ({ tenants }: ReturnType<typeof load>): string | undefined => tenants[0]?.mapping?.text;

test.each([
  ["alone", "", []],
  ["beside keys that need a restart, which stay as they were", "http: { port: 9 }\n", ["http"]],
])("a mapping file that changed is taken %s", (_, more, needRestart) => {
  const inFolder = folder();
  writeFileSync(join(inFolder, "mapping.yaml"), skipping("before"));
  const running = loadSettings(mapped(inFolder), {});
  expect(reresolve(running, {})).toMatchObject({ remapped: [] });
  writeFileSync(join(inFolder, "mapping.yaml"), skipping("after"));
  mapped(inFolder, more);
  const found = reresolve(running, {});
  expect(found).toMatchObject({ remapped: ["acme"], rotated: [], needRestart });
  expect(mappingText(found.settings)).toContain("after");
  expect(found.settings.http).toEqual(running.http);
  expect(mappingText(running)).toContain("before");
});

test("a mapping file that is wrong is refused, and one that came or went is for a restart", () => {
  const inFolder = folder();
  writeFileSync(join(inFolder, "mapping.yaml"), skipping("before"));
  const running = loadSettings(mapped(inFolder), {});
  writeFileSync(join(inFolder, "mapping.yaml"), "rules: [{ name: all, do: { skp: x } }]");
  expect(() => reresolve(running, {})).toThrow(/mapping\.yaml:1:/);
  written(tenantLines, inFolder);
  expect(reresolve(running, {})).toMatchObject({
    settings: running,
    remapped: [],
    needRestart: ["tenants[0].mapping"],
  });
});

test("a configuration that broke in the meantime is refused, and the running one is not touched", () => {
  const inFolder = folder();
  const running = loadSettings(written(tenantLines, inFolder), {});
  written("tenants: [", inFolder);
  expect(() => reresolve(running, {})).toThrow(BadConfiguration);
  expect(running.tenants).toHaveLength(1);
});

const token = "pat-na1-5f0c2d4e-Secret0-Secret1";
const destinationLines = (rest: string) =>
  `tenants:\n  - id: acme\n    recipients: ["*@in.example.com"]\n    destinations:\n      - { id: crm, type: hubspot, ${rest} }\n`;

test.each([
  ["without the blank before it", `token:${token}`],
  ["that begins like an alias", `token: *${token}`],
  ["that begins like a tag", `token: !${token}`],
  ["under a key that does not stand there", `? ${token}`],
  ["that reads like a reference", `token: "\${${token}}"`],
  ["as the default of a reference as shells write it", `token: "\${TOKEN:-hunter2}"`],
  ["as the default of a reference within another", `token: "\${env:A:-\${env:B:-hunter2}}"`],
  ["as the default of a reference that is none", `token: "\${env:A-B:-hunter2hunter2}"`],
  ["in the place of something else", `calls_per_10_seconds: ${token}`],
  ["as the password of a URL", 'token: x, base_url: "https://me:hunter2@crm.example"'],
  ["as the password of no URL of ours", 'token: x, base_url: "ftp://me:hunter2@crm.example"'],
  ["in the query of a URL", 'token: x, base_url: "https://crm.example/?key=hunter2"'],
])("a secret %s is refused, and not shown", (_, rest) => {
  let refused: unknown;
  try {
    load(destinationLines(rest));
  } catch (error) {
    refused = error;
  }
  if (!(refused instanceof BadConfiguration)) throw new Error("it was taken", { cause: refused });
  const shown = `${refused.message}${JSON.stringify(refused.problems)}`;
  expect(shown).not.toMatch(/Secret|hunter2/);
});
