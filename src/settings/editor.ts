/** The JSON Schema that editors check the configuration file against. */
import { mappingOutline } from "./mapping.ts";
import { casesOutline } from "./mapping-cases.ts";
import type { Outline } from "./outline.ts";
import { configurationOutline } from "./schema.ts";

const reference = {
  type: "string",
  pattern: "\\$\\{(env|file):[^}]+\\}",
  description: "${env:NAME}, ${env:NAME:-default} or ${file:PATH}",
} as const;

/** The schema of the file as written: before defaults, and with references allowed wherever a value is. */
export function configSchema(): Record<string, unknown> {
  return {
    title: "Mailwright configuration",
    ...withReferences(configurationOutline),
    $defs: { reference },
  };
}

/** For the mapping file, which holds no references. */
export function mappingJsonSchema(): Record<string, unknown> {
  return { title: "Mailwright mapping", ...mappingOutline };
}

/** For files of cases, which hold none either. */
export function mappingCasesJsonSchema(): Record<string, unknown> {
  return { title: "Mailwright mapping cases", ...casesOutline };
}

/** What a plain text could not stand for gets the reference as a second form. */
function withReferences(outline: Outline): Record<string, unknown> {
  const { description, default: initial, ...form } = outline;
  const isStrict =
    outline.pattern !== undefined ||
    outline.enum !== undefined ||
    ["integer", "number", "boolean"].includes(outline.type ?? "");
  const around = {
    ...(description === undefined ? {} : { description }),
    ...(initial === undefined ? {} : { default: initial }),
  };
  if (isStrict) return { ...around, anyOf: [form, { $ref: "#/$defs/reference" }] };
  if (outline.anyOf) return { ...around, anyOf: [...outline.anyOf, { $ref: "#/$defs/reference" }] };
  return {
    ...around,
    ...form,
    ...(outline.properties && { properties: mapValues(outline.properties) }),
    ...(outline.items && { items: withReferences(outline.items) }),
    ...(outline.oneOf && { oneOf: outline.oneOf.map(withReferences) }),
  };
}

function mapValues(properties: Readonly<Record<string, Outline>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, withReferences(value)]));
}
