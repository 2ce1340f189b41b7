/** `mapping check` looks at every file that can decide about a mail. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { shapes } from "../../src/cli/shapes.ts";
import { command } from "./stage.ts";

const folder = mkdtempSync(join(tmpdir(), "mailwright-mapping-check-"));
afterAll(() => rmSync(folder, { recursive: true }));
const run = (...args: string[]) => command(["mapping", "check", ...args], { cwd: folder });

test("the file of else is checked as well, with its own name and lines, and what that one names", async () => {
  const all = "rules:\n  - { name: all, do: { skip: not yet } }\n";
  const shadowed = `${all}  - { name: never, when: { subject: quote }, do: { review: look } }\n`;
  writeFileSync(join(folder, "new.yaml"), `only: { percent: 10 }\nelse: old.yaml\n${all}`);
  writeFileSync(join(folder, "old.yaml"), `only: { percent: 50 }\nelse: older.yaml\n${all}`);
  writeFileSync(join(folder, "older.yaml"), shadowed);
  const ended = await run("new.yaml");
  expect(ended.code).toBe(4);
  for (const name of ["new.yaml", "old.yaml"]) expect(ended.out).toContain(`${join(folder, name)}: accepted, 1 rule\n`);
  expect(ended.out).toContain(`${join(folder, "older.yaml")}:3: never: never read: all ends the reading`);
  const found = shapes["mapping check"].parse((await run("new.yaml", "--json")).json());
  expect(found).toMatchObject([{ file: join(folder, "older.yaml"), line: 3, rule: "never" }]);
  writeFileSync(join(folder, "older.yaml"), all);
  expect((await run("new.yaml")).code).toBe(0);
});
