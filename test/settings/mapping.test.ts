/** Mapping files: what is refused, where, and with which words; and that what is shipped is accepted. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BadConfiguration, loadMapping, loadSettings, parseMapping } from "../../src/settings/index.ts";
import { folder, tenantLines, written } from "./sample.ts";

const refused = (text: string): string => {
  try {
    parseMapping(text, "mapping.yaml");
  } catch (error) {
    if (error instanceof BadConfiguration) return error.message;
    throw error;
  }
  throw new Error("it was accepted");
};

describe("a mapping file", () => {
  test.each([
    [
      "an unknown condition",
      "rules:\n  - name: a\n    when: { subjet: x }\n    do: { skip: y }\n",
      /^mapping\.yaml:3:13: rules\[0\]\.when: found the unknown key "subjet".*did you mean `subject`\?/,
    ],
    [
      "an unknown outcome",
      "rules:\n  - name: a\n    do: { compnay: {} }\n",
      /\nmapping\.yaml:3:11: rules\[0\]\.do: found the unknown key "compnay".*did you mean `company`\?/,
    ],
    [
      "a trust that there is not",
      "rules:\n  - name: a\n    when: { trust: verfied }\n    do: { skip: y }\n",
      /mapping\.yaml:3:20: rules\[0\]\.when\.trust/,
    ],
    ["skip beside others", "rules:\n  - name: a\n    do: { skip: y, contact: {} }\n", /skip or review alone/],
    ["a rule that does nothing", "rules:\n  - name: a\n    do: {}\n", /at least one outcome/],
    [
      "two rules of one name",
      "rules:\n  - { name: a, do: { skip: x } }\n  - { name: a, do: { skip: y } }\n",
      /^mapping\.yaml:3:\d+: rules\[1\]\.name: .*a name that no earlier rule has/,
    ],
    [
      "code in a template",
      "rules:\n  - name: a\n    do: { activity: { fields: { f: '{{7*7}}' } } }\n",
      /\{\{\.\.\.\}\} holds one of subject/,
    ],
    ["a flag that says nothing", "only: {}\n", /percent, domain, sender, recipient, mailbox or account/],
    ["another file for nobody", "else: old.yaml\n", /^mapping\.yaml:1:7: else: .*`only` beside it/],
  ])("%s is refused by line and column", (_, text, words) => {
    expect(refused(text)).toMatch(words);
  });

  test("is read with the configuration that names it, from the folder of that file", () => {
    const inFolder = folder();
    writeFileSync(join(inFolder, "rules.yaml"), "rules:\n  - { name: all, do: { skip: nothing is wanted } }\n");
    const settings = loadSettings(written(`${tenantLines}    mapping: rules.yaml\n`, inFolder), {});
    expect(settings.tenants[0]?.mapping).toMatchObject({
      path: join(inFolder, "rules.yaml"),
      file: { rules: [{ name: "all", when: {}, stop: false }] },
    });
  });

  test("is kept with the version of before that decides where it is not in force", () => {
    const inFolder = folder();
    const path = join(inFolder, "new.yaml");
    writeFileSync(path, "# ten of a hundred\nonly: { percent: 10 }\nelse: old/rules.yaml\nrules: []");
    mkdirSync(join(inFolder, "old"));
    expect(() => loadMapping(path)).toThrow(
      /new\.yaml:3:7: else: found .*rules\.yaml, which cannot be read \(ENOENT\)/,
    );
    const old = "rules:\n  - { name: all, do: { skip: nothing is wanted } }\n";
    writeFileSync(join(inFolder, "old", "rules.yaml"), old);
    const { text, file, lineOf } = loadMapping(path);
    expect(file).toMatchObject({ only: { percent: 10 }, rules: [], otherwise: { rules: [{ name: "all" }] } });
    expect(lineOf(0)).toBe(1);
    // What the ledger keeps says all of it, wherever the files have gone.
    expect(parseMapping(text, "mapping version 101")).toEqual(file);
    writeFileSync(join(inFolder, "old", "rules.yaml"), `${old}only: { percent: 50 }\nelse: ../new.yaml\n`);
    expect(() => loadMapping(path)).toThrow(/in a circle/);
  });

  test.each(["# mine\n--- # else\nrules: []\n", "--- # else\r\nrules: []\n", "rules: []\n...\n--- # else"])(
    "that holds the line which stands between two files in what is kept is refused: %j",
    (text) => {
      const inFolder = folder();
      const path = join(inFolder, "old.yaml");
      writeFileSync(path, text);
      const line = text.split("\n").findIndex((one) => one.startsWith("--- # else")) + 1;
      expect(() => loadMapping(path)).toThrow(new RegExp(`old\\.yaml:${line}:1: .*found the line`));
      const fresh = join(inFolder, "new.yaml");
      writeFileSync(fresh, "only: { percent: 10 }\nelse: old.yaml\nrules: []\n");
      expect(() => loadMapping(fresh)).toThrow(`old.yaml:${line}:1`);
    },
  );

  test("one that is not there is told where it is named", () => {
    const inFolder = folder();
    const file = written(`${tenantLines}    mapping: none.yaml\n`, inFolder);
    expect(() => loadSettings(file, {})).toThrow(
      /mailwright\.yaml:4:14: tenants\[0\]\.mapping: found .*none\.yaml, which cannot be read \(ENOENT\)/,
    );
  });

  const presets = join(import.meta.dirname, "../../config/presets");
  // Beside each stand its cases, which test/cli/mapping-test.test.ts runs.
  const mappings = readdirSync(presets).filter((name) => name.endsWith(".yaml") && !name.endsWith(".cases.yaml"));
  test.each(mappings)("the shipped %s is accepted", (name) => {
    expect(loadMapping(join(presets, name)).file.rules.length).toBeGreaterThan(2);
  });
});
