/** The package that an administrator deploys has the fields that the connector uses, as the sandbox has them, and lets the daemon's user set each. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { apiVersion } from "../../src/destinations/salesforce/api.ts";
import { neededFields } from "../../src/destinations/salesforce/doctor.ts";
import { defaultOptions } from "../../src/sandbox/salesforce/options.ts";
import { openSchema } from "../../src/sandbox/salesforce/schema.ts";

const root = new URL("../../deploy/salesforce/", import.meta.url);
const source = new URL("force-app/main/default/", root);
const read = (path: string, base = source): string => readFileSync(new URL(path, base), "utf8");
const tags = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map(([, text = ""]) => text);

const needed = Object.entries(neededFields)
  .flatMap(([object, fields]) => fields.map((field) => `${object}.${field}`))
  .sort();

test("every field is there, in the manifest and in the permission set, and no other", () => {
  const found = readdirSync(new URL("objects/", source)).flatMap((object) =>
    readdirSync(new URL(`objects/${object}/fields/`, source)).map((file) => `${object}.${file.split(".")[0]}`),
  );
  expect(found.sort()).toEqual(needed);
  expect(tags(read("manifest/package.xml", root), "members").sort()).toEqual([...needed, "Mailwright"].sort());
  const permissions = read("permissionsets/Mailwright.permissionset-meta.xml");
  expect(tags(permissions, "field").sort()).toEqual(needed);
  expect(tags(permissions, "editable").every((value) => value === "true")).toBe(true);
});

test.each(needed.map((name) => name.split(".") as [string, string]))(
  "%s.%s is what the sandbox has",
  (object, name) => {
    const xml = read(`objects/${object}/fields/${name}.field-meta.xml`);
    const field = openSchema({ ...defaultOptions, prepared: true }).field(object as keyof typeof neededFields, name);
    expect(tags(xml, "fullName")).toEqual([name]);
    expect(tags(xml, "length")).toEqual([String(field?.length)]);
    const one = (tag: string): boolean => tags(xml, tag)[0] === "true";
    expect([one("unique"), one("externalId")]).toEqual([field?.unique, field?.externalId]);
    expect(tags(xml, "type")).toEqual([field?.type === "textarea" ? "LongTextArea" : "Text"]);
    // A required field would break every other way in which such records are made.
    expect(one("required")).toBe(false);
  },
);

test("one API version everywhere", () => {
  const bare = apiVersion.slice(1);
  expect(tags(read("manifest/package.xml", root), "version")).toEqual([bare]);
  expect(JSON.parse(read("sfdx-project.json", root))).toMatchObject({ sourceApiVersion: bare });
});
