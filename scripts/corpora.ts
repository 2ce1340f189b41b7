/**
 * Parses every file of a folder with `mailwright parse --batch` and says, for each of its subfolders, what came of it: events, statuses,
 * anomalies, times. `node scripts/corpora.ts FOLDER [--differences FILE]`: with the latter, also what postal-mime and Python's email
 * package read otherwise, a line of JSON for each file. Fails when a file gives no event.
 */
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { type CanonicalEvent, eventSchema } from "../src/model/event.ts";
import { differences, ours, postalMime, type Said } from "./corpora/opinion.ts";

const root = join(import.meta.dirname, "..");
const { values, positionals } = parseArgs({ allowPositionals: true, options: { differences: { type: "string" } } });
const [named] = positionals;
if (named === undefined) {
  process.stderr.write("usage: node scripts/corpora.ts FOLDER [--differences FILE]\n");
  process.exit(2);
}
const folder = resolve(named);

interface Batch {
  readonly events: readonly CanonicalEvent[];
  readonly invalid: number;
  readonly exit: number | null;
  readonly totalMs: number;
  /** The longest wait for a line. */
  readonly slowest: { readonly ms: number; readonly file: string };
}

function filesOf(set: string): string[] {
  return readdirSync(set, { recursive: true, encoding: "utf8" })
    .map((name) => join(set, name))
    .filter((path) => statSync(path).isFile())
    .sort();
}

async function parseBatch(paths: readonly string[]): Promise<Batch> {
  const program = spawn(process.execPath, [join(root, "bin/mailwright.ts"), "parse", "--batch"], {
    cwd: root,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((done) => {
    program.on("close", done);
  });
  const started = performance.now();
  program.stdin.end(paths.map((path) => `${path}\n`).join(""));
  const events: CanonicalEvent[] = [];
  let invalid = 0;
  let last = started;
  let slowest = { ms: 0, file: "" };
  for await (const line of createInterface({ input: program.stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
    const now = performance.now();
    // The first line waits for the program's start too.
    if (events.length > 0 && now - last > slowest.ms) slowest = { ms: now - last, file: paths[events.length] ?? "" };
    last = now;
    const event = JSON.parse(line) as CanonicalEvent;
    if (!eventSchema.safeParse(event).success) invalid++;
    events.push(event);
  }
  return { events, invalid, exit: await ended, totalMs: performance.now() - started, slowest };
}

function pythonSays(paths: readonly string[]): readonly Said[] {
  const { stdout, error } = spawnSync("python3", [join(root, "scripts/corpora/python_email.py")], {
    input: paths.map((path) => `${path}\n`).join(""),
    encoding: "utf8",
    maxBuffer: 1024 * 1024 * 1024,
  });
  if (error !== undefined) throw new Error(`python3 could not be run: ${error.message}`);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Said);
}

async function differencesOf(paths: readonly string[], events: readonly CanonicalEvent[]): Promise<object[]> {
  const python = pythonSays(paths);
  const rows: object[] = [];
  for (const [at, path] of paths.entries()) {
    const event = events[at];
    if (event === undefined) continue;
    const own = ours(event);
    const others = { postal_mime: await postalMime(path), python: python[at] ?? { error: "no answer" } };
    const differ = Object.entries(others).map(
      ([who, said]) => [who, "error" in said ? ["error"] : differences(own, said)] as const,
    );
    if (differ.every(([, fields]) => fields.length === 0)) continue;
    const anomalies = event.anomalies.map(({ code }) => code);
    rows.push({ file: relative(folder, path), differ: Object.fromEntries(differ), anomalies, ours: own, ...others });
  }
  return rows;
}

const line = (...columns: readonly (string | number)[]): void => {
  const [first = "", ...rest] = columns;
  process.stdout.write(`${String(first).padEnd(26)}${rest.map((column) => String(column).padStart(9)).join("")}\n`);
};

const anomalies = new Map<string, number>();
const reasons = new Map<string, number>();
const totals = { files: 0, events: 0, ok: 0, partial: 0, failed: 0, invalid: 0 };
const differing: object[] = [];
let crashed = false;
line("set", "files", "events", "ok", "partial", "failed", "invalid", "seconds", "slowest", "ms");
const sets = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
for (const set of sets.map(({ name }) => name).sort()) {
  const paths = filesOf(join(folder, set));
  const { events, invalid, exit, totalMs, slowest } = await parseBatch(paths);
  const count = (status: string): number => events.filter(({ parse_status }) => parse_status === status).length;
  const statuses = { ok: count("ok"), partial: count("partial"), failed: count("failed") };
  const where = relative(join(folder, set), slowest.file).slice(-40);
  const { ok, partial, failed } = statuses;
  line(
    set,
    paths.length,
    events.length,
    ok,
    partial,
    failed,
    invalid,
    (totalMs / 1000).toFixed(1),
    slowest.ms.toFixed(0),
    ` ${where}`,
  );
  if (exit !== 0 || events.length !== paths.length || invalid > 0) crashed = true;
  for (const { anomalies: found } of events) {
    for (const code of new Set(found.map((one) => one.code))) anomalies.set(code, (anomalies.get(code) ?? 0) + 1);
    for (const { code, detail = "" } of found) {
      if (code === "parse_failed") reasons.set(detail, (reasons.get(detail) ?? 0) + 1);
    }
  }
  for (const [key, value] of Object.entries({ files: paths.length, events: events.length, invalid, ...statuses })) {
    totals[key as keyof typeof totals] += value;
  }
  if (values.differences !== undefined) differing.push(...(await differencesOf(paths, events)));
}
line("all", totals.files, totals.events, totals.ok, totals.partial, totals.failed, totals.invalid);
process.stdout.write("\nmessages with each anomaly:\n");
for (const [code, count] of [...anomalies].sort((a, b) => b[1] - a[1])) line(code, count);
for (const [reason, count] of reasons) process.stdout.write(`parse_failed, ${count}: ${reason}\n`);
if (values.differences !== undefined) {
  writeFileSync(values.differences, differing.map((row) => `${JSON.stringify(row)}\n`).join(""));
  process.stdout.write(
    `\n${differing.length} files are read otherwise by postal-mime or Python: ${values.differences}\n`,
  );
}
process.exitCode = crashed ? 1 : 0;
