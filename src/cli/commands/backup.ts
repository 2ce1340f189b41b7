/** `mailwright backup`: a copy of everything, beside a running daemon. */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { backupLedger, backupLocalRecords, dataPaths, type Ground } from "../../main.ts";
import {
  copyFile,
  filesBelow,
  hashOf,
  isEmptyOrMissing,
  type ManifestFile,
  syncFolder,
  writeManifest,
} from "../backup/files.ts";
import type { Cli } from "../cli.ts";
import { Failed } from "../exit.ts";
import { withGround } from "../open.ts";
import { jsonOption } from "../options.ts";
import { packageVersion } from "../package.ts";
import { isoTime } from "../rows.ts";
import type { Manifest } from "../shapes.ts";

interface Options {
  readonly withKey?: true;
  readonly json?: true;
}

export function backup(cli: Cli): Command {
  return new Command("backup")
    .description("Copy ledger, sealed mail and built-in CRM into a folder, beside a running daemon, with a manifest.")
    .argument("<folder>", "a folder that is empty, or not there yet")
    .option("--with-key", "copy the master key too: whoever has this backup can then read all mail in it")
    .addOption(jsonOption())
    .action((folder: string, options: Options) =>
      withGround(cli, async (ground) => {
        const into = resolve(cli.cwd, folder);
        const manifest = await backUp(ground, into, options.withKey === true);
        if (options.json === true) await cli.printJson("backup", manifest);
        else await cli.print(`${into}: ${manifest.files.length} files, made at ${manifest.made_at}`);
        await cli.say(keyWords(ground, manifest));
      }),
    );
}

function keyWords({ settings }: Ground, { with_key, key_id }: Manifest): string {
  if (with_key) return `The master key ${key_id} is in it: keep this backup as secret as the mail itself.`;
  const where =
    settings.seal.key === undefined ? dataPaths(settings.data_dir).masterKey : "seal.key of the configuration";
  return `The master key ${key_id} is not in it, and without the key it cannot be read: keep a copy of ${where} elsewhere.`;
}

/**
 * The ledger first: mail that moves from spool to attic meanwhile is then found in one of the two, and what is accepted later is
 * not in this backup at all.
 */
async function backUp(ground: Ground, into: string, withKey: boolean): Promise<Manifest> {
  const { settings, clock, sealer } = ground;
  if (withKey && settings.seal.key !== undefined) {
    throw new Failed(
      "--with-key: the master key comes from the configuration, not from a file; copy it from there yourself",
    );
  }
  if (!(await isEmptyOrMissing(into))) throw new Failed(`${into} is not empty: name a new folder for each backup`);
  await mkdir(into, { recursive: true, mode: 0o700 });
  const made_at = isoTime(clock.now());
  const paths = dataPaths(settings.data_dir);
  const files: ManifestFile[] = [];
  await backupLedger(paths.ledger, join(into, "ledger.sqlite"));
  await backupLocalRecords(paths.crm, join(into, "crm.sqlite"));
  for (const path of ["ledger.sqlite", "crm.sqlite"]) files.push({ path, ...(await hashOf(join(into, path))) });
  for (const [name, from] of [
    ["spool", paths.spool],
    ["blobs", paths.blobs],
  ] as const) {
    files.push(...(await copyFolder(from, name, into)));
  }
  if (withKey) files.push(...(await copyInto(paths.masterKey, "master.key", into)));
  const manifest: Manifest = {
    format: 1,
    made_at,
    mailwright: packageVersion(),
    key_id: sealer.keyId,
    with_key: withKey,
    files,
  };
  await syncFolder(into);
  await writeManifest(into, manifest);
  return manifest;
}

/** Drafts are left out: no 250 ever covered them. */
async function copyFolder(from: string, name: string, into: string): Promise<ManifestFile[]> {
  const copied: ManifestFile[] = [];
  for (const file of await filesBelow(from)) {
    if (file.split("/").some((part) => /^(\.|tmp-)/.test(part))) continue;
    copied.push(...(await copyInto(join(from, file), `${name}/${file}`, into)));
  }
  return copied;
}

async function copyInto(from: string, path: string, into: string): Promise<ManifestFile[]> {
  const copied = await copyFile(from, join(into, path));
  return copied === undefined ? [] : [{ path, ...copied }];
}
