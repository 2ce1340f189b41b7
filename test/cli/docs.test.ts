/** The commands in the documentation are commands that the program has. */
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Command, CommanderError } from "commander";
import { describe, expect, test } from "vitest";
import { leavesOf, treeForShow } from "../../src/cli/page.ts";
import { cliSchema, shapes } from "../../src/cli/shapes.ts";
import { command } from "./stage.ts";

const root = join(import.meta.dirname, "..", "..");
const pages = ["README.md", ...globSync("docs/**/*.md", { cwd: root })].filter((page) => page !== "docs/cli.md").sort();

/** `mailwright ...` lines of shell blocks, and `mailwright ...` in backticks where it is a whole command. */
function commandsOf(page: string): string[] {
  const text = readFileSync(join(root, page), "utf8");
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = ""]) => block.split("\n"));
  return blocks
    .map((line) => line.replace(/\s+#.*$/, "").replace(/^npm run -s mailwright -- /, "mailwright "))
    .filter((line) => line.startsWith("mailwright "));
}

const words = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "").slice(1);

const commands = pages.flatMap((page) => commandsOf(page).map((line) => [page, line] as const));

test("there are commands to look at", () => {
  expect(commands.length).toBeGreaterThan(20);
});

test.each(commands)("%s: %s", async (_page, line) => {
  const tree = await treeForShow();
  const ran: string[] = [];
  for (const leaf of leavesOf(tree)) leaf.action(() => void ran.push(leaf.name()));
  await tree.parseAsync(words(line), { from: "user" }).catch((error: unknown) => {
    throw error instanceof CommanderError ? new Error(`${line}: ${error.message}`) : error;
  });
  expect(ran).toHaveLength(1);
});

describe("the published shapes", () => {
  test("every command that takes --json has one", async () => {
    const nameOf = (leaf: Command): string =>
      leaf.parent?.parent == null ? leaf.name() : `${nameOf(leaf.parent)} ${leaf.name()}`;
    const printing = leavesOf(await treeForShow())
      .filter(({ options }) => options.some(({ long }) => long === "--json"))
      .map(nameOf);
    expect(printing.filter((name) => !Object.hasOwn(shapes, name))).toEqual([]);
    // With an option behind it where that option prints another shape.
    expect(Object.keys(shapes).filter((name) => !printing.includes(name.replace(/ --.*/, "")))).toEqual([]);
  });

  test("docs/cli.schema.json is what the program publishes", () => {
    expect(JSON.parse(readFileSync(join(root, "docs/cli.schema.json"), "utf8"))).toEqual(
      JSON.parse(JSON.stringify(cliSchema())),
    );
  });
});

describe("the configuration in the README", () => {
  test("is accepted", async () => {
    const folder = mkdtempSync(join(tmpdir(), "mailwright-readme-"));
    try {
      const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
      writeFileSync(join(folder, "key"), "ab".repeat(32));
      writeFileSync(join(folder, "config.yaml"), yaml.replace("/run/secrets/mailwright.key", "./key"));
      const env = { HUBSPOT_TOKEN: "pat-na1-x" };
      const { code, err } = await command(["config", "check", "--config", join(folder, "config.yaml")], { env });
      expect({ code, err }).toEqual({ code: 0, err: "" });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
