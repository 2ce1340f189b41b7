/** Where mail is kept as files: the attic, what salvaging left over, and a backup. */
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Ground, isLocal, openLedger, type SqliteLedger } from "../../main.ts";
import type { EventRow } from "../../model/ledger.ts";
import { rawKey } from "../../pipeline/raw.ts";
import { mismatches, readManifest } from "../backup/files.ts";
import { Failed } from "../exit.ts";
import { isKnown, type Retaken, retake, wholeOf } from "./retake.ts";

const nothing = async (): Promise<void> => undefined;

/** The attic files each message under its event id, so those that are known need not be opened. */
export async function* inTheAttic(ground: Ground, known: () => void) {
  for await (const { key } of ground.blobs.list("raw/")) {
    const eventId = key.split("/").at(-1) ?? key;
    if (await isKnown(ground, eventId)) known();
    // It stays where it is: archiving puts the same bytes there again.
    else
      yield {
        where: key.includes(":") ? key : `blobs/${key}`,
        read: async () => await wholeOf(await ground.blobs.get(key)),
        done: nothing,
      };
  }
}

/** Raw bytes without a row: saved from the damaged ledger, or moved out of the spool. What cannot be taken in stays for the next run. */
export async function* leftOver(files: readonly string[]) {
  for (const file of files) yield { where: file, read: () => readFile(file), done: () => rm(file) };
}

/** Everything of the backup that the ledger does not know, oldest first. Rejects when the backup is not what its manifest says. */
export async function retakeFromBackup(ground: Ground, folder: string, into: Retaken): Promise<number> {
  const wrong = await mismatches(folder, await readManifest(folder));
  if (wrong.length > 0) throw new Failed(`the backup ${folder} is not what its manifest says: ${wrong[0]}`);
  const before = into.taken;
  const workplace = await mkdtemp(join(ground.settings.data_dir, ".backup-"));
  try {
    const path = join(workplace, "ledger.sqlite");
    await copyFile(join(folder, "ledger.sqlite"), path);
    const old = await openLedger({ path, thread: "calling" });
    try {
      for (const id of await eventIds(old)) await retakeRow(ground, old, id, folder, into);
    } finally {
      await old.close();
    }
  } finally {
    await rm(workplace, { recursive: true, force: true });
  }
  return into.taken - before;
}

/** Ids only: a million of them are some tens of MiB. The rows come with their bodies, so the pages are short. */
async function eventIds(ledger: SqliteLedger): Promise<string[]> {
  const ids: string[] = [];
  for (let before: number | undefined; ; ) {
    const page = await ledger.find({ limit: 100, ...(before === undefined ? {} : { before }) });
    ids.push(...page.map(({ eventId }) => eventId));
    before = page.at(-1)?.seq;
    if (before === undefined) return ids.reverse();
  }
}

async function retakeRow(
  ground: Ground,
  old: SqliteLedger,
  eventId: string,
  folder: string,
  into: Retaken,
): Promise<void> {
  if (await isKnown(ground, eventId)) {
    into.alreadyThere++;
    return;
  }
  try {
    const [row] = await old.find({ event: eventId, limit: 1 });
    const sealed = row === undefined ? undefined : await sealedOf(ground, old, row, folder);
    if (row === undefined || sealed === undefined) return;
    await retake(ground, ground.sealer.open(sealed).plain, eventId, { ...row.envelope, routes: [...row.routes] }, into);
  } catch (error) {
    into.unreadable.push(`event ${eventId} of the backup: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function sealedOf(
  ground: Ground,
  old: SqliteLedger,
  row: EventRow,
  folder: string,
): Promise<Uint8Array | undefined> {
  const { eventId, raw } = row;
  switch (raw.kind) {
    case "inline":
      return await old.raw(eventId);
    case "spool":
      // The ledger is copied first: what moved to the attic after that is there.
      return (
        (await fileIn(folder, "spool", raw.name)) ??
        (await fileIn(folder, "blobs", rawKey(row))) ??
        (await fromBucket(ground, rawKey(row)))
      );
    case "blob":
      // What is in a bucket is in no backup; it is where it always was.
      if (isLocal(raw.key)) return await readFile(join(folder, "blobs", raw.key));
      return await fromBucket(ground, raw.key);
    case "gone":
      return undefined;
    default:
      return raw satisfies never;
  }
}

/** Undefined when there is no such file. */
async function fileIn(...path: readonly string[]): Promise<Uint8Array | undefined> {
  return await readFile(join(...path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

async function fromBucket(ground: Ground, ref: string): Promise<Uint8Array> {
  const whole = await wholeOf(await ground.blobs.get(ref));
  if (whole === undefined) throw new Error(`there is no ${ref}`);
  return whole;
}
