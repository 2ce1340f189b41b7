/** docs/adding-a-crm.md, followed word by word in a copy of the sources: what it says works, or the page is out of date. */
import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const page = readFileSync(join(root, "docs", "adding-a-crm.md"), "utf8");
/** What the page touches is copied; what that needs besides is only pointed at. */
const copied = ["src/destinations", "src/sandbox", "examples", "scripts/new-crm.ts", "test/destinations"];
const pointedAt = [
  "node_modules",
  "package.json",
  "tsconfig.json",
  "vitest.config.ts",
  "test/support",
  "test/code-cache.ts",
];

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mailwright-adding-"));
  for (const path of copied) cpSync(join(root, path), join(folder, path), { recursive: true });
  const rooms = readdirSync(join(root, "src")).map((name) => `src/${name}`);
  for (const path of [...pointedAt, ...rooms.filter((room) => !copied.includes(room))])
    symlinkSync(join(root, path), join(folder, path));
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }), 240_000);

type Block =
  | { readonly kind: "run"; readonly text: string }
  | { readonly kind: "put"; readonly into: string; readonly text: string };

/** Shell blocks are run. A block of TypeScript goes into the file that the sentence before it names. */
function blocks(): Block[] {
  return [...page.matchAll(/```(sh|ts)\n([\s\S]*?)```/g)].map((found) => {
    const [, language, text = ""] = found;
    if (language === "sh") return { kind: "run", text };
    const into = [...page.slice(0, found.index).matchAll(/^In `([^`]+)`/gm)].at(-1)?.[1];
    if (into === undefined) throw new Error(`the page does not say where this goes: ${text}`);
    return { kind: "put", into, text };
  });
}

/** An import beside the others, everything else at the end of the file's list. */
function put(into: string, text: string): void {
  const path = join(folder, into);
  let source = readFileSync(path, "utf8");
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const at = line.startsWith("import ") ? source.search(/^import /m) : source.lastIndexOf("];");
    expect(at, `${into} has a place for: ${line}`).toBeGreaterThan(-1);
    source = `${source.slice(0, at)}${line}\n${source.slice(at)}`;
  }
  writeFileSync(path, source);
}

const run = promisify(execFile);
/** Vitest of the page must not take itself for a part of this one. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST")));

describe("the page", () => {
  test("leads from nothing to a connector that keeps the contract", async () => {
    const all = blocks();
    expect(all.map(({ kind }) => kind)).toEqual(["run", "put", "put", "run"]);
    let said = "";
    for (const block of all) {
      if (block.kind === "put") put(block.into, block.text);
      else {
        const { stdout } = await run("sh", ["-ec", block.text], { cwd: folder, env: { ...env, NO_COLOR: "1" } }).catch(
          (error) => {
            throw new Error(`${block.text}${error.stdout}${error.stderr}`);
          },
        );
        said += stdout;
      }
    }
    // As many as the page says, and none left out.
    expect(Number(/Tests\s+(\d+) passed \(\1\)/.exec(said)?.[1])).toBeGreaterThanOrEqual(30);
  }, 240_000);

  test("names files that are there once it was followed", () => {
    const named = [...page.matchAll(/`((?:src|test|docs|scripts|examples)\/[\w./-]+)`/g)].map(([, path = ""]) => path);
    expect(named.length).toBeGreaterThan(20);
    for (const path of named) {
      const made = path.replaceAll("oak", "acorn");
      expect(
        [root, join(root, "examples", "crm-skeleton")].some((place) => existsSync(join(place, made))),
        path,
      ).toBe(true);
    }
  });
});
