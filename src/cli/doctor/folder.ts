/** Examines what lies on disk: the data folder, the room on its volume, the master key and the ledger. */
import { constants, existsSync } from "node:fs";
import { access, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { dataPaths, diskOf, type Ground, unopenedMail } from "../../main.ts";
import type { Settings } from "../../settings/index.ts";
import { sentenceOf } from "../exit.ts";
import { codeOf, type Found, ok, problem, warning } from "./finding.ts";

export async function examineFolder({ data_dir }: Settings): Promise<Found> {
  const found = await stat(data_dir).catch(() => undefined);
  if (found === undefined) return await examineParent(data_dir);
  if (!found.isDirectory()) return problem("data", `data_dir ${data_dir} is not a folder`, "name a folder as data_dir");
  try {
    await access(data_dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return problem(
      "data",
      `data_dir ${data_dir} cannot be written by this user`,
      `chown it to the user that runs Mailwright`,
    );
  }
  if ((found.mode & 0o077) !== 0) {
    return warning("data", `data_dir ${data_dir} is open to other users`, `chmod 700 ${data_dir}`);
  }
  return ok("data", `data_dir ${data_dir} is there, writable, and closed to others`);
}

async function examineParent(dir: string): Promise<Found> {
  const parent = nearestExisting(dirname(dir));
  try {
    await access(parent, constants.W_OK | constants.X_OK);
    return ok("data", `data_dir ${dir} is not there yet; the first start makes it`);
  } catch {
    return problem(
      "data",
      `data_dir ${dir} cannot be made: ${parent} is not writable`,
      "make it, or name another data_dir",
    );
  }
}

function nearestExisting(dir: string): string {
  return existsSync(dir) || dir === dirname(dir) ? dir : nearestExisting(dirname(dir));
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 1_048_576).toLocaleString("en")} MiB`;

export async function examineDisk({ data_dir, limits }: Settings): Promise<Found> {
  const { freeBytes, totalBytes } = await diskOf(nearestExisting(data_dir));
  const reserve = Math.max(limits.disk_reserve_bytes, (totalBytes * limits.disk_reserve_percent) / 100);
  const words = `${mebibytes(freeBytes)} free, of which ${mebibytes(reserve)} are kept in reserve`;
  if (freeBytes < reserve) {
    return problem(
      "disk",
      `${words}: mail is put off with 452`,
      "free some space, or lower limits.disk_reserve_bytes and limits.disk_reserve_percent",
    );
  }
  if (freeBytes < reserve * 1.5) return warning("disk", words, "free some space before mail is put off");
  return ok("disk", words);
}

const markerOf = (dataDir: string): string => join(dataDir, "master.key.saved");

/** `keyId` is undefined while there is no data folder, or when it could not be opened. */
export async function examineKey(settings: Settings, keyId: string | undefined): Promise<Found> {
  if (settings.seal.key !== undefined)
    return ok("key", "the master key comes from the configuration; its copy is yours to keep");
  const { masterKey, ledger } = dataPaths(settings.data_dir);
  const found = await stat(masterKey).catch(() => undefined);
  if (found === undefined) {
    return existsSync(ledger)
      ? problem(
          "key",
          `the master key ${masterKey} is missing, and nothing stored can be read without it`,
          "put it back from its copy",
        )
      : ok("key", "there is no master key yet; the first start makes one");
  }
  if ((found.mode & 0o077) !== 0) {
    return problem("key", `the master key ${masterKey} can be read by other users`, `chmod 600 ${masterKey}`);
  }
  const saved = await readFile(markerOf(settings.data_dir), "utf8").catch(() => "");
  if (keyId !== undefined && saved.trim() === keyId)
    return ok("key", `the master key ${keyId} is closed to others, and has a copy`);
  return warning(
    "key",
    `nobody has said that the master key has a copy: without it every stored mail is lost with this disk`,
    `copy ${masterKey} to a safe place, then say so: mailwright doctor --key-saved`,
  );
}

/** Another key than the one that mail was stored with opens nothing of it, and seals what comes in meanwhile. Undefined: all opens. */
export async function examineSealed({ ledger, sealer }: Ground): Promise<Found | undefined> {
  const found = await unopenedMail(ledger, sealer);
  if (found === undefined) return undefined;
  return problem(
    "key",
    `the stored mail ${found.eventId} cannot be opened: ${sentenceOf(found.error)}`,
    "another key: put the one back that mail was sealed with, and keep this one, which seals what comes in now; a damaged mail: mailwright recover",
  );
}

/** The operator's word that this very key has a copy elsewhere. */
export async function markKeySaved({ settings, sealer }: Ground): Promise<void> {
  await writeFile(markerOf(settings.data_dir), `${sealer.keyId}\n`, { mode: 0o600 });
}

export async function examineLedger({ ledger, clock }: Ground): Promise<Found> {
  try {
    await ledger.probe(5_000);
    const { messages, backlog, bytes } = await ledger.stats(clock.now());
    return ok(
      "ledger",
      `the ledger is sound and writable: ${messages} messages, ${backlog} waiting, ${mebibytes(bytes)}`,
    );
  } catch (error) {
    return problem(
      "ledger",
      `the ledger cannot be written (${codeOf(error)})`,
      "look at the disk and at the owner of the data folder",
    );
  }
}
