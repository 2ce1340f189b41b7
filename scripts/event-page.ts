/** Makes docs/event.md: the canonical event field by field, from its schema, with the committed examples and the table of anomalies. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { addressSchema } from "../src/model/event/address.ts";
import { anomalyCodes } from "../src/model/event/anomalies.ts";
import { eventSchema, schemaVersion } from "../src/model/event.ts";

/** The part of JSON Schema that zod makes of the event. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly additionalProperties?: unknown;
  /** Ours: the type has a section of its own. */
  readonly named?: string;
}

/** Types that stand in several places. */
const named = new Map<unknown, string>([[addressSchema, "Address"]]);

/** As published: open to fields that a later version adds. */
export function eventJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(eventSchema, { io: "input" }), title: "Mailwright event" };
}

function shownSchema(): Schema {
  const mark = ({ zodSchema, jsonSchema }: { zodSchema: unknown; jsonSchema: object }): void => {
    const name = named.get(zodSchema);
    if (name !== undefined) Object.assign(jsonSchema, { named: name });
  };
  return z.toJSONSchema(eventSchema, { io: "input", override: mark }) as Schema;
}

interface Field {
  readonly path: string;
  readonly schema: Schema;
  readonly optional: boolean;
}
interface Section {
  readonly title: string;
  readonly about: string;
  readonly fields: readonly Field[];
}

/** Every field of the event, in the order of the schema; a named type once. */
export function sections(): readonly Section[] {
  const found: Section[] = [];
  const seen = new Set<string>();
  const visit = (title: string, prefix: string, schema: Schema): void => {
    const fields = Object.entries(schema.properties ?? {}).map(([name, inside]) => ({
      path: `${prefix}${name}`,
      schema: inside,
      optional: !(schema.required ?? []).includes(name),
    }));
    found.push({ title, about: schema.description ?? "", fields });
    for (const { path, schema: field } of fields) {
      const { inside, suffix } = objectIn(field);
      if (inside === undefined) continue;
      if (inside.named === undefined) visit(`${path}${suffix}`, `${path}${suffix}.`, inside);
      else if (!seen.has(inside.named)) {
        seen.add(inside.named);
        later.push(inside);
      }
    }
  };
  const later: Schema[] = [];
  visit("The event", "", shownSchema());
  for (const schema of later) visit(schema.named ?? "", "", schema);
  return found;
}

/** The object that a field is, or is a list of. */
function objectIn(schema: Schema): { inside: Schema | undefined; suffix: string } {
  const { schema: solid } = withoutNull(schema);
  if (solid.items !== undefined) return { inside: objectIn(solid.items).inside, suffix: "[]" };
  return { inside: solid.properties === undefined ? undefined : solid, suffix: "" };
}

/** zod writes null into `type` where that is a plain one, and beside it where it is not. */
function withoutNull(schema: Schema): { schema: Schema; nullable: boolean } {
  if (Array.isArray(schema.type)) {
    const [type = "any"] = schema.type.filter((one) => one !== "null");
    return { schema: { ...schema, type }, nullable: true };
  }
  const [only, ...more] = schema.anyOf?.filter(({ type }) => type !== "null") ?? [];
  return only === undefined || more.length > 0 ? { schema, nullable: false } : { schema: only, nullable: true };
}

function typeOf(schema: Schema): string {
  const { schema: solid } = withoutNull(schema);
  if (solid.named !== undefined) return `[${solid.named}](#${solid.named.toLowerCase()})`;
  if (solid.const !== undefined) return `\`${JSON.stringify(solid.const)}\``;
  if (solid.enum !== undefined) return solid.enum.map((value) => `\`${String(value)}\``).join(", ");
  if (solid.prefixItems !== undefined) return `[${solid.prefixItems.map(typeOf).join(", ")}]`;
  if (solid.items !== undefined) return `list of ${typeOf(solid.items)}`;
  return String(solid.type ?? "any");
}

const meaningOf = (schema: Schema): string => schema.description ?? withoutNull(schema).schema.description ?? "";

/** Markdown takes a bare angle bracket for HTML; in code it stands for itself. */
const cell = (text: string): string =>
  text
    .replaceAll("|", "\\|")
    .split("`")
    .map((piece, at) => (at % 2 === 0 ? piece.replaceAll("<", "&lt;") : piece))
    .join("`");

function row({ path, schema, optional }: Field): string {
  const meaning = meaningOf(schema);
  const standards = [...meaning.matchAll(/RFC (\d+)( §[\d.]*\d)?/g)].map(
    ([, number, section = ""]) => `[${number}${section}](https://www.rfc-editor.org/rfc/rfc${number})`,
  );
  const said = meaning.replace(/ ?\((RFC \d+( §[\d.]*\d)?(, )?)+\)/g, "");
  const absent = optional ? "may be missing" : withoutNull(schema).nullable ? "null" : "";
  return `| \`${path}\` | ${typeOf(schema)} | ${absent} | ${cell(said)} | ${standards.join(", ")} |`;
}

const examplesFolder = join(import.meta.dirname, "..", "test", "model", "events", `v${schemaVersion}`);

function examples(): string[] {
  return readdirSync(examplesFolder)
    .filter((name) => name.endsWith(".json") && name !== "event.schema.json")
    .sort()
    .flatMap((name) => {
      const json = readFileSync(join(examplesFolder, name), "utf8").trimEnd();
      const mail = readFileSync(join(examplesFolder, name.replace(/\.json$/, ".eml")), "utf8").trimEnd();
      const title = name.replace(/\.json$/, "").replaceAll("-", " ");
      return [`### ${title}`, "", "````", mail, "````", "", "```json", json, "```", ""];
    });
}

export function eventPage(): string {
  const lines = sections().flatMap(({ title, about, fields }, at) => [
    `${at === 0 ? "##" : "###"} ${at === 0 || fields.length === 0 ? title : title.includes(" ") ? title : codeUnlessNamed(title)}`,
    "",
    ...(about === "" || at === 0 ? [] : [cell(about), ""]),
    "| field | type | where absent | meaning | RFC |",
    "|---|---|---|---|---|",
    ...fields.map(row),
    "",
  ]);
  return [
    "# The canonical event",
    "",
    "Generated from the schema by `npm run generate`: do not edit. `mailwright parse FILE.eml` prints the event of a mail;",
    "[config/event.schema.json](../config/event.schema.json) is the same as JSON Schema.",
    "",
    `This is \`schema_version\` ${schemaVersion}. Within a version fields are only ever added, and a field keeps its name, its type and its`,
    "meaning. So: ignore fields that you do not know, treat a value of a list of choices that you do not know like the most general one, and",
    "compare `anomalies[].code` with the codes you care about, since new ones come.",
    "",
    "Lists are never null. Text is well-formed Unicode in NFC without control characters; only `text`, `html` and what is cut out of them hold",
    "line ends, as LF. What a limit cut is said in `message.truncated` and in `anomalies`; the raw message is always whole.",
    "",
    ...lines,
    "## Anomalies",
    "",
    "What is odd about a message is data: each code is stable. Codes of an address stand in `anomalies` of that address.",
    "",
    "| code | meaning |",
    "|---|---|",
    ...Object.entries(anomalyCodes).map(([code, meaning]) => `| \`${code}\` | ${cell(meaning)} |`),
    "",
    "## Examples",
    "",
    "Whole events, each below the mail it was made of. A test keeps every published example valid.",
    "",
    ...examples(),
  ].join("\n");
}

const codeUnlessNamed = (title: string): string => ([...named.values()].includes(title) ? title : `\`${title}\``);
