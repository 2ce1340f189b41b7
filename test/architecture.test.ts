/** The house rules that can be read off the sources: who imports whom, one package in one file, ports for time and chance. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { citations, obsolete, standards } from "../scripts/standards.ts";
import { mayImport, packageHomes, restrictedImports } from "./house.ts";

const root = new URL("..", import.meta.url).pathname;
const files = globSync(["src/**/*.ts", "bin/**/*.ts"], { cwd: root }).sort();
const textOf = new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));
const read = (file: string): string => textOf.get(file) ?? "";

/** Comments and the insides of plain strings are no code. Regular expressions are left alone; the rules below look for whole calls. */
function codeOf(file: string): string {
  return read(file)
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/^\s*\/\/.*$|(?<=[;,{}\s])\/\/ .*$/gm, "");
}

function importsOf(file: string): readonly string[] {
  const code = codeOf(file);
  const statement = /^(?:import|export)\s[^"`;]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"/gm;
  const onUse = /\bimport\(\s*"([^"]+)"|\bnew URL\(\s*"(\.[^"]+\.[tj]s)"/g;
  const found = [...code.matchAll(statement), ...code.matchAll(onUse)];
  return found.map(([, first, second]) => first ?? second ?? "");
}

/** `src/mail/parse.ts` is in `mail`; `src/main.ts` and `src/main/*` are `main`. */
function roomOf(file: string): string {
  const [top = "", second = ""] = file.split("/");
  return top === "src" ? second.replace(/\.ts$/, "") : top;
}

function mayReach(from: string, target: string): boolean {
  const room = roomOf(from);
  if (room === "main" || roomOf(target) === room) return true;
  return (mayImport[room] ?? []).some((allowed) => roomOf(target) === allowed || target === `src/${allowed}`);
}

interface Override {
  readonly includes: readonly string[];
  readonly linter: {
    readonly rules: { readonly style?: { readonly noRestrictedImports: { readonly options: unknown } } };
  };
}

test("there are files to look at", () => {
  expect(files.length).toBeGreaterThan(50);
});

describe("who imports whom", () => {
  test("Biome says the same at edit time", () => {
    const biome = JSON.parse(readFileSync(join(root, "biome.json"), "utf8")) as { overrides: readonly Override[] };
    const said = Object.keys(mayImport).map((room) => {
      const folder = room === "bin" ? "bin/**" : `src/${room}/**`;
      const override = biome.overrides.find(({ includes }) => includes.includes(folder) && includes.length === 1);
      return [room, override?.linter.rules.style?.noRestrictedImports.options];
    });
    expect(Object.fromEntries(said)).toEqual(
      Object.fromEntries(Object.keys(mayImport).map((room) => [room, restrictedImports(room)])),
    );
  });

  test("every room is in the table", () => {
    expect([...new Set(files.map(roomOf))].filter((room) => room !== "main" && mayImport[room] === undefined)).toEqual(
      [],
    );
  });

  test("no file reaches into a room that its own must not know", () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => target.startsWith("."))
        .map((target) => normalize(join(dirname(file), target)))
        .filter((target) => !mayReach(file, target))
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test("every relative import names a file that is there, with its ending", () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => target.startsWith(".") && !existsSync(join(root, dirname(file), target)))
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test("vendors and sources never import each other", () => {
    const leafOf = (file: string): string => file.split("/").slice(0, 3).join("/").replace(/\.ts$/, "");
    const wrong = files
      .filter((file) => /^src\/(destinations|sources)\//.test(file) && !file.endsWith("/index.ts"))
      .flatMap((file) =>
        importsOf(file)
          .map((target) => normalize(join(dirname(file), target)))
          .filter((target) => roomOf(target) === roomOf(file) && leafOf(target) !== leafOf(file))
          .filter((target) => textOf.has(leafFile(leafOf(target))) && textOf.has(leafFile(leafOf(file))))
          .map((target) => `${file} imports ${target}`),
      );
    expect(wrong).toEqual([]);
  });
});

/** The file that makes a folder entry a leaf of its own (`destinations/hubspot.ts` for `destinations/hubspot/`). */
function leafFile(leaf: string): string {
  return `${leaf}.ts`;
}

test("a parser child loads no list of domains: it says what bytes hold, and knows nobody", () => {
  const reached = new Set<string>();
  const walk = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const target of importsOf(file)) if (target.startsWith(".")) walk(normalize(join(dirname(file), target)));
  };
  walk("src/pipeline/parse-child.ts");
  expect(reached).toContain("src/mail/parse.ts");
  expect([...reached].filter((file) => file.includes("people") || file.includes("domains"))).toEqual([]);
});

describe("one package, one place", () => {
  const packageOf = (target: string): string =>
    target
      .split("/")
      .slice(0, target.startsWith("@") ? 2 : 1)
      .join("/");
  const uses = files.flatMap((file) =>
    importsOf(file)
      .filter((target) => !target.startsWith(".") && !target.startsWith("node:"))
      .map((target) => ({ file, name: packageOf(target) })),
  );

  test("no package is imported outside its home", () => {
    const wrong = uses.filter(({ file, name }) => !(packageHomes[name] ?? []).some((home) => file.startsWith(home)));
    expect(wrong.map(({ file, name }) => `${file} imports ${name}`)).toEqual([]);
  });

  test("every dependency is imported somewhere, and every import is a dependency", () => {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
      peerDependencies: Record<string, string>;
    };
    const asked = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    expect([...new Set(uses.map(({ name }) => name))].sort()).toEqual(asked.sort());
  });

  test("what a user may do without is loaded on use, and else only its types are named", () => {
    const { peerDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      peerDependencies: Record<string, string>;
    };
    const optional = Object.keys(peerDependencies);
    const statement = /^(?:import|export)\s+(?!type\b)[^"`;]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"/gm;
    const atOnce = files.flatMap((file) =>
      [...codeOf(file).matchAll(statement)]
        .filter(([, first, second]) => optional.includes(packageOf(first ?? second ?? "")))
        .map(([text]) => `${file}: ${text}`),
    );
    expect(optional.length).toBeGreaterThan(0);
    expect(atOnce).toEqual([]);
  });

  test("mail and mapping do no input or output", () => {
    const io = /^node:(fs|net|http|https|http2|tls|dns|child_process|worker_threads|dgram|cluster|sqlite)(\/|$)/;
    const wrong = files.filter(
      (file) => ["mail", "mapping"].includes(roomOf(file)) && importsOf(file).some((target) => io.test(target)),
    );
    expect(wrong).toEqual([]);
  });
});

test("time, chance and the environment come in through ports, except in main and settings", () => {
  const forbidden = /\bDate\.now\(|\bnew Date\(\s*\)|\bMath\.random\(|\bprocess\.env\b/g;
  const wrong = files
    .filter((file) => !["main", "settings"].includes(roomOf(file)))
    .flatMap((file) => [...codeOf(file).matchAll(forbidden)].map(([call]) => `${file}: ${call}`));
  expect(wrong).toEqual([]);
});

describe("how a file looks", () => {
  test("each opens with a sentence that says what it is responsible for", () => {
    const wrong = files.filter((file) => !/^(#!.*\n)?\/\*\*[\s*]+\S[\s\S]{20,}?[.?:]\s/.test(read(file)));
    expect(wrong).toEqual([]);
  });

  test("none is longer than 400 lines", () => {
    const long = files
      .map((file) => ({ file, lines: read(file).split("\n").length - 1 }))
      .filter(({ lines }) => lines > 400);
    expect(long).toEqual([]);
  });

  test("names are the field's own words, never the ones that are written when the noun was not found", () => {
    const banned = /(^|[/.-])(manager|handler|service|processor|helper|util|common|misc)s?([./-]|$)/i;
    expect(files.filter((file) => banned.test(file))).toEqual([]);
    const named = /\b(?:class|interface|type|function)\s+\w*(?:Manager|Handler|Service|Helper|Utils?)\b/;
    expect(files.filter((file) => named.test(codeOf(file)))).toEqual([]);
  });

  test("nothing is left for later", () => {
    expect(files.filter((file) => /\b(TODO|FIXME|XXX|HACK)\b|@ts-ignore|@ts-nocheck/.test(read(file)))).toEqual([]);
  });
});

describe("the lists of leaves", () => {
  test.each(["sources", "destinations"])("every file in src/%s is in its index.ts", (room) => {
    const leaves = globSync(`src/${room}/*.ts`, { cwd: root }).filter((file) => !file.endsWith("/index.ts"));
    const listed = importsOf(`src/${room}/index.ts`).map((target) => normalize(join("src", room, target)));
    expect(leaves.filter((leaf) => !listed.includes(leaf))).toEqual([]);
    expect(leaves.length).toBeGreaterThan(0);
  });
});

describe("standards", () => {
  const cited = citations();
  const listed = standards.map(({ number }) => number);

  test("every RFC that the sources cite has its row: add it to scripts/standards.ts", () => {
    expect([...cited.keys()].filter((number) => !listed.includes(number))).toEqual([]);
  });

  test("every row is cited where it decides something, and rows are sorted", () => {
    expect(listed.filter((number) => !cited.has(number))).toEqual([]);
    expect(listed).toEqual([...new Set(listed)].sort((a, b) => a - b));
  });

  test("none is cited that another has replaced", () => {
    expect(
      [...cited.keys()]
        .filter((number) => obsolete.has(number))
        .map((number) => `${number}: cite ${obsolete.get(number)}`),
    ).toEqual([]);
  });
});
