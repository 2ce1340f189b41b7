/** Writes every generated file of the repository; with `--check`, says which differ from what would be written, and fails. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cliPage } from "../src/cli/page.ts";
import { cliSchema } from "../src/cli/shapes.ts";
import { configSchema, mappingCasesJsonSchema, mappingJsonSchema } from "../src/settings/index.ts";
import { configurationPage } from "../src/settings/page.ts";
import { metricsPage } from "../src/watch/index.ts";
import { eventJsonSchema, eventPage } from "./event-page.ts";
import { standardsPage } from "./standards.ts";
import { trustPage } from "./trust-page.ts";

export interface Generated {
  /** Relative to the root of the repository. */
  readonly path: string;
  readonly make: () => string | Promise<string>;
}

/** Sorted by path, one a line. A page made from code elsewhere is a line here. */
export const generated: readonly Generated[] = [
  { path: "config/event.schema.json", make: () => json(eventJsonSchema()) },
  { path: "config/mapping-cases.schema.json", make: () => json(mappingCasesJsonSchema()) },
  { path: "config/mapping.schema.json", make: () => json(mappingJsonSchema()) },
  { path: "config/schema.json", make: () => json(configSchema()) },
  { path: "docs/cli.md", make: cliPage },
  { path: "docs/cli.schema.json", make: () => json(cliSchema()) },
  { path: "docs/configuration.md", make: configurationPage },
  { path: "docs/event.md", make: eventPage },
  { path: "docs/metrics.md", make: metricsPage },
  { path: "docs/standards.md", make: standardsPage },
  { path: "docs/trust.md", make: trustPage },
];

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

const root = join(import.meta.dirname, "..");

function written(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch {
    return undefined;
  }
}

/** The paths whose file is not what the code would write now. */
export async function drifted(): Promise<readonly string[]> {
  const rows = await Promise.all(
    generated.map(async ({ path, make }) => ({ path, isCurrent: (await make()) === written(path) })),
  );
  return rows.filter(({ isCurrent }) => !isCurrent).map(({ path }) => path);
}

async function write(): Promise<readonly string[]> {
  const stale = await drifted();
  for (const { path, make } of generated.filter((entry) => stale.includes(entry.path))) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), await make());
  }
  return stale;
}

if (import.meta.main) {
  const isCheck = process.argv.includes("--check");
  const paths = isCheck ? await drifted() : await write();
  const told = paths.map((path) => `${isCheck ? "differs" : "written"}: ${path}\n`).join("");
  process.stdout.write(told || "generated files are up to date\n");
  if (isCheck && paths.length > 0) {
    process.stderr.write("Run `npm run generate` and commit what it writes.\n");
    process.exitCode = 1;
  }
}
