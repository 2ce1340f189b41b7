/** `mailwright restore`: a backup becomes the data folder. */
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { lockDataFolder } from "../../main.ts";
import { copyFile, mismatches, readManifest, syncFolder } from "../backup/files.ts";
import type { Cli } from "../cli.ts";
import { Failed } from "../exit.ts";
import { jsonOption } from "../options.ts";
import { plain } from "../plain.ts";
import type { Manifest } from "../shapes.ts";

export function restore(cli: Cli): Command {
  return new Command("restore")
    .description(
      "Put a backup into the data folder of the configuration, which has to be empty. Checks every file first.",
    )
    .argument("<folder>", "a folder that `mailwright backup` made")
    .addOption(jsonOption())
    .action((folder: string, { json }: { json?: true }) => restoreFrom(cli, resolve(cli.cwd, folder), json));
}

async function restoreFrom(cli: Cli, folder: string, json: true | undefined): Promise<void> {
  const { data_dir, seal } = cli.settings();
  const manifest = await readManifest(folder);
  const wrong = await mismatches(folder, manifest);
  if (wrong.length > 0) {
    await cli.say(...wrong.slice(0, 20).map((each) => plain(each)));
    throw new Failed(
      `the backup ${folder} is not what its manifest says (${wrong.length} files); nothing was restored`,
    );
  }
  await mustBeEmpty(data_dir);
  await mkdir(data_dir, { recursive: true, mode: 0o700 });
  const lock = lockDataFolder(data_dir);
  try {
    await putInPlace(folder, data_dir, manifest);
  } finally {
    lock.release();
  }
  if (json === true) await cli.printJson("restore", manifest);
  else await cli.print(`${data_dir}: ${manifest.files.length} files, as of ${manifest.made_at}`);
  if (!manifest.with_key && seal.key === undefined) {
    await cli.say(
      `Before the start, put the master key ${manifest.key_id} to ${join(data_dir, "master.key")}, with mode 0600.`,
    );
  }
}

const draftName = ".restoring";
/** What a folder may hold and still be empty to us: an earlier attempt, and the lock that every attempt leaves. */
const harmless = new Set([draftName, "daemon.lock", "daemon.lock-journal"]);

async function mustBeEmpty(dataDir: string): Promise<void> {
  const names = await readdir(dataDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  if (names.every((name) => harmless.has(name))) return;
  throw new Failed(`the data folder ${dataDir} is not empty: move it away first, nothing is overwritten`);
}

/** Everything is copied beside its place first, so that a copy that breaks off leaves nothing that looks like a data folder. */
async function putInPlace(folder: string, dataDir: string, manifest: Manifest): Promise<void> {
  const draft = join(dataDir, draftName);
  await rm(draft, { recursive: true, force: true });
  for (const { path, sha256 } of manifest.files) {
    const copied = await copyFile(join(folder, path), join(draft, path));
    if (copied?.sha256 !== sha256) throw new Failed(`${path} changed while it was copied; nothing was restored`);
  }
  const names = [...new Set(manifest.files.map(({ path }) => path.split("/")[0] ?? path))];
  // The ledger last: without it a start is refused, where with it alone mail would be missing.
  for (const name of names.sort((a, b) => Number(a === "ledger.sqlite") - Number(b === "ledger.sqlite"))) {
    await rename(join(draft, name), join(dataDir, name));
  }
  await rm(draft, { recursive: true, force: true });
  await syncFolder(dataDir);
}
