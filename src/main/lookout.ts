/** What a preview of a mail that is not stored looks at: it reads what is there, and makes no folder and no file. */
import { existsSync } from "node:fs";
import { loadOrCreateMasterKey, openKeyRing } from "../blobs/index.ts";
import type { Log } from "../model/ports.ts";
import type { Remembered } from "../model/reading.ts";
import type { TokenRows, TokenStore } from "../model/tokens.ts";
import type { Settings } from "../settings/index.ts";
import {
  openKeptTokens,
  openLedger,
  openLocalRecords,
  openLocalRecordsToRead,
  openRemembered,
  type SqliteLedger,
} from "../store/index.ts";
import { openMetrics } from "../watch/index.ts";
import { dataPaths } from "./ground.ts";
import { type OpenLane, openLanes } from "./lanes.ts";
import { systemClock, systemRandom } from "./system.ts";

/** Undefined where nothing was received yet. Throws StoreFailed with a sentence. */
export function rememberedBy({ data_dir }: Pick<Settings, "data_dir">): Remembered | undefined {
  const { ledger } = dataPaths(data_dir);
  return existsSync(ledger) ? openRemembered(ledger) : undefined;
}

export interface LookingLanes {
  readonly lanes: readonly OpenLane[];
  close(): Promise<void>;
}

/**
 * The lanes of the configuration, to ask their CRMs only. One thing may be written: a sign-in that has to be renewed, since the vendor may take no
 * other one from then on. Rejects with a sentence.
 */
export async function openLookingLanes(
  settings: Settings,
  remembered: Remembered | undefined,
  log: Log,
): Promise<LookingLanes> {
  const { crm } = dataPaths(settings.data_dir);
  const tokens = await openTokens(settings, remembered, log);
  const records = existsSync(crm) ? openLocalRecordsToRead(crm) : openLocalRecords(":memory:");
  const ports = { settings, clock: systemClock, log, metrics: openMetrics(), records, tokens: tokens.store };
  const lanes = openLanes(ports);
  return {
    lanes,
    async close() {
      for (const lane of lanes) await lane.close();
      records.close();
      await tokens.close();
    },
  };
}

interface Tokens {
  readonly store: TokenStore;
  close(): Promise<void>;
}

async function openTokens(settings: Settings, remembered: Remembered | undefined, log: Log): Promise<Tokens> {
  if (remembered === undefined) return { store: nowhereKept, close: async () => undefined };
  const paths = dataPaths(settings.data_dir);
  const key = settings.seal.key ?? (await loadOrCreateMasterKey(paths.masterKey, { dataExists: true }));
  let opening: Promise<SqliteLedger> | undefined;
  const ledger = (): Promise<SqliteLedger> => {
    opening ??= openLedger({ path: paths.ledger, thread: "calling", check: "none", log });
    return opening;
  };
  const rows: TokenRows = {
    tokenRow: async (account) => remembered.tokenRow(account),
    keepToken: async (kept) => await (await ledger()).keepToken(kept),
    takeTokenTurn: async (turn) => await (await ledger()).takeTokenTurn(turn),
    dropToken: async (account) => await (await ledger()).dropToken(account),
  };
  const holder = `${process.pid}.${systemRandom.uuid(systemClock.now())}`;
  return {
    store: openKeptTokens({ rows, sealer: openKeyRing({ key }), log, holder }),
    async close() {
      if (opening !== undefined) await (await opening).close();
    },
  };
}

const refuse = async (): Promise<never> => {
  throw new Error(
    "it signs in by a token, which has to be kept, and there is no data folder yet to keep it in: start the daemon once",
  );
};
const nowhereKept: TokenStore = {
  load: async () => ({ obtained: undefined, revision: 0 }),
  save: refuse,
  turn: refuse,
  drop: refuse,
};
