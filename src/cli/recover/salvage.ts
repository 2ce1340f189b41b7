/** Puts a sound ledger in the place of a damaged or missing one, and keeps the damaged file beside it. */
import { existsSync } from "node:fs";
import { link, mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { dataPaths, openLedger, type Recovered, recoverLedger, verifyLedger } from "../../main.ts";
import type { Settings } from "../../settings/index.ts";
import { syncFolder } from "../backup/files.ts";
import type { Cli } from "../cli.ts";
import { sentenceOf } from "../exit.ts";
import { plain } from "../plain.ts";
import { isoTime } from "../rows.ts";

export interface Salvaged {
  /** Undefined where the ledger was sound, or not there. */
  readonly keptAs: string | undefined;
  readonly saved: Readonly<Record<string, number>>;
  readonly lost: readonly string[];
  /** Sealed raw bytes that no row of the ledger names, outside of every folder that is swept. */
  readonly orphans: readonly string[];
}

const companions = ["", "-wal", "-shm", "-journal"] as const;

/**
 * Needs the folder's lock. Afterwards there is a ledger that opens, and no spool file without a row: a daemon takes such a file for one that
 * was never promised and deletes it, and after a loss of rows it is mail that was.
 */
export async function salvageLedger(cli: Cli, settings: Settings, ledger: string): Promise<Salvaged> {
  const recovered = `${ledger}.recovered`;
  const orphanFolder = `${recovered}.orphans`;
  const { spool } = dataPaths(settings.data_dir);
  const keepUnnamed = async (named: ReadonlySet<string>) => {
    await moveUnnamed(spool, named, orphanFolder);
    return await filesIn(orphanFolder);
  };
  await finishEarlierRun(cli, settings.data_dir, ledger, keepUnnamed);
  for (const companion of companions) await rm(`${recovered}${companion}`, { force: true });
  const trouble = await troubleOf(ledger);
  if (trouble === undefined) {
    const named = await spoolNamesOf(ledger);
    return { keptAs: undefined, saved: {}, lost: [], orphans: await keepUnnamed(named) };
  }
  await cli.say(plain(trouble, 1_000));
  if (!existsSync(ledger)) {
    const orphans = await keepUnnamed(new Set());
    await moveAside(cli, ledger);
    await putNewLedger(settings.data_dir, ledger);
    return { keptAs: undefined, saved: {}, lost: ["the ledger was missing: its history is lost"], orphans };
  }
  const outcome = await rescue(cli, ledger, recovered);
  const orphans = await keepUnnamed(
    outcome === undefined ? new Set() : await namesBeside(settings.data_dir, recovered),
  );
  const keptAs = await moveAside(cli, ledger);
  if (outcome === undefined) await putNewLedger(settings.data_dir, ledger);
  else await rename(recovered, ledger);
  await syncFolder(dirname(ledger));
  return {
    keptAs,
    saved: Object.fromEntries(outcome?.tables.map(({ table, saved }) => [table, saved]) ?? []),
    lost: outcome === undefined ? ["nothing could be read from the ledger: its history is lost"] : lossesOf(outcome),
    orphans,
  };
}

/**
 * A run that was cut short had everything saved when the old file was out of the way already, and not before. The old file's write-ahead
 * log may still be where it was, and must not meet the new file.
 */
async function finishEarlierRun(
  cli: Cli,
  dataDir: string,
  ledger: string,
  keepUnnamed: (named: ReadonlySet<string>) => Promise<unknown>,
): Promise<void> {
  const recovered = `${ledger}.recovered`;
  if (!existsSync(recovered) || existsSync(ledger)) return;
  await keepUnnamed(await namesBeside(dataDir, recovered));
  await moveAside(cli, ledger);
  await rename(recovered, ledger);
  await syncFolder(dirname(ledger));
}

/** The spool files that a ledger's rows name. */
async function spoolNamesOf(path: string): Promise<Set<string>> {
  const names = new Set<string>();
  const ledger = await openLedger({ path, thread: "calling", check: "none" });
  try {
    for (let before: number | undefined; ; ) {
      const page = await ledger.find({ spooled: true, limit: 1_000, ...(before === undefined ? {} : { before }) });
      for (const { raw } of page) if (raw.kind === "spool") names.add(raw.name);
      before = page.at(-1)?.seq;
      if (before === undefined) return names;
    }
  } finally {
    await ledger.close();
  }
}

/** The same of a ledger that has not got its name yet: opened under a second name, so that no marker of the first stays behind. */
async function namesBeside(dataDir: string, recovered: string): Promise<Set<string>> {
  return await inWorkplace(dataDir, async (path) => {
    await link(recovered, path);
    return await spoolNamesOf(path);
  });
}

async function moveUnnamed(spool: string, named: ReadonlySet<string>, orphanFolder: string): Promise<void> {
  const files = await readdir(spool).catch(() => []);
  const unnamed = files.filter((name) => name.endsWith(".sealed") && !named.has(name));
  if (unnamed.length === 0) return;
  await mkdir(orphanFolder, { recursive: true, mode: 0o700 });
  for (const name of unnamed) await rename(join(spool, name), join(orphanFolder, name));
  for (const folder of [orphanFolder, dirname(orphanFolder), spool]) await syncFolder(folder);
}

/** What is wrong with the ledger; undefined when it is sound. Rejects for what is no damage: a newer file, another program's. */
async function troubleOf(ledger: string): Promise<string | undefined> {
  try {
    if (existsSync(ledger)) verifyLedger(ledger);
    const opened = await openLedger({ path: ledger, thread: "calling" });
    await opened.close();
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "damaged" || code === "missing") return sentenceOf(error);
    throw error;
  }
}

/** Undefined when nothing at all can be read. */
async function rescue(cli: Cli, ledger: string, recovered: string): Promise<Recovered | undefined> {
  try {
    return await recoverLedger(ledger, recovered);
  } catch (error) {
    await cli.say(plain(sentenceOf(error), 1_000));
    return undefined;
  }
}

function lossesOf({ tables, rawLost, replanned }: Recovered): string[] {
  return [
    ...tables.filter(({ lost }) => lost > 0).map(({ table, lost }) => `${lost} rows of table ${table}`),
    ...(rawLost === 0 ? [] : [`the raw bytes of ${rawLost} messages`]),
    ...(replanned === 0 ? [] : [`part of the plans of ${replanned} messages, which are planned again`]),
  ];
}

async function moveAside(cli: Cli, ledger: string): Promise<string> {
  const keptAs = `${ledger}.damaged-${isoTime(cli.clock.now()).replaceAll(/[-:]|\.\d+/g, "")}`;
  for (const companion of companions) {
    if (existsSync(`${ledger}${companion}`)) await rename(`${ledger}${companion}`, `${keptAs}${companion}`);
  }
  return keptAs;
}

/** Made in a folder of its own: beside mail, a new ledger is refused, since it would hide that the old one is gone. */
async function putNewLedger(dataDir: string, ledger: string): Promise<void> {
  await inWorkplace(dataDir, async (path) => {
    const made = await openLedger({ path, thread: "calling" });
    await made.maintain();
    await made.close();
    await rename(path, ledger);
  });
  await syncFolder(dirname(ledger));
}

/** `work` gets the path of a ledger that is not there, in a folder that goes with everything in it. */
async function inWorkplace<T>(dataDir: string, work: (ledger: string) => Promise<T>): Promise<T> {
  const folder = join(dataDir, ".recovering");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  try {
    return await work(join(folder, "ledger.sqlite"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.sort().map((name) => join(folder, name));
}
