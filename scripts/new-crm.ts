/** Copies the skeleton of a CRM's connector, its sandbox and its tests under another name: docs/adding-a-crm.md. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const [name = "", title = name.charAt(0).toUpperCase() + name.slice(1)] = process.argv.slice(2);
if (!/^[a-z][a-z0-9]{1,30}$/.test(name) || !/^[A-Z][A-Za-z0-9]{1,30}$/.test(title)) {
  process.stderr.write(
    "usage: node scripts/new-crm.ts name [Title]: lower-case letters, and the same as people write it\n",
  );
  process.exit(2);
}
const root = join(import.meta.dirname, "..");
const skeleton = join(root, "examples", "crm-skeleton");
const named = (text: string): string => text.replaceAll("acorn", name).replaceAll("Acorn", title);
const files = readdirSync(skeleton, { recursive: true, encoding: "utf8" }).filter((file) =>
  statSync(join(skeleton, file)).isFile(),
);
const there = files.map(named).filter((file) => existsSync(join(root, file)));
if (there.length > 0) {
  process.stderr.write(`nothing was written: ${there.join(", ")} is there already\n`);
  process.exit(1);
}
for (const file of files.sort()) {
  const to = join(root, named(file));
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, named(readFileSync(join(skeleton, file), "utf8")));
  process.stdout.write(`${named(file)}\n`);
}
