/** What is made from the schema: the editor's schema, the page, and the configuration that is shipped. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { drifted, generated } from "../../scripts/generate.ts";
import { configSchema, loadSettings } from "../../src/settings/index.ts";
import type { Outline } from "../../src/settings/outline.ts";
import { configurationOutline } from "../../src/settings/schema.ts";

const root = join(import.meta.dirname, "../..");

function everyKey(outline: Outline, path = ""): readonly { path: string; key: string; outline: Outline }[] {
  const own = Object.entries(outline.properties ?? {}).flatMap(([key, value]) => [
    { path: `${path}${key}`, key, outline: value },
    ...everyKey(value, `${path}${key}.`),
  ]);
  const inside = [outline.items, ...(outline.oneOf ?? []), ...(outline.anyOf ?? [])].flatMap((next) =>
    next ? everyKey(next, path) : [],
  );
  return [...own, ...inside];
}
const keys = everyKey(configurationOutline);

test("generated files are what the code writes: run `npm run generate` when this fails", async () => {
  expect(await drifted()).toEqual([]);
});

test("the list of generated files is sorted and names each once", () => {
  const paths = generated.map(({ path }) => path);
  expect(paths).toEqual([...new Set(paths)].sort());
});

describe("every key", () => {
  test.each(keys.map(({ path, outline }) => [path, outline] as const))("%s says what it is for", (_, outline) => {
    expect(outline.description?.length ?? 0).toBeGreaterThan(10);
  });

  test("that is a secret takes a reference, and has no default that could be published", () => {
    const secrets = keys.filter(({ outline }) => outline.secret === true);
    expect(secrets.length).toBeGreaterThan(0);
    expect(secrets.filter(({ outline }) => outline.type !== "string" || outline.default !== undefined)).toEqual([]);
  });

  test("whose name says token, secret or password is marked as a secret, and whose value is a file as a path", () => {
    const unmarked = keys.filter(
      // A number of tokens is no token.
      ({ key, outline }) =>
        /token|secret|password|api_key/.test(key) && outline.secret !== true && outline.type !== "integer",
    );
    expect(unmarked.map(({ path }) => path)).toEqual([]);
    const files = keys.filter(
      ({ outline }) => /^(PEM )?(file|folder)\b/i.test(outline.description ?? "") && outline.path !== true,
    );
    expect(files.map(({ path }) => path)).toEqual([]);
  });

  test("stands in docs/configuration.md", () => {
    const page = readFileSync(join(root, "docs/configuration.md"), "utf8");
    expect(keys.filter(({ key }) => !page.includes(`| \`${key}\` |`)).map(({ path }) => path)).toEqual([]);
  });
});

test("the schema for editors lets a reference stand for a number, a choice or a duration, and still refuses unknown keys", () => {
  const schema = configSchema() as unknown as Outline & { properties: Record<string, Outline> };
  expect(schema.additionalProperties).toBe(false);
  for (const [section, key] of [
    ["http", "port"],
    ["log", "level"],
    ["retention", "raw"],
    ["limits", "inline_bytes"],
  ] as const) {
    expect(schema.properties[section]?.properties?.[key]?.anyOf).toContainEqual({ $ref: "#/$defs/reference" });
  }
});

test("the configuration that is shipped works as it is, with nothing in the environment", () => {
  expect(loadSettings(join(root, "config/mailwright.yaml"), {})).toMatchObject({
    data_dir: join(root, "config/data"),
    smtp: { host: "0.0.0.0", port: 2525 },
    http: { host: "127.0.0.1", port: 8025 },
    tenants: [{ id: "acme", recipients: ["*@inbound.example.com"], destinations: [{ id: "crm", type: "local" }] }],
  });
});
