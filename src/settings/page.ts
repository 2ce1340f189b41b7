/** docs/configuration.md, written from the schema: a table per section. */
import type { Outline } from "./outline.ts";
import { configurationOutline } from "./schema.ts";

const introduction = `# Configuration

One YAML file, \`--config FILE\`, by default \`config/mailwright.yaml\`. The shortest one that works:

\`\`\`yaml
tenants:
  - id: acme
    recipients: ["*@inbound.example.com"]
\`\`\`

- **References.** Any value may be or hold \`\${env:NAME}\`, \`\${env:NAME:-default}\` or \`\${file:PATH}\` (the file's text without its last
  line end). \`$\${\` stands for the characters \`\${\` themselves.
- **Overrides.** Any key can be set from the environment: \`MAILWRIGHT__HTTP__PORT=9000\`, list entries by their number:
  \`MAILWRIGHT__TENANTS__0__ID=acme\`. The environment wins over the file.
- **Paths** are relative to the file that names them; in an override, to the folder the program runs in.
- **Durations** are a whole number and a unit: \`500ms\`, \`15s\`, \`10m\`, \`72h\`, \`90d\`. **Sizes** are bytes, or \`64KiB\`, \`35MiB\`, \`1GiB\`.
- **Mistakes** stop the program before it starts (exit code 3): every one is told with file, line and column, what was found, what is
  expected, and the nearest known key. \`mailwright config check\` does only that. \`config/schema.json\` gives editors the same rules.
- **Secrets** (marked) are never printed. On SIGHUP they are read again, as mapping files are; all else needs a restart, and so do
  \`seal.key\` and \`http.operators\`.
`;

/** The whole page. */
export function configurationPage(): string {
  return `${[introduction, ...sections(configurationOutline, [])].join("\n").trimEnd()}\n`;
}

interface Row {
  readonly key: string;
  readonly outline: Outline;
  readonly isRequired: boolean;
}

function rowsOf(outline: Outline): readonly Row[] {
  const required = outline.required ?? [];
  return Object.entries(outline.properties ?? {}).map(([key, value]) => ({
    key,
    outline: value,
    isRequired: required.includes(key),
  }));
}

/** What stands in a section of its own: mappings, lists of mappings, and the alternatives of such a list. */
function inner(outline: Outline): readonly { readonly outline: Outline; readonly suffix: string }[] {
  if (outline.properties) return Object.keys(outline.properties).length > 0 ? [{ outline, suffix: "" }] : [];
  const items = outline.items;
  if (outline.oneOf)
    return outline.oneOf.map((branch) => ({
      outline: branch,
      suffix: ` with type: ${String(branch.properties?.type?.const)}`,
    }));
  if (items?.oneOf) {
    return items.oneOf.map((branch) => ({
      outline: branch,
      suffix: `[] with type: ${String(branch.properties?.type?.const)}`,
    }));
  }
  return items?.properties ? [{ outline: items, suffix: "[]" }] : [];
}

function sections(outline: Outline, path: readonly string[]): readonly string[] {
  const rows = rowsOf(outline);
  const title = path.length === 0 ? "Top level" : `\`${path.join(".")}\``;
  const intro = path.length === 0 || outline.description === undefined ? [] : [outline.description, ""];
  const table = ["| key | value | default | meaning |", "|---|---|---|---|", ...rows.map(rowText)];
  const nested = rows.flatMap(({ key, outline: value }) =>
    inner(value).flatMap(({ outline: next, suffix }) =>
      sections(
        {
          ...next,
          ...((next.description ?? value.description) ? { description: next.description ?? value.description } : {}),
        },
        [...path, `${key}${suffix}`],
      ),
    ),
  );
  return [`## ${title}`, "", ...intro, ...table, "", ...nested];
}

function rowText({ key, outline, isRequired }: Row): string {
  const initial = isRequired ? "required" : outline.default === undefined ? "" : code(JSON.stringify(outline.default));
  const shown = initial === code("{}") ? "" : initial;
  const secret = outline.secret === true ? " **Secret.**" : "";
  return `| ${code(key)} | ${cell(kindOf(outline))} | ${cell(shown)} | ${cell((outline.description ?? "") + secret)} |`;
}

function kindOf(outline: Outline): string {
  if (outline.const !== undefined) return code(String(outline.const));
  if (outline.oneOf) return "mapping";
  if (outline.enum) return outline.enum.map((value) => code(String(value))).join(", ");
  if (outline.anyOf) {
    const kinds = outline.anyOf.map(kindOf);
    // A size may be written as a bare number of bytes, which its own word covers.
    return kinds.includes("size") ? "size" : kinds.join(" or ");
  }
  if (outline.path === true) return "path";
  switch (outline.type) {
    case "array":
      return outline.items?.properties || outline.items?.oneOf
        ? "list of mappings"
        : `list of ${plural(kindOf(outline.items ?? {}))}`;
    case "object":
      return "mapping";
    case "integer":
      return `whole number${range(outline)}`;
    case "number":
      return `number${range(outline)}`;
    case "boolean":
      return `${code("true")} or ${code("false")}`;
    default:
      return textKind(outline);
  }
}

function textKind(outline: Outline): string {
  const pattern = outline.pattern ?? "";
  if (pattern.includes("ms|s|m|h|d")) return "duration";
  return pattern.includes("KiB") ? "size" : "text";
}

function range({ minimum, maximum }: Outline): string {
  // zod writes the limits of safe integers where the schema has none.
  const most = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  const least = minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined;
  if (least !== undefined && most !== undefined) return `, ${least} to ${most}`;
  if (least !== undefined) return `, at least ${least}`;
  return most === undefined ? "" : `, at most ${most}`;
}

function plural(kind: string): string {
  return kind === "text" ? "texts" : `${kind}s`;
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A vertical bar would end the cell. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
