/** Takes files out of a message and puts their bytes into the tenant's store while they stream by: what came of each, and when to go on. */
import { createHash } from "node:crypto";
import { renewAfterMs, type Stores } from "../model/blob.ts";
import { ExtractFailed, type FileExtractor } from "../model/checking.ts";
import type { FileRow, FilesToKeep, Inspection, Later } from "../model/files.ts";
import type { Clock, Log, Metrics, Random } from "../model/ports.ts";
import { retryDelayMs } from "./backoff.ts";
import type { BytesInUse, Held } from "./bytes-in-use.ts";
import { asError } from "./faults.ts";
import { openRaw, type RawPorts } from "./raw.ts";
import type { StoreTrouble } from "./store-trouble.ts";

export interface TakeoutPorts extends RawPorts {
  readonly stores: Stores;
  readonly extractor: Pick<FileExtractor, "extract">;
  readonly bytes: BytesInUse;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** By part. What is in none of them was not come to. */
export interface Taken {
  readonly got: ReadonlyMap<string, { readonly inspection: Inspection; readonly storeKey: string | null }>;
  /** Why they will never be there. */
  readonly refused: ReadonlyMap<string, string>;
  /** What was wrong with them this time. */
  readonly failed: ReadonlyMap<string, string>;
  /** Where it is not the fault of one of them, or the store's: when to go on. */
  readonly later: Later | undefined;
}

/** `held`: what the caller releases when the ledger knows of it. */
export type Takeout = (
  message: FilesToKeep,
  wanted: readonly FileRow[],
  held: Map<string, Held>,
  story: Log,
) => Promise<Taken>;

/** Two in a row, and it is the store that does not take files: the others wait with it. */
const mostInRow = 2;
/** A message whose files are taken apart to find the one that breaks the reader is read this often in one attempt. */
const mostReads = 24;
/** From this attempt on those that were not come to are given up with the others. */
const patience = 12;
const firstRetryMs = 5_000;
const mostRemembered = 10_000;

/** The rest of this attempt is pointless; what came of it so far stands. */
class Stopped extends Error {
  override readonly name = "Stopped";
}
/** What came out of the message is not what its event lists. */
class OtherBytes extends Error {
  override readonly name = "OtherBytes";
}

export function openTakeout(ports: TakeoutPorts, trouble: StoreTrouble): Takeout {
  /** Attempts of this process that ended because the raw bytes could not be read. */
  const unread = new Map<string, number>();

  return async (message, wanted, held, story) => {
    const run = openRun(message, wanted, held, ports, trouble);
    if (message.raw.kind === "gone") return run.goneAll();
    try {
      await run.extract(wanted.map(({ partId }) => partId));
      unread.delete(message.eventId);
    } catch (error) {
      if (error instanceof ExtractFailed && error.kind === "raw") {
        const tries = (unread.get(message.eventId) ?? 0) + 1;
        if (unread.size >= mostRemembered) unread.clear();
        unread.set(message.eventId, tries);
        ports.metrics.count("raw_unread_total");
        story.error(
          { err: asError(error), attempt: tries },
          "the raw bytes of a message could not be read; its files wait",
        );
        run.goOnIn(retryDelayMs(tries, ports.random.unit(), firstRetryMs));
      } else if (error instanceof ExtractFailed) run.goOnIn(firstRetryMs);
      else if (!(error instanceof Stopped)) throw error;
    }
    return run.taken();
  };
}

function openRun(
  { eventId, tenant, attempts, raw, sealed }: FilesToKeep,
  wanted: readonly FileRow[],
  held: Map<string, Held>,
  ports: TakeoutPorts,
  trouble: StoreTrouble,
) {
  const rows = new Map(wanted.map((row) => [row.partId, row]));
  /** Null: its bytes are there, and only it was not looked into under this name. Should they have gone, the ledger says so. */
  const refs = new Map<string, string | null>();
  const got = new Map<string, { inspection: Inspection; storeKey: string | null }>();
  const refused = new Map<string, string>();
  const failed = new Map<string, string>();
  let later: Later | undefined;
  let failuresInRow = 0;
  let reads = 0;

  async function holdOf(sha256: string): Promise<Held> {
    const mine = held.get(sha256) ?? (await ports.bytes.hold(tenant, sha256));
    held.set(sha256, mine);
    return mine;
  }

  async function each({ partId, bytes }: { readonly partId: string; readonly bytes: AsyncIterable<Uint8Array> }) {
    const row = rows.get(partId);
    if (row === undefined) return;
    if (row.storeKey !== null && !isStale(row, ports.clock.now())) {
      refs.set(partId, null);
      return;
    }
    const stream = watched(bytes, row);
    try {
      const hold = await holdOf(row.sha256);
      const store = ports.stores.of(tenant);
      const ref = await hold.put(async () => (await store.put(keyOf(row), stream.bytes)).ref);
      trouble.succeeded({ tenant, store: "" });
      failuresInRow = 0;
      refs.set(partId, ref);
    } catch (error) {
      const source = stream.failure();
      if (source instanceof OtherBytes) refused.set(partId, source.message);
      // Whoever hands the bytes over says what became of them.
      else if (source !== undefined) throw source;
      else storeFailed(partId, error);
    }
  }

  function storeFailed(partId: string, error: unknown): void {
    const { dueAt, blameless } = trouble.failed({ tenant, store: "" }, `${eventId}/${partId}`, error);
    // Where the store is, and what is wrong with it, stands in the log: this is read at the CRM.
    if (!blameless) failed.set(partId, "The store of attachments does not take it.");
    later = { dueAt, blameless: blameless && later?.blameless !== false };
    if (++failuresInRow >= mostInRow) throw new Stopped("the store takes no files");
  }

  /** Where the reader breaks, those of one half are tried without the other's, until the one is found that it breaks on. */
  async function extract(parts: readonly string[]): Promise<void> {
    try {
      if (++reads > mostReads)
        throw new ExtractFailed("message", "its message has too many files that break the reader");
      const found = await ports.extractor.extract(() => openRaw({ tenant, eventId }, raw, sealed, ports), parts, each);
      for (const { partId, inspection, sha256 } of found) {
        const storeKey = refs.get(partId);
        // Not all bytes went through our hands, and other files are judged by what was seen of these.
        if (sha256 !== rows.get(partId)?.sha256) refused.set(partId, otherBytes);
        else if (storeKey !== undefined) got.set(partId, { inspection, storeKey });
      }
      const there = new Set(found.map(({ partId }) => partId));
      for (const partId of parts)
        if (!there.has(partId) && !refused.has(partId)) refused.set(partId, "It is not found in its message any more.");
    } catch (error) {
      if (!(error instanceof ExtractFailed) || error.kind !== "message") throw error;
      // The rest has its turn in the next attempt: each gets some further.
      if (reads > mostReads && attempts < patience) return;
      if (parts.length === 1 || attempts < 2 || reads > mostReads) {
        for (const partId of parts) failed.set(partId, `It could not be read: ${error.message.slice(0, 200)}`);
        return;
      }
      const half = Math.ceil(parts.length / 2);
      await extract(parts.slice(0, half));
      await extract(parts.slice(half));
    }
  }

  return {
    extract,
    goOnIn(ms: number): void {
      later = { dueAt: ports.clock.now() + ms, blameless: later?.blameless !== false };
    },
    goneAll(): Taken {
      const why = "The raw message that it is in is gone.";
      return { got, refused: new Map(wanted.map(({ partId }) => [partId, why])), failed, later };
    },
    taken: (): Taken => ({ got, refused, failed, later }),
  };
}

const otherBytes = "What is found in its message is not what its event lists.";

/** One that is being checked is put again where its bucket could take it away by age. */
export const isStale = ({ status, storedAt }: FileRow, now: number): boolean =>
  storedAt === null || (status === "checking" && now - storedAt >= renewAfterMs);

/** `attachment/acme/ab/ab12…`. */
const keyOf = ({ tenant, sha256 }: FileRow): string => `attachment/${tenant}/${sha256.slice(0, 2)}/${sha256}`;

/**
 * The bytes, refused at their end unless they are those that the event lists: under this key other messages would be served what came here. And
 * whether it was the bytes that failed, not whoever reads them.
 */
function watched(bytes: AsyncIterable<Uint8Array>, { sha256 }: FileRow) {
  let failure: unknown;
  async function* passed(): AsyncIterable<Uint8Array> {
    const hash = createHash("sha256");
    try {
      for await (const chunk of bytes) {
        hash.update(chunk);
        yield chunk;
      }
    } catch (error) {
      failure = error ?? new Error("the bytes of a file ended in an error");
      throw error;
    }
    if (hash.digest("hex") === sha256) return;
    failure = new OtherBytes(otherBytes);
    throw failure;
  }
  return { bytes: passed(), failure: () => failure };
}
