/** Puts a sound ledger in the place of a damaged or missing one, and keeps the damaged file beside it. */
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openLedger, type Recovered, recoverLedger, verifyLedger } from "../../main.ts";
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
  /** Sealed raw bytes whose row is lost. */
  readonly orphans: readonly string[];
}

const companions = ["", "-wal", "-shm", "-journal"] as const;

/** Needs the folder's lock. Afterwards there is a ledger that opens. */
export async function salvageLedger(cli: Cli, settings: Settings, ledger: string): Promise<Salvaged> {
  const recovered = `${ledger}.recovered`;
  // An earlier run that was cut short: it had everything saved when the old file was out of the way already, and not before.
  if (existsSync(recovered) && !existsSync(ledger)) await rename(recovered, ledger);
  for (const companion of companions) await rm(`${recovered}${companion}`, { force: true });
  const orphanFolder = `${recovered}.orphans`;
  const trouble = await troubleOf(ledger);
  if (trouble === undefined) return { keptAs: undefined, saved: {}, lost: [], orphans: await filesIn(orphanFolder) };
  await cli.say(plain(trouble, 1_000));
  if (!existsSync(ledger)) {
    await putNewLedger(settings.data_dir, ledger);
    return { keptAs: undefined, saved: {}, lost: ["the ledger was missing: its history is lost"], orphans: [] };
  }
  const outcome = await rescue(cli, ledger, recovered);
  const keptAs = await moveAside(cli, ledger);
  if (outcome === undefined) await putNewLedger(settings.data_dir, ledger);
  else await rename(recovered, ledger);
  await syncFolder(dirname(ledger));
  return {
    keptAs,
    saved: Object.fromEntries(outcome?.tables.map(({ table, saved }) => [table, saved]) ?? []),
    lost: outcome === undefined ? ["nothing could be read from the ledger: its history is lost"] : lossesOf(outcome),
    orphans: await filesIn(orphanFolder),
  };
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
  const folder = join(dataDir, ".recovering");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  const path = join(folder, "ledger.sqlite");
  const made = await openLedger({ path, thread: "calling" });
  await made.maintain();
  await made.close();
  await rename(path, ledger);
  await rm(folder, { recursive: true, force: true });
}

async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.sort().map((name) => join(folder, name));
}
