/** Opens what every command stands on: the data folder with its key, ledger, spool, attic and the tables of the built-in CRM. */
import { appendFileSync, existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  derivedKey,
  type KeyRing,
  loadOrCreateMasterKey,
  type OpenStores,
  openFiles,
  openHasher,
  openKeyRing,
  openSpool,
  openStores,
  openThreadedSpool,
} from "../blobs/index.ts";
import { openThreadTokens, type ThreadTokens } from "../mail/thread-token.ts";
import type { Blobs, Spool } from "../model/blob.ts";
import type { Links } from "../model/links.ts";
import type { Clock, Hasher, Log, Random, Sealer } from "../model/ports.ts";
import type { LocalRecords } from "../model/records.ts";
import type { TokenStore } from "../model/tokens.ts";
import type { Settings } from "../settings/index.ts";
import { lockDataFolder, openKeptTokens, openLedger, openLocalRecords, type SqliteLedger } from "../store/index.ts";
import { type OpenMetrics, openLog, openMetrics, registerSecret } from "../watch/index.ts";
import { openSettingsLinks } from "./links.ts";
import { systemClock, systemRandom } from "./system.ts";

/** Where things lie in the data folder. */
export function dataPaths(dataDir: string) {
  return {
    masterKey: join(dataDir, "master.key"),
    ledger: join(dataDir, "ledger.sqlite"),
    crm: join(dataDir, "crm.sqlite"),
    spool: join(dataDir, "spool"),
    blobs: join(dataDir, "blobs"),
  } as const;
}

export interface Ground {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: OpenMetrics;
  readonly sealer: Sealer;
  readonly hasher: Hasher;
  readonly threadTokens: ThreadTokens;
  /** Undefined without `http.public_url`. */
  readonly links: Links | undefined;
  /** Signs the sessions of operators. */
  readonly operatorKey: Uint8Array;
  readonly ledger: SqliteLedger;
  readonly spool: Spool;
  /** Raw mail that is settled, in the store of its tenant. */
  readonly blobs: Blobs;
  /** The files of mails. */
  readonly stores: OpenStores;
  readonly records: LocalRecords;
  /** OAuth tokens of destinations and mailboxes. */
  readonly tokens: TokenStore;
  /** Nobody else works in this data folder until `close`. */
  readonly exclusive: boolean;
  close(): Promise<void>;
}

export interface GroundOptions {
  /** The daemon's ledger and its spool work in a thread of their own each; a command's on the calling one. */
  readonly thread: "worker" | "calling";
  /** quick (the default) reads every page of the ledger first; none is for a command beside a daemon that has done so. */
  readonly check?: "quick" | "none";
  readonly log: Log;
  /** Holds the data folder's lock from before the ledger is opened until after it is closed: a daemon's ground. */
  readonly exclusive?: boolean;
}

/** Rejects with a sentence that says what is wrong and what to do: damage, a foreign file, a key that others can read. */
export async function openGround(settings: Settings, options: GroundOptions): Promise<Ground> {
  await mkdir(settings.data_dir, { recursive: true, mode: 0o700 });
  if (options.exclusive !== true) return await openUnlocked(settings, options);
  const lock = lockDataFolder(settings.data_dir);
  try {
    const ground = await openUnlocked(settings, options);
    const close = async () => {
      await ground.close();
      lock.release();
    };
    return { ...ground, exclusive: true, close };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openUnlocked(settings: Settings, { thread, check = "quick", log }: GroundOptions): Promise<Ground> {
  const paths = dataPaths(settings.data_dir);
  const key =
    settings.seal.key ?? (await loadOrCreateMasterKey(paths.masterKey, { dataExists: existsSync(paths.ledger) }));
  const sealer = openKeyRing({ key });
  const hasher = openHasher(key);
  const threadTokens = openThreadTokens(derivedKey(key, "thread token"));
  const links = openSettingsLinks(settings, key);
  // In a daemon each starts a thread, which reads code of its own: side by side.
  const [ledger, spool] = await bothOrNeither(
    openLedger({ path: paths.ledger, thread, check, log }),
    openOwnSpool(paths.spool, { key, sealer, thread, log }),
  );
  try {
    const files = await openFiles(paths.blobs);
    const stores = openStores(settings, { files, ring: sealer, clock: systemClock, log });
    const records = openLocalRecords(paths.crm);
    const holder = `${process.pid}.${systemRandom.uuid(systemClock.now())}`;
    return {
      settings,
      clock: systemClock,
      random: systemRandom,
      log,
      metrics: openMetrics(),
      sealer,
      hasher,
      threadTokens,
      links,
      operatorKey: derivedKey(key, "operator session"),
      ledger,
      spool,
      blobs: stores.raw,
      stores,
      records,
      tokens: openKeptTokens({ rows: ledger, sealer, log, holder }),
      exclusive: false,
      async close() {
        records.close();
        await stores.close();
        await spool.close();
        await ledger.close();
      },
    };
  } catch (error) {
    await spool.close();
    await ledger.close();
    throw error;
  }
}

interface Closable {
  close(): Promise<void>;
}

async function openOwnSpool(
  dir: string,
  { key, sealer, thread, log }: Pick<GroundOptions, "thread" | "log"> & { key: string | Uint8Array; sealer: KeyRing },
): Promise<Spool & Closable> {
  if (thread === "worker") return await openThreadedSpool(dir, key, { log });
  return { ...(await openSpool(dir, sealer)), close: async () => undefined };
}

async function bothOrNeither<A extends Closable, B extends Closable>(one: Promise<A>, other: Promise<B>) {
  const [first, second] = await Promise.allSettled([one, other]);
  if (first.status === "fulfilled" && second.status === "fulfilled") return [first.value, second.value] as const;
  for (const opened of [first, second]) if (opened.status === "fulfilled") await opened.value.close();
  throw first.status === "rejected" ? first.reason : (second as PromiseRejectedResult).reason;
}

/** The log of a process that reads these settings; from now on no line of it can show one of their secrets. */
export function openSettingsLog(settings: Settings, secrets: readonly string[], level = settings.log.level): Log {
  for (const secret of secrets) registerSecret(secret);
  return openLog({ level });
}

/** A command's log: standard output is for its data, so it talks on standard error, and only of what is wrong. */
export function openCommandLog(settings: Settings, secrets: readonly string[]): Log {
  hideSecrets(secrets);
  return openLog({ level: settings.log.level === "debug" ? "debug" : "warn", fd: 2 });
}

/** The log of a daemon that runs inside a command (`demo`): whole, in a file. */
export function openFileLog(settings: Settings, secrets: readonly string[], file: string): Log {
  hideSecrets(secrets);
  return openLog({ level: settings.log.level, write: (line) => appendFileSync(file, line, { mode: 0o600 }) });
}

/** From now on no line of any log of this process can show these: secrets that came in with a reload. */
export function hideSecrets(secrets: readonly string[]): void {
  for (const secret of secrets) registerSecret(secret);
}
