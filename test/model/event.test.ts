/** What has been published of the canonical event stays: its fields, its examples, its codes. */
import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { exampleEvent, publishedFolder } from "../../scripts/event-examples.ts";
import { eventJsonSchema, type Schema, sections } from "../../scripts/event-page.ts";
import { parse } from "../../src/mail/parse.ts";
import { anomalyCodes } from "../../src/model/event/anomalies.ts";
import { eventSchema, schemaVersion } from "../../src/model/event.ts";

const root = join(import.meta.dirname, "..", "..");
const versions = readdirSync(publishedFolder).sort();
const readJson = (...path: string[]): unknown => JSON.parse(readFileSync(join(publishedFolder, ...path), "utf8"));
const publishedSchema = (version: string): Schema => readJson(version, "event.schema.json") as Schema;
const examples = versions.flatMap((version) =>
  readdirSync(join(publishedFolder, version))
    .filter((name) => name.endsWith(".eml"))
    .map((name) => ({ version, name: name.slice(0, -".eml".length) })),
);
const mailOf = (version: string, name: string): Buffer => readFileSync(join(publishedFolder, version, `${name}.eml`));

const typesOf = ({ type, anyOf, const: only }: Schema): readonly string[] => {
  if (anyOf !== undefined) return anyOf.flatMap(typesOf).sort();
  if (type === undefined) return only === undefined ? [] : [typeof only];
  return [type].flat().sort();
};
const solid = (schema: Schema): Schema => schema.anyOf?.find(({ type }) => type !== "null") ?? schema;

/** What a consumer of the published schema could no longer rely on. */
function broken(before: Schema, now: Schema | undefined, path: string): string[] {
  if (now === undefined) return [`${path} has vanished`];
  const types = typesOf(before).join();
  if (types !== typesOf(now).join()) return [`${path} was ${types} and is ${typesOf(now).join() || "anything"}`];
  const [old, today] = [solid(before), solid(now)];
  const gone = (old.enum ?? []).filter((value) => !(today.enum ?? []).includes(value));
  const lost = (old.required ?? []).filter((name) => !(today.required ?? []).includes(name));
  return [
    ...gone.map((value) => `${path} can no longer be ${String(value)}`),
    ...(old.enum === undefined && today.enum !== undefined ? [`${path} is narrowed to a choice`] : []),
    ...(old.const === today.const ? [] : [`${path} was ${String(old.const)}`]),
    ...lost.map((name) => `${path}.${name} may now be missing`),
    ...Object.entries(old.properties ?? {}).flatMap(([name, inside]) =>
      broken(inside, today.properties?.[name], `${path}.${name}`),
    ),
    ...(old.items === undefined ? [] : broken(old.items, today.items, `${path}[]`)),
    ...(old.prefixItems ?? []).flatMap((inside, at) => broken(inside, today.prefixItems?.[at], `${path}[${at}]`)),
  ];
}

/** Of a value against a schema as zod writes it. */
function faults(schema: Schema, value: unknown, path: string): string[] {
  if (value === null) return typesOf(schema).includes("null") ? [] : [`${path} is null`];
  const { type, properties = {}, required = [], items, enum: choices, const: only } = solid(schema);
  const kind = Array.isArray(value) ? "array" : Number.isInteger(value) ? "integer" : typeof value;
  const fits = [type ?? kind].flat().some((one) => one === kind || (one === "number" && kind === "integer"));
  if (!fits) return [`${path} is ${kind}, not ${String(type)}`];
  if (choices !== undefined && !choices.includes(value)) return [`${path} is ${String(value)}`];
  if (only !== undefined && only !== value) return [`${path} is not ${String(only)}`];
  if (Array.isArray(value)) {
    return items === undefined ? [] : value.flatMap((one, at) => faults(items, one, `${path}[${at}]`));
  }
  const fields = new Map<string, unknown>(typeof value === "object" ? Object.entries(value as object) : []);
  return [
    ...required.filter((name) => !fields.has(name)).map((name) => `${path}.${name} is missing`),
    ...Object.entries(properties).flatMap(([name, inside]) =>
      fields.has(name) ? faults(inside, fields.get(name), `${path}.${name}`) : [],
    ),
  ];
}

describe("a published version of the event", () => {
  test("is there for the version that the program writes", () => {
    expect(versions).toContain(`v${schemaVersion}`);
    expect(examples.filter(({ version }) => version === `v${schemaVersion}`).length).toBeGreaterThanOrEqual(3);
  });

  test.each(versions)("%s: no field has vanished, changed its type, or lost a value", (version) => {
    expect(broken(publishedSchema(version), eventJsonSchema() as Schema, "event")).toEqual([]);
  });

  test.each(examples)(
    "$version: the example $name is still an event, by its own schema and by today's",
    ({ version, name }) => {
      const example = readJson(version, `${name}.json`);
      expect(faults(publishedSchema(version), example, "event")).toEqual([]);
      expect(eventSchema.safeParse(example).error?.issues ?? []).toEqual([]);
    },
  );

  test.each(examples)(
    "$version: the mail $name gives an event today that its published schema accepts",
    async ({ version, name }) => {
      const event: unknown = JSON.parse(JSON.stringify(await exampleEvent(mailOf(version, name))));
      expect(faults(publishedSchema(version), event, "event")).toEqual([]);
    },
  );

  test("is open: a consumer that validates takes fields that come later", () => {
    expect(JSON.stringify(eventJsonSchema())).not.toContain("additionalProperties");
  });
});

