/** Makes dist/, the JavaScript that is published: Node strips no types from files under node_modules. */
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, globSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");

rmSync(dist, { recursive: true, force: true });
const tsc = spawnSync(
  process.execPath,
  [join(root, "node_modules/typescript/bin/tsc"), "--project", "tsconfig.build.json"],
  { cwd: root, stdio: "inherit" },
);
if (tsc.status !== 0) throw new Error("the types do not hold: nothing was built");

// What the sources read beside themselves, SQL above all; tsc emits only what it compiles.
for (const file of globSync("src/**/*.*", { cwd: root, exclude: ["**/*.ts", "**/*.md"] }))
  cpSync(join(root, file), join(dist, file));
chmodSync(join(dist, "bin/mailwright.js"), 0o755);