describe("what would break a consumer", () => {
  const published: Schema = {
    type: "object",
    required: ["a"],
    properties: {
      a: { type: ["string", "null"] },
      b: { enum: ["x", "y"], type: "string" },
      c: { type: "array", items: { type: "string" } },
    },
  };
  const changed = (change: (schema: Record<string, Record<string, unknown>>) => void): string[] => {
    const now = structuredClone(published) as unknown as Record<string, Record<string, unknown>>;
    change(now);
    return broken(published, now as Schema, "e");
  };
  test.each<[string, string[]]>([
    ["nothing", changed(() => undefined)],
    ["a new field", changed(({ properties = {} }) => Object.assign(properties, { d: { type: "string" } }))],
    [
      "a new choice",
      changed(({ properties = {} }) => Object.assign(properties, { b: { type: "string", enum: ["x", "y", "z"] } })),
    ],
  ])("%s does not", (_, found) => {
    expect(found).toEqual([]);
  });
  test.each<[string, string[], string]>([
    ["a field that vanishes", changed(({ properties = {} }) => delete properties.b), "e.b has vanished"],
    [
      "null no more",
      changed(({ properties = {} }) => Object.assign(properties, { a: { type: "string" } })),
      "e.a was null,string and is string",
    ],
    [
      "a choice less",
      changed(({ properties = {} }) => Object.assign(properties, { b: { type: "string", enum: ["x"] } })),
      "e.b can no longer be y",
    ],
    [
      "a field that may be missing",
      changed((schema) => Object.assign(schema, { required: [] })),
      "e.a may now be missing",
    ],
    [
      "another list",
      changed(({ properties = {} }) => Object.assign(properties, { c: { type: "array", items: { type: "number" } } })),
      "e.c[] was string and is number",
    ],
  ])("%s does", (_, found, said) => {
    expect(found).toEqual([said]);
  });
});

test("every field of the event is described", () => {
  const fields = sections().flatMap(({ fields }) => fields);
  expect(fields.length).toBeGreaterThan(150);
  const silent = fields.filter(({ schema }) => (schema.description ?? solid(schema).description ?? "") === "");
  expect(silent.map(({ path }) => path)).toEqual([]);
});

describe("the codes of anomalies", () => {
  /** Where src says a code: as an argument of add and push, as a property, in a list of anomalies. */
  const written =
    /(?:\badd|\bpush|\bnote|\banomaly)\(\s*"([a-z0-9]+(?:_[a-z0-9]+)+)"|\bcode: "([a-z0-9]+(?:_[a-z0-9]+)+)"|\banomalies: (?:[^[\n]*\? )?\[([^\]\n]*)\]/g;
  /** Reasons of trust, and what a look into a file finds, have codes of their own, which the compiler holds to their tables. */
  const isElsewhere = (file: string): boolean => /trust|inspect|extract\.ts/.test(file);
  const files = globSync(["src/mail/**/*.ts", "src/pipeline/prepare.ts", "src/cli/commands/parse.ts"], { cwd: root });
  const emitted = files
    .filter((file) => !isElsewhere(file))
    .flatMap((file) =>
      [...readFileSync(join(root, file), "utf8").matchAll(written)].flatMap(([, called, property, list = ""]) => {
        const codes = [called, property, ...[...list.matchAll(/"([a-z0-9_]+)"/g)].map(([, code]) => code)];
        return codes.filter((code) => code !== undefined).map((code) => ({ file, code }));
      }),
    );

  test("are all in the table that the page prints: add what is missing to src/model/event/anomalies.ts", () => {
    expect(emitted.length).toBeGreaterThan(20);
    expect(emitted.filter(({ code }) => !Object.hasOwn(anomalyCodes, code))).toEqual([]);
  });

  test("are sorted, snake_case, and say what they mean", () => {
    expect(Object.keys(anomalyCodes)).toEqual(Object.keys(anomalyCodes).sort());
    for (const [code, meaning] of Object.entries(anomalyCodes)) {
      expect(code).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
      expect(meaning).toMatch(/^[A-Z].{20,}\.$/);
    }
  });

  test("that the corpus and odd bytes give are all in the table", async () => {
    const mails = globSync("corpus/**/*.eml", { cwd: root }).map((file) => readFileSync(join(root, file)));
    const odd = ["", "\0", "From: a@b(c).d\r\nFrom: x\r\nDate: x\r\nMessage-ID: =?x?q?y?=\r\n\r\n\0\xff"];
    const events = await Promise.all(
      [...mails, ...odd.map((text) => Buffer.from(text, "latin1"))].map((raw) => parse(raw)),
    );
    const codes = events.flatMap(({ anomalies, message }) => [
      ...anomalies.map(({ code }) => code),
      ...[message.from, ...message.to, ...message.cc].flatMap((address) => address?.anomalies ?? []),
    ]);
    expect([...new Set(codes)].filter((code) => !Object.hasOwn(anomalyCodes, code))).toEqual([]);
  });
});
